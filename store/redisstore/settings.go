package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// want is a setting with the value that it should have, and the line of INFO that tells it where CONFIG is forbidden.
type want struct {
	name, value, section, line string
}

var wanted = []want{
	{"appendonly", "yes", "persistence", "aof_enabled"},
	{"appendfsync", "always", "", ""},
	{"maxmemory-policy", "noeviction", "memory", "maxmemory_policy"},
}

// A Setting is what one primary has for one setting.
type Setting struct {
	// Node is the primary's address.
	Node string
	// Name is the setting's, as in Redis's configuration; Want is the value that is safe.
	Name, Want string
	// Value is what the primary has; empty if it does not tell.
	Value string
}

// String says it in words.
func (s Setting) String() string {
	if s.Value == "" {
		return fmt.Sprintf("%s of %s cannot be learned, want %s", s.Name, s.Node, s.Want)
	}
	return fmt.Sprintf("%s of %s is %s, want %s", s.Name, s.Node, s.Value, s.Want)
}

// A SettingsError lists the settings for which [New] refuses a Redis.
type SettingsError struct {
	Unsafe []Setting // all that are unsafe and not in Options.Accept
}

// Error lists the settings.
func (e *SettingsError) Error() string {
	words := make([]string, len(e.Unsafe))
	for i, s := range e.Unsafe {
		words[i] = s.String()
	}
	return "redisstore: New: unsafe settings (Options.Accept takes their names): " + strings.Join(words, "; ")
}

// Settings returns what New found, by node and name, safe or not. A primary that was promoted since has its own.
func (s *Store) Settings() []Setting { return slices.Clone(s.settings) }

func (s *Store) unsafe(accept []string) (unsafe []Setting) {
	for _, setting := range s.settings {
		if setting.Value != setting.Want && !slices.Contains(accept, setting.Name) {
			unsafe = append(unsafe, setting)
		}
	}
	return unsafe
}

// learn asks every primary.
func (s *Store) learn(ctx context.Context) error {
	var mu sync.Mutex
	err := s.eachPrimary(ctx, func(ctx context.Context, c *redis.Client) error {
		if err := c.Ping(ctx).Err(); err != nil {
			return err
		}
		found := make([]Setting, 0, len(wanted))
		for _, w := range wanted {
			found = append(found, Setting{Node: c.Options().Addr, Name: w.name, Want: w.value, Value: w.ask(ctx, c)})
		}
		mu.Lock()
		defer mu.Unlock()
		s.settings = append(s.settings, found...)
		return ctx.Err()
	})
	slices.SortStableFunc(s.settings, func(a, b Setting) int { return strings.Compare(a.Node, b.Node) })
	return err
}

// ask returns a setting's value, "" if the server does not tell: a provider may forbid or rename the commands.
func (w want) ask(ctx context.Context, c *redis.Client) string {
	if values, err := c.ConfigGet(ctx, w.name).Result(); err == nil && values[w.name] != "" {
		return values[w.name]
	}
	if w.section == "" {
		return ""
	}
	info, err := c.Info(ctx, w.section).Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), w.line+":"); ok {
			switch {
			case w.name == "appendonly" && value == "1":
				return "yes"
			case w.name == "appendonly" && value == "0":
				return "no"
			}
			return value
		}
	}
	return ""
}
