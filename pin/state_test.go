package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
)

// An operator, or a citizen who proved the secret, is told in which state the credential is that the call is not for.
func TestErrStateTellsTheState(t *testing.T) {
	imports := func(k *kit) error {
		const hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$Yk5uZ2xHb2xkZW5UYWdHb2xkZW5UYWdHb2w"
		return k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{Level: civicpin.Low, By: clerk})
	}
	suspend := func(k *kit) error { return k.Suspend(t.Context(), maria, "lost", clerk) }
	issues := func(k *kit, by civicpin.Actor) error {
		o := inps()
		o.By = by
		return testkit.Err(k.Issue(t.Context(), maria, o))
	}
	for name, tc := range map[string]struct {
		before func(k *kit) (shown string)
		call   func(k *kit, shown string) error
		says   string
	}{
		"an exchange of what was exchanged": {
			func(k *kit) string { k.exchanged(t); return chosen },
			func(k *kit, shown string) error {
				return testkit.Err(k.Exchange(t.Context(), try(shown), civicpin.NewSecret("MN6B3VCX")))
			},
			"the citizen's own secret is set",
		},
		"a change of what was issued": {
			func(k *kit) string { return k.issued(t) },
			func(k *kit, shown string) error {
				return testkit.Err(k.Change(t.Context(), try(shown), civicpin.NewSecret("MN6B3VCX")))
			},
			"issued, and not exchanged yet",
		},
		"an import over one that was issued": {
			func(k *kit) string { return k.issued(t) },
			func(k *kit, _ string) error { return imports(k) },
			"issued, and not exchanged yet",
		},
		"an import over one in use": {
			func(k *kit) string { k.exchanged(t); return "" },
			func(k *kit, _ string) error { return imports(k) },
			"the citizen's own secret is set",
		},
		"an import over one that is suspended": {
			func(k *kit) string { k.exchanged(t); require.NoError(t, suspend(k)); return "" },
			func(k *kit, _ string) error { return imports(k) },
			"the citizen's own secret is set, and suspended",
		},
		"an operator's issue over one in use": {
			func(k *kit) string { k.exchanged(t); return "" },
			func(k *kit, _ string) error { return issues(k, clerk) },
			"the citizen's own secret is set",
		},
		"an operator's issue over one that is suspended": {
			func(k *kit) string { k.issued(t); require.NoError(t, suspend(k)); return "" },
			func(k *kit, _ string) error { return issues(k, clerk) },
			"issued, and not exchanged yet, and suspended",
		},
		"a suspension of what was revoked": {
			func(k *kit) string {
				k.exchanged(t)
				require.NoError(t, k.Revoke(t.Context(), maria, "lost", clerk))
				return ""
			},
			func(k *kit, _ string) error { return suspend(k) },
			"revoked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			shown := tc.before(k)
			k.clock.Add(time.Minute)
			err := tc.call(k, shown)
			require.ErrorIs(t, err, pin.ErrWrongState)
			require.EqualError(t, err, pin.ErrWrongState.Error()+": "+tc.says)
		})
	}
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.EqualError(t, issues(k, civicpin.Citizen), pin.ErrWrongState.Error(), "a visitor is not told")
}
