package natsstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// CheckServers finds servers that acknowledge writes before they are on their disks. A client's account cannot see that, so
// sys is a connection of the system account, and n the number of servers that hold the buckets: New cannot do this check, a
// program that deploys the servers can. It gives a [*SettingError] for a server that does not run with "sync_interval: always",
// and another error if fewer than n answer before the context is done, so give it a deadline of a second or two.
func CheckServers(ctx context.Context, sys *nats.Conn, n int) error {
	answers, err := sys.SubscribeSync(sys.NewRespInbox())
	if err != nil {
		return fmt.Errorf("natsstore: check servers: %w", err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := sys.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", answers.Subject, nil); err != nil {
		return fmt.Errorf("natsstore: check servers: %w", err)
	}
	for seen := make(map[string]bool); len(seen) < n; {
		m, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return fmt.Errorf("natsstore: check servers: %d of %d answered: %w", len(seen), n, err)
		}
		var answer struct {
			Server struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"server"`
			Data *struct {
				Disabled bool `json:"disabled"`
				Config   struct {
					SyncAlways bool `json:"sync_always"`
				} `json:"config"`
			} `json:"data"`
		}
		if err := json.Unmarshal(m.Data, &answer); err != nil || answer.Server.ID == "" || answer.Data == nil {
			return errors.New("natsstore: check servers: unreadable answer; is this the system account?")
		}
		if answer.Data.Disabled {
			continue // it holds nothing
		}
		if !answer.Data.Config.SyncAlways {
			return &SettingError{
				Setting: "sync_interval", Value: "a time, at server " + answer.Server.Name,
				Want: "always: writes would be acknowledged before they are on a disk",
			}
		}
		seen[answer.Server.ID] = true
	}
	return nil
}
