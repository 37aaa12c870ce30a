package otp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store/storetest"
)

// only is a policy that disables after one failure.
var only = lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked, Ceiling: 1}

// TestLimitsOfPolicies takes as much as each limit allows, and refuses one more. TestCodePolicyValidate, TestTOTPConfigRefused
// and others try what is not at a limit.
func TestLimitsOfPolicies(t *testing.T) {
	own := func(n int) (list []civicpin.Channel) {
		for i := range n {
			list = append(list, civicpin.Channel(fmt.Sprint("own-", i)))
		}
		return list
	}
	sms := func(change func(*otp.CodePolicy)) func() error {
		p := otp.SMS()
		change(&p)
		return p.Validate
	}
	totp := func(p otp.TOTPPolicy) func() error {
		p.Issuer, p.Digits = "Agency", max(8, p.Digits)
		p.Exceptions = testkit.Except(p.Breaks())
		return p.Validate
	}
	hotp := func(p otp.HOTPPolicy) func() error {
		p.Issuer, p.Digits = "Agency", 8
		p.Exceptions = testkit.Except(p.Breaks())
		return p.Validate
	}
	for name, tc := range map[string]struct{ most, more func() error }{
		"CodePolicy.Channels": {
			sms(func(p *otp.CodePolicy) { p.Channels, p.OwnChannels = own(16), own(16) }),
			sms(func(p *otp.CodePolicy) { p.Channels, p.OwnChannels = slices.Concat(own(16), p.Channels[:1]), own(16) }),
		},
		"CodePolicy.Decoys": {
			sms(func(p *otp.CodePolicy) { p.Decoys = slices.Repeat([]civicpin.Contact{bySMS}, 16) }),
			sms(func(p *otp.CodePolicy) { p.Decoys = slices.Repeat([]civicpin.Contact{bySMS}, 17) }),
		},
		"CodePolicy.Tries": {
			sms(func(p *otp.CodePolicy) { p.Lockout, p.Tries = only, 1 }),
			sms(func(p *otp.CodePolicy) { p.Lockout, p.Tries = only, 2 }),
		},
		"CodePolicy.MaxPending": {
			sms(func(p *otp.CodePolicy) { p.MaxPending = 1 }),
			sms(func(p *otp.CodePolicy) { p.MaxPending = -1 }),
		},
		"TOTPPolicy.Back":     {totp(otp.TOTPPolicy{Back: 10}), totp(otp.TOTPPolicy{Back: 11})},
		"TOTPPolicy.Forward":  {totp(otp.TOTPPolicy{Forward: 10}), totp(otp.TOTPPolicy{Forward: 11})},
		"TOTPPolicy.MaxDrift": {totp(otp.TOTPPolicy{MaxDrift: 100}), totp(otp.TOTPPolicy{MaxDrift: 101})},
		"TOTPPolicy.Digits":   {totp(otp.TOTPPolicy{Digits: 8}), totp(otp.TOTPPolicy{Digits: 9})},
		"TOTPPolicy.Period":   {totp(otp.TOTPPolicy{Period: time.Second}), totp(otp.TOTPPolicy{Period: 1})},
		"TOTPPolicy.Name":     {totp(otp.TOTPPolicy{Name: strings.Repeat("n", 40)}), totp(otp.TOTPPolicy{Name: strings.Repeat("n", 41)})},
		"HOTPPolicy.LookAhead": {
			hotp(otp.HOTPPolicy{LookAhead: 100, ResyncWindow: 100}), hotp(otp.HOTPPolicy{LookAhead: 101, ResyncWindow: 101}),
		},
		"HOTPPolicy.ResyncWindow": {
			hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 1000}), hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 1001}),
		},
		"HOTPPolicy.ResyncWindow, below": {
			hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 20}), hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 19}),
		},
		"PendingFor": {
			hotp(otp.HOTPPolicy{PendingFor: 30 * 24 * time.Hour}), hotp(otp.HOTPPolicy{PendingFor: 30*24*time.Hour + 1}),
		},
		"PendingFor, below": {hotp(otp.HOTPPolicy{PendingFor: time.Minute}), hotp(otp.HOTPPolicy{PendingFor: 1})},
	} {
		assert.NoError(t, tc.most(), name)
		assert.ErrorIs(t, tc.more(), otp.ErrInvalidPolicy, name)
	}
	long := otp.TOTPPolicy{Issuer: strings.Repeat("a", 256)}
	require.NoError(t, long.Validate())
	long.Digits = 1
	require.ErrorIs(t, long.Validate(), otp.ErrInvalidPolicy, "one digit is not the default")
}

// TestLimitsOfCalls is TestLimitsOfPolicies for what calls are given.
func TestLimitsOfCalls(t *testing.T) {
	k := newCodeKit(t, sms())
	request := func(p otp.Purpose, params map[string]string) error {
		return testkit.Err(k.Request(t.Context(), ana, p, otp.RequestOptions{To: toAna().To, Params: params}))
	}
	numbered := func(n int) map[string]string {
		params := make(map[string]string)
		for i := range n {
			params[fmt.Sprint(i)] = "value"
		}
		return params
	}
	sized := func(key, value int) map[string]string {
		return map[string]string{strings.Repeat("k", key): strings.Repeat("v", value)}
	}
	// Blanks after the colon do not count towards the account.
	uri := func(n int) error {
		const before, after = "otpauth://totp/Agency:", "ada?secret=" + rfcSecret
		blanks, odd := (n-len(before+after))/3, (n-len(before+after))%3
		return testkit.Err(otp.ParseKey(civicpin.NewSecret(before + strings.Repeat("%20", blanks) + strings.Repeat(" ", odd) + after)))
	}
	for name, tc := range map[string]struct{ most, more error }{
		"parameters":        {request(filing, numbered(8)), request(filing, numbered(9))},
		"parameter's name":  {request(filing, sized(32, 1)), request(filing, sized(33, 1))},
		"parameter's value": {request(filing, sized(1, 256)), request(filing, sized(1, 257))},
		"act": {
			request(otp.Purpose{Act: strings.Repeat("a", 64)}, nil), request(otp.Purpose{Act: strings.Repeat("a", 65)}, nil),
		},
		"digest": {
			request(otp.Purpose{Act: "a", Digest: make([]byte, 64)}, nil), request(otp.Purpose{Act: "a", Digest: make([]byte, 65)}, nil),
		},
		"URI": {uri(4096), uri(4097)},
	} {
		assert.NoError(t, tc.most, name)
		assert.ErrorIs(t, tc.more, civicpin.ErrInvalid, name)
	}
}

// TestSmallestOfEach gives each field with a default its least value, which is not taken for none.
func TestSmallestOfEach(t *testing.T) {
	small := sms()
	small.MaxPending, small.Lockout, small.Tries, small.Sends = 1, only, 1, civicpin.Rate{Limit: 1, Window: time.Hour}
	require.Equal(t, small, newCodeKit(t, small).Policy())
	alone, _ := small.GuessProbability()
	require.InEpsilon(t, 1e-6, alone, 1e-9)
	require.Len(t, issuedBy(t, otp.BackupPolicy{Name: "paper", Count: 1}), 1)

	narrow := otp.HOTPPolicy{Issuer: "Agency", LookAhead: 1, ResyncWindow: 1, Lockout: only}
	policy := newHOTP(t, narrow).HOTP.Policy()
	require.Equal(t, []int{1, 1}, []int{policy.ResyncWindow, policy.Lockout.Ceiling})
	require.InEpsilon(t, 4e-6, policy.GuessProbability(), 1e-9)
	require.InEpsilon(t, 7e-6, otp.TOTPPolicy{MaxDrift: 1, Back: 2, Forward: otp.None, Lockout: only}.GuessProbability(), 1e-9)
}

// issuedBy issues a set to Ana.
func issuedBy(t *testing.T, p otp.BackupPolicy) []civicpin.Secret {
	t.Helper()
	set, err := newBackupKitOf(t, p).Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	return set
}

// TestReadyPoliciesWhole compares the ready policies and the defaults with their documentation, field by field.
func TestReadyPoliciesWhole(t *testing.T) {
	const day = 24 * time.Hour
	limits := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: day, Reserve: 10}.WithRates()
	sends := civicpin.Rate{Limit: 10, Window: 12 * time.Hour}
	want := otp.CodePolicy{
		Name: "sms", Alphabet: "0123456789", Length: 6, Valid: 10 * time.Minute, Tries: 5,
		Channels: []civicpin.Channel{civicpin.Push, civicpin.SMS, civicpin.Voice}, Lockout: limits, Sends: sends,
	}
	require.Equal(t, want, otp.SMS())
	limits.Ceiling, limits.Reserve = 20, 4
	clave := otp.ClavePIN()
	for i := range clave.Exceptions {
		require.Contains(t, clave.Exceptions[i].Reason, []string{"format", "identity document"}[i])
		clave.Exceptions[i].Reason = ""
	}
	require.Equal(t, otp.CodePolicy{
		Name: "clave-pin", Alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", Length: 3, Joined: 4, Valid: 10 * time.Minute, Tries: 3,
		Channels: []civicpin.Channel{civicpin.Push, civicpin.SMS}, Lockout: limits, Sends: sends,
		Exceptions: []civicpin.Exception{{Clause: "SP 800-63B-4 3.1.3.2"}, {Clause: "guess budget"}},
	}, clave)

	given := want
	given.Sends = civicpin.Rate{}
	want.MaxPending, want.Sends = 3, civicpin.Rate{Limit: 10, Window: day}
	require.Equal(t, want, newCodeKit(t, given).Policy())
}

// TestBackupAsStored: a set has one salt of 16 bytes, and of each unused code a hash of 32.
func TestBackupAsStored(t *testing.T) {
	k := newBackupKit(t)
	set := k.issued(t)
	require.NoError(t, k.use(t, set[0]))
	text, err := otp.PlainBackup(t.Context(), k.BackupCodes)
	require.NoError(t, err)
	var kept struct {
		Salt   []byte
		Hashes [][]byte
		By     civicpin.Actor
		Issued time.Time
	}
	require.NoError(t, json.Unmarshal([]byte(text), &kept))
	require.Len(t, kept.Salt, 16)
	require.Len(t, kept.Hashes, 9)
	require.Len(t, kept.Hashes[8], 32)
	require.Equal(t, civicpin.Citizen, kept.By)
	require.True(t, kept.Issued.Equal(k.clock.Now()))
}

// TestEventsList: the list has each event with its meaning, and with all reasons that it is recorded with.
func TestEventsList(t *testing.T) {
	guesses := []string{"unused", "locked", "busy", "not checked"}
	reasons := map[civicpin.EventCode][]string{
		"otp.enrolled": {"the method of proof, if identity was proved anew"}, "otp.activated": nil, "otp.imported": nil,
		"otp.removed": nil, "otp.verified": nil, "otp.resynced": nil, "otp.rebound": {"the method of proof"},
		"otp.refused":        slices.Concat([]string{"wrong", "spent", "unknown"}, guesses),
		"otp.code_requested": {"no contact"}, "otp.code_resent": nil, "otp.code_pulled": nil, "otp.code_verified": nil,
		"otp.code_refused":   slices.Concat([]string{"wrong", "unknown", "spent", "cancelled", "exhausted", "expired"}, guesses),
		"otp.code_cancelled": {"too many pending", "spent"},
		"otp.backup_issued":  nil, "otp.backup_revoked": nil, "otp.backup_used": {"the number of codes that are left"},
		"otp.backup_refused": slices.Concat([]string{"wrong", "unknown"}, guesses),
	}
	testkit.ListsEvents(t, otp.Events(), reasons)
}

// TestLettersOfURIs: each end of a range of signs that a URI writes as they are, or a seed has.
func TestLettersOfURIs(t *testing.T) {
	const plain = "azAZ09-._~@"
	uri := testURI(func(k *otp.Key) { k.Account = plain })
	require.Contains(t, uri, ":"+plain+"?")
	for _, seed := range []string{"AZ27AZ27", "az27az27"} {
		k, err := otp.ParseKey(civicpin.NewSecret("otpauth://totp/ada?secret=" + seed))
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(seed), k.Secret().Reveal())
	}
}

// TestKeyIsCorrectedOnce: a key that was used by a clock that was ahead is written anew if the clock was more than a day ahead.
func TestKeyIsCorrectedOnce(t *testing.T) {
	for ahead, puts := range map[time.Duration]int{stored.Skew: 0, stored.Skew + step: 1} {
		f := newTOTP(t, otp.TOTPPolicy{})
		f.clock.Set(start.Add(ahead - step))
		key := f.enrol(t)
		require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		f.clock.Set(start)
		f.faults.Reset()
		f.status(t)
		require.Equal(t, puts, f.faults.Calls(storetest.Put), ahead)
	}
}
