package pin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/pin"
)

// choices are the calls by which a subject gets a secret of their own, and with it a login.
var choices = []struct {
	name string
	// prepare returns what the call shows of the subject.
	prepare func(t *testing.T, k *kit) string
	call    func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error)
}{
	{
		"exchange", func(t *testing.T, k *kit) string { return k.issued(t) },
		func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error) {
			return k.Exchange(t.Context(), try(shown), civicpin.NewSecret(choice))
		},
	},
	{
		"change", func(t *testing.T, k *kit) string { k.exchanged(t); return chosen },
		func(t *testing.T, k *kit, shown, choice string) (pin.Verified, error) {
			return k.Change(t.Context(), try(shown), civicpin.NewSecret(choice))
		},
	},
	{
		"set", func(t *testing.T, k *kit) string { k.exchanged(t); k.grant = k.granted(t); return "" },
		func(t *testing.T, k *kit, _, choice string) (pin.Verified, error) {
			return k.Set(t.Context(), k.grant, civicpin.NewSecret(choice))
		},
	},
}

// Exchange, Change and Set return what a login with the new secret returns, so that no login has to follow.
func TestChoosingIsALogin(t *testing.T) {
	for _, c := range choices {
		t.Run(c.name, func(t *testing.T) {
			k := newKit(t, withDevices())
			old := c.prepare(t, k)
			ok, err := c.call(t, k, old, "12345678")
			require.ErrorIs(t, err, pin.ErrChoice)
			require.Zero(t, ok)

			ok, err = c.call(t, k, old, changed)
			require.NoError(t, err)
			require.Equal(t, shown.Login, shown.Open(k.vault, maria, ok.Shown).Kind)
			login, err := k.Verify(t.Context(), try(changed))
			require.NoError(t, err)
			require.Equal(t, visible(login), visible(ok))
			_, err = k.Remember(t.Context(), ok)
			require.NoError(t, err)
		})
	}
}

// visible is what a portal sees of a login, without what differs between two logins at one moment.
func visible(ok pin.Verified) pin.Verified {
	return pin.Verified{Level: ok.Level, MustExchange: ok.MustExchange, Expires: ok.Expires}
}
