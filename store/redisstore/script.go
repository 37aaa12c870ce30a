package redisstore

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/store"
)

// What a script answers.
const (
	conflict = 0
	done     = 1
)

// put sets the key if its version, empty where there is none, is the first argument: to the second, to expire at the third if
// that is not 0.
var put = newScript(`
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[3] ~= '0' then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
return 1`)

// remove deletes the key if its version is the first argument.
var remove = newScript(`
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`)

// script is a script with the hash that names it.
type script struct{ text, hash string }

func newScript(text string) script {
	h := sha1.Sum([]byte(text)) // Redis's choice; nothing rests on it
	return script{text, hex.EncodeToString(h[:])}
}

// once is a command that the driver must not repeat: it may have been done although its answer was lost.
type once struct{ *redis.Cmd }

// NoRetry implements [redis.Cmder].
func (once) NoRetry() bool { return true }

// run runs a script on one key and returns nil or ErrConflict for what it answers. Redis remembers scripts by their hash until
// it is restarted; one that it does not know has not been run, and is sent whole.
func (s script) run(ctx context.Context, c redis.UniversalClient, key string, args ...any) error {
	cmd := once{redis.NewCmd(ctx, append([]any{"evalsha", s.hash, 1, key}, args...)...)}
	err := c.Process(ctx, cmd)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd = once{redis.NewCmd(ctx, append([]any{"eval", s.text, 1, key}, args...)...)}
		err = c.Process(ctx, cmd)
	}
	if err != nil {
		return err
	}
	switch answer, err := cmd.Int(); {
	case err != nil:
		return err
	case answer == conflict:
		return store.ErrConflict
	case answer != done:
		return fmt.Errorf("a script answered %d", answer)
	}
	return nil
}

// wrap says where an error came from, except of a conflict, which is an answer.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	return fmt.Errorf("redisstore: %s: %w", what, err)
}
