package pin_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
)

func TestChoiceNamesTheRule(t *testing.T) {
	for broken, choices := range map[rule.Rule][]string{
		rule.Length:     {"", "QZ7WK4P", "QZ7WK4PMX", "   "},
		rule.Characters: {"QZ7WK4P!", "ñ7WK4PMX", "QZ7WK4\x00M"},
		rule.Common:     {"PASSWORD"},
		rule.Repeated:   {"AAAAAAAA", "12121212"},
		rule.Sequence:   {"ABCDEFGH", "87654321", "QWERTYUI"},
		rule.Date:       {"13051990"},
		rule.Personal:   {"RSSMRA85", "85T10A56", "XQROSSI7"},
	} {
		for _, choice := range choices {
			t.Run(string(broken)+"/"+choice, func(t *testing.T) {
				k := newKit(t, pin.INPS())
				a := try(k.issued(t))
				a.Personal = []string{"Maria Rossi", "1985-12-10"}
				_, err := k.Exchange(t.Context(), a, civicpin.NewSecret(choice))
				require.ErrorIs(t, err, pin.ErrUnfitSecret)
				var refused *pin.ChoiceError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, broken, refused.Rule)
				_, err = k.Verify(t.Context(), a)
				require.NoError(t, err, "nothing has changed")
				require.Zero(t, k.failures(t))
			})
		}
	}
}

func TestChoiceMayNotBeOfTheIssuedSecret(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	for _, half := range []string{code[:8], strings.ToLower(code[8:]), code[4:12]} {
		_, err := k.Exchange(t.Context(), try(code), civicpin.NewSecret(half))
		var broken *pin.ChoiceError
		require.ErrorAs(t, err, &broken)
		// A random half may break another rule first.
		if broken.Rule != rule.Issued {
			t.Logf("%s breaks rule %s", half, broken.Rule)
		}
	}
}

// A stranger must not find out somebody's telephone number by choosing secrets.
func TestChoiceAgainstContactsNeedsTheProof(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	inPhone := civicpin.NewSecret("K331234W")
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(wrong+wrong), inPhone)), pin.ErrRefused)
	var broken *pin.ChoiceError
	require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), inPhone)), &broken)
	require.Equal(t, rule.Personal, broken.Rule)
}

func TestStates(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(code), civicpin.NewSecret(chosen))), pin.ErrWrongState, "an issued secret is exchanged")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(changed))), pin.ErrRefused)
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrWrongState)
	var broken *pin.ChoiceError
	require.ErrorAs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret("qz7w k4pm"))), &broken)
	require.Equal(t, rule.Same, broken.Rule)
}

func TestExpiry(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	var expired *pin.ExpiredError

	k.clock.Add(90*day - 1)
	ok, err := k.Verify(t.Context(), try(chosen))
	require.NoError(t, err)
	require.Equal(t, k.clock.Now().Add(1), ok.ExpiresAt)
	k.clock.Add(1)
	_, err = k.Verify(t.Context(), try(chosen))
	require.ErrorAs(t, err, &expired)
	require.Equal(t, state.SinceChange, expired.Since)
	require.ErrorIs(t, err, pin.ErrExpired)
	require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))))

	// Used now and then it lives as long as it is changed in time; a use within a day of the last one need not count.
	p := pin.INPS()
	p.MaxAge = 0
	k = newKit(t, p)
	k.exchanged(t)
	for range 10 {
		k.clock.Add(179 * day)
		_, err = k.Verify(t.Context(), try(chosen))
		require.NoError(t, err)
	}
	k.clock.Add(180 * day)
	_, err = k.Verify(t.Context(), try(chosen))
	require.ErrorAs(t, err, &expired)
	require.Equal(t, state.SinceUse, expired.Since)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrExpired, "must be issued anew")
	k.walk(t)
}

func TestHistory(t *testing.T) {
	p := pin.INPS()
	p.History = 2
	k := newKit(t, p)
	k.exchanged(t)
	secrets := []string{chosen, "HJ4N8RTX", "MN6B3VCX", "TR5W9PLK"}
	for i := 1; i < len(secrets); i++ {
		require.NoError(t, testkit.Err(k.Change(t.Context(), try(secrets[i-1]), civicpin.NewSecret(secrets[i]))))
	}
	var broken *pin.ChoiceError
	for i, want := range map[int]rule.Rule{3: rule.Same, 2: rule.History, 1: rule.History} {
		require.ErrorAs(t, testkit.Err(k.Change(t.Context(), try(secrets[3]), civicpin.NewSecret(secrets[i]))), &broken)
		require.Equal(t, want, broken.Rule)
	}
	require.NoError(t, k.Revoke(t.Context(), maria, "stolen", clerk))
	code := k.issued(t)
	require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(secrets[3]))), &broken)
	require.Equal(t, rule.History, broken.Rule, "what was stolen does not come back")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(secrets[0]))), "two are remembered, no more")
}

// choiceOf returns the choice of the i-th of up to 676 requests.
func choiceOf(i int) string { return "QZ7W" + string(rune('A'+i%26)) + string(rune('A'+i/26)) + "PM" }

// Of any number of exchanges with the right code and different choices, one wins.
func TestOneExchangeWins(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Queue = 1000
	k := newKit(t, p)
	code := k.issued(t)
	var won atomic.Int32
	var winner atomic.Value
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			mine := choiceOf(i)
			for {
				_, err := k.Exchange(t.Context(), try(code), civicpin.NewSecret(mine))
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(mine)
					return
				case errors.Is(err, pin.ErrBusy):
					time.Sleep(rand.N(5 * time.Millisecond))
					continue
				case errors.Is(err, pin.ErrChanged), errors.Is(err, pin.ErrRefused), errors.Is(err, pin.ErrUnfitSecret):
					return
				}
				// Locked by the losers' guesses at a secret that is not right any more.
				return
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	_, right := k.works(t, winner.Load().(string))
	require.True(t, right)
}
