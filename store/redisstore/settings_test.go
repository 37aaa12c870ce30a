package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store/redisstore"
)

// TestSettings: what is unsafe, or cannot be learned, is refused by name until it is accepted, and told either way.
func TestSettings(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		values [3]string // as in wanted
		accept []string  // what has to be
	}{
		"safe":         {nil, [3]string{"yes", "always", "noeviction"}, nil},
		"nothing kept": {[]string{"--appendonly", "no"}, [3]string{"no", "always", "noeviction"}, []string{"appendonly"}},
		"a second lost, and more": {
			[]string{"--appendfsync", "everysec", "--maxmemory-policy", "allkeys-lru"},
			[3]string{"yes", "everysec", "allkeys-lru"},
			[]string{"appendfsync", "maxmemory-policy"},
		},
		"CONFIG forbidden": {
			[]string{"--rename-command", "CONFIG", ""},
			[3]string{"yes", "", "noeviction"},
			[]string{"appendfsync"},
		},
		"CONFIG forbidden, and unsafe": {
			[]string{"--rename-command", "CONFIG", "", "--appendonly", "no", "--maxmemory-policy", "volatile-ttl"},
			[3]string{"no", "", "volatile-ttl"},
			[]string{"appendonly", "appendfsync", "maxmemory-policy"},
		},
		"INFO forbidden as well": {
			[]string{"--rename-command", "CONFIG", "", "--rename-command", "INFO", ""},
			[3]string{"", "", ""},
			[]string{"appendonly", "appendfsync", "maxmemory-policy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := servers.Redis(t, c.args...)
			client := dial(t, server.Addr())
			want := []redisstore.Setting{
				{Node: server.Addr(), Name: "appendonly", Want: "yes", Value: c.values[0]},
				{Node: server.Addr(), Name: "appendfsync", Want: "always", Value: c.values[1]},
				{Node: server.Addr(), Name: "maxmemory-policy", Want: "noeviction", Value: c.values[2]},
			}
			for i := range c.accept { // all but one
				_, err := redisstore.New(t.Context(), client, &redisstore.Options{Accept: c.accept[:i]})
				var refused *redisstore.SettingsError
				require.ErrorAs(t, err, &refused)
				require.Len(t, refused.Unsafe, len(c.accept)-i)
				assert.Equal(t, c.accept[i], refused.Unsafe[0].Name)
				assert.ErrorContains(t, err, refused.Unsafe[0].String())
				assert.Contains(t, want, refused.Unsafe[0])
			}
			s, err := redisstore.New(t.Context(), client, &redisstore.Options{Accept: c.accept})
			require.NoError(t, err)
			assert.Equal(t, want, s.Settings())
		})
	}
}
