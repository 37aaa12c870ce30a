package otp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
)

func TestCodeIsGoodOnce(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	require.Len(t, req.ID, 26)
	require.Empty(t, req.To, "without Decoys nothing is shown")
	require.Equal(t, newClock().Now().Add(10*time.Minute), req.ExpiresAt)
	require.NoError(t, k.verify(t, req.ID, " "+sent[:3]+"-"+sent[3:]))
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused)
	require.Equal(t, 1, k.failures(t), "a spent code counts like a wrong one")
	require.Equal(t, map[string]int{"": 1}, reasons(k.events, civicpin.EventCode("otp.code_verified")))
	require.Equal(t, map[string]int{"spent": 1}, reasons(k.events, civicpin.EventCode("otp.code_refused")))
}

func TestCodeMessage(t *testing.T) {
	k := newCodeKit(t, sms())
	o := toAna()
	o.Params = map[string]string{"act": "filing your return"}
	req, err := k.Request(t.Context(), ana, filing, o)
	require.NoError(t, err)
	require.Empty(t, k.mail.Messages(), "nothing is sent inline")
	o.Params["act"] = "changed"
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 1)
	m := k.mail.Messages()[0]
	require.Equal(t, otp.CodeMessage, m.Kind)
	require.Equal(t, bySMS, m.To)
	require.True(t, req.ExpiresAt.Equal(m.ExpiresAt))
	require.Equal(t, map[string]string{"act": "filing your return"}, m.Params)
	words, err := texts.New(texts.Service{Name: "Agencia"})
	require.NoError(t, err)
	text, err := words.Render(m)
	require.NoError(t, err)
	require.Contains(t, text.Body.Reveal(), m.Secret.Reveal())
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 1, "once")
}

// The whole hash is compared, not the beginning of it.
func TestEveryBitOfACodesHashCounts(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	require.NoError(t, otp.SpoilTag(t.Context(), k.Codes, store.Key{Subject: ana, ID: req.ID}))
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused)
}

// The code of a request that found no contact was sent to no one, so that not even a lucky guess is right.
func TestNoCodeIsRightWithoutAContact(t *testing.T) {
	k := newCodeKit(t, sms())
	k.asked(t)
	before, err := otp.PlainCodes(t.Context(), k.Codes)
	require.NoError(t, err)
	req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
	require.NoError(t, err)
	after, err := otp.PlainCodes(t.Context(), k.Codes)
	require.NoError(t, err)
	codes := regexp.MustCompile(`"code":"(\d+)"`)
	tried := 0
	for _, m := range codes.FindAllStringSubmatch(after, -1) {
		if !strings.Contains(before, m[0]) {
			tried++
			require.ErrorIs(t, k.verify(t, req.ID, m[1]), otp.ErrRefused)
		}
	}
	require.Equal(t, 1, tried)
}

// A code for one act, about one thing, of one person, confirms nothing else.
func TestCodeIsBound(t *testing.T) {
	for name, tc := range map[string]struct {
		subject civicpin.Subject
		purpose otp.Purpose
		reason  string
	}{
		"another act":      {ana, otp.Purpose{Act: "pay", Digest: filing.Digest}, "wrong"},
		"another digest":   {ana, otp.Purpose{Act: filing.Act, Digest: paying.Digest}, "wrong"},
		"no digest":        {ana, otp.Purpose{Act: filing.Act}, "wrong"},
		"a moved boundary": {ana, otp.Purpose{Act: filing.Act + "t", Digest: filing.Digest[1:]}, "wrong"},
		"another person":   {luis, filing, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			req, sent := k.asked(t)
			err := k.Verify(t.Context(), tc.subject, tc.purpose, req.ID, civicpin.NewSecret(sent), home)
			require.ErrorIs(t, err, otp.ErrRefused)
			require.Equal(t, map[string]int{tc.reason: 1}, reasons(k.events, civicpin.EventCode("otp.code_refused")))
			st, err := k.Status(t.Context(), tc.subject)
			require.NoError(t, err)
			require.Equal(t, 1, st.Failures, "it counts")
			require.NoError(t, k.verify(t, req.ID, sent), "and is still good for what it was made for")
		})
	}
}

// The code of one's own request opens nobody else's.
func TestForeignCode(t *testing.T) {
	k := newCodeKit(t, sms())
	_, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	o := toAna()
	o.To = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600333444"}}
	his, err := k.Request(t.Context(), luis, filing, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	sent := k.mail.Last("+34600333444", otp.CodeMessage).Secret.Reveal()
	require.ErrorIs(t, k.verify(t, his.ID, sent), otp.ErrRefused)
	require.Equal(t, 1, k.failures(t))
}

func TestLateCode(t *testing.T) {
	for name, late := range map[string]time.Duration{"at the minute": 10 * time.Minute, "after an hour": 69 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			req, sent := k.asked(t)
			k.clock.Set(req.ExpiresAt.Add(late - 10*time.Minute))
			require.ErrorIs(t, k.verify(t, req.ID, otherThan(sent)), otp.ErrRefused, "a wrong one is told nothing else")
			for range 20 { // neither counts nor resets
				require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrExpired)
			}
			require.Equal(t, 1, k.failures(t))
			require.Equal(t, 20, reasons(k.events, civicpin.EventCode("otp.code_refused"))["expired"])
		})
	}
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	k.clock.Set(req.ExpiresAt.Add(-1))
	require.NoError(t, k.verify(t, req.ID, sent), "the last moment")
	req, sent = k.asked(t)
	k.clock.Set(req.ExpiresAt.Add(time.Hour))
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused, "forgotten")
}

// A code that was made while the clock was ahead is over when the clock is right again, and another takes its place.
func TestCodeOfAClockAhead(t *testing.T) {
	k := newCodeKit(t, sms())
	now := k.clock.Now()
	k.clock.Set(now.AddDate(10, 0, 0))
	req, sent := k.asked(t)
	k.clock.Set(now)
	k.clock.Add(24 * time.Hour)
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrExpired)
	_, err := k.Request(t.Context(), ana, filing, toAna())
	require.ErrorIs(t, err, lockout.ErrLocked, "what was counted then ends with its window")
	for range 2 { // so does the queue of the address, from its next message on
		k.clock.Add(24 * time.Hour)
		_, _ = k.asked(t)
	}
	req, sent = k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
}

// A late code that is wrong for the purpose is wrong.
func TestLateCodeForAnotherPurpose(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	k.clock.Add(11 * time.Minute)
	err := k.Verify(t.Context(), ana, paying, req.ID, civicpin.NewSecret(sent), home)
	require.ErrorIs(t, err, otp.ErrRefused)
	require.NotErrorIs(t, err, otp.ErrExpired)
}

func TestTriesEndACode(t *testing.T) {
	p := otp.ClavePIN()
	p.Lockout.Limit = 10
	k := newCodeKit(t, unlimited(p))
	req, sent := k.asked(t)
	for range 3 {
		require.ErrorIs(t, k.verify(t, req.ID, otherThan(sent)), otp.ErrRefused)
	}
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused, "the right one is too late")
	require.Equal(t, map[string]int{"wrong": 3, "exhausted": 1}, reasons(k.events, civicpin.EventCode("otp.code_refused")))
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Empty(t, pending)
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState)
	plain, err := otp.PlainCodes(t.Context(), k.Codes)
	require.NoError(t, err)
	require.NotContains(t, plain, `"code"`, "its text is erased")
	_, sent2 := k.asked(t)
	_ = sent2
	require.Equal(t, 4, k.failures(t), "a new code does not reset the count")
}

// Failures are carried over from code to code until the account locks, and at the ceiling is disabled.
func TestFailuresAreCarriedOver(t *testing.T) {
	p := sms()
	p.Lockout.ShowLeft = true
	k := newCodeKit(t, p)
	for i := range 80 { // the ceiling of a hundred without the two reserves
		req, sent := k.asked(t)
		err := k.verify(t, req.ID, otherThan(sent))
		if i%5 == 4 {
			require.ErrorIs(t, err, lockout.ErrLocked, "failure %d", i+1)
			_, err := k.Request(t.Context(), ana, filing, toAna())
			require.ErrorAs(t, err, new(*lockout.LockedError), "no message for a code that nobody could use")
			o := toAna()
			o.Source = k.showing(shown.Login)
			require.NoError(t, testkit.Err(k.Request(t.Context(), ana, filing, o)), "and one for a caller who could")
			k.clock.Add(25 * time.Hour)
			continue
		}
		refused, ok := errors.AsType[*lockout.RefusedError](err)
		require.True(t, ok, "failure %d: %v", i+1, err)
		require.Equal(t, 4-i%5, refused.Left)
	}
	require.Equal(t, 80, k.failures(t))
	req, sent := k.asked(t)
	require.ErrorIs(t, k.verify(t, req.ID, sent), lockout.ErrRefused, "disabled, as it does not show after so long")
	req, sent = k.asked(t)
	err := k.Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(sent), k.showing(shown.Login))
	require.NoError(t, err, "a login's reserve is open")
	require.ErrorAs(t, k.Unlock(t.Context(), ana, desk), new(*lockout.LockedError), "an unlock does not lift a disablement")
	require.NoError(t, k.Rebind(t.Context(), ana, seenAtDesk))
	req, sent = k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
}

func TestUnlock(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	for range 5 {
		require.Error(t, k.verify(t, req.ID, otherThan(sent)))
	}
	testkit.LockedBy(t, k.verify(t, req.ID, sent))
	require.NoError(t, k.Unlock(t.Context(), ana, desk))
	req, sent = k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
}

// A lock that ends before the code does is no reason not to send it.
func TestRequestWhileLocked(t *testing.T) {
	for wait, ok := range map[time.Duration]bool{0: false, 5 * time.Minute: false, 5*time.Minute + 1: true, 15 * time.Minute: true} {
		k := newCodeKit(t, sms())
		req, sent := k.asked(t)
		for range 5 {
			require.Error(t, k.verify(t, req.ID, otherThan(sent)))
		}
		k.clock.Add(wait)
		_, err := k.Request(t.Context(), ana, filing, toAna())
		require.Equal(t, ok, err == nil, "%v: %v", wait, err)
		if !ok {
			require.Equal(t, lockout.ScopeSubject, testkit.LockedBy(t, err).Scope)
			continue
		}
		k.clock.Add(15*time.Minute - min(wait, 15*time.Minute))
		require.NoError(t, k.out.Flush(t.Context()))
	}
}

func TestJoinedPart(t *testing.T) {
	k := newCodeKit(t, unlimited(otp.ClavePIN()))
	ask := func(own string) (string, string) {
		o := toAna()
		o.Joined = civicpin.NewSecret(own)
		req, err := k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		k.clock.Add(time.Minute)
		require.NoError(t, k.out.Flush(t.Context()))
		require.NotContains(t, strings.ToLower(k.last()), strings.ToLower(own), "it is not sent back")
		return req.ID, k.last()
	}
	for name, tc := range map[string]struct {
		own   string
		typed func(sent string) string
		ok    bool
	}{
		"joined":                     {"ab12", func(s string) string { return "ab12" + s }, true},
		"in another case":            {"ab12", func(s string) string { return "AB12" + strings.ToLower(s) }, true},
		"with blanks and hyphens":    {"AB 12", func(s string) string { return " a-b 12 " + s[:1] + "-" + s[1:] }, true},
		"with the code's own signs":  {"0189", func(s string) string { return "0189" + s }, true},
		"the code alone":             {"ab12", func(s string) string { return s }, false},
		"the own part alone":         {"ab12", func(string) string { return "ab12" }, false},
		"the own part twice":         {"ab12", func(string) string { return "ab12ab1" }, false},
		"the other way round":        {"ab12", func(s string) string { return s + "ab12" }, false},
		"another own part":           {"ab12", func(s string) string { return "ab13" + s }, false},
		"a look-alike of it":         {"ab10", func(s string) string { return "abio" + s }, false},
		"another code":               {"ab12", func(s string) string { return "ab12" + otherThan(s) }, false},
		"longer":                     {"ab12", func(s string) string { return "ab12" + s + "A" }, false},
		"no part chosen":             {"", func(s string) string { return s }, true},
		"no part chosen, one typed":  {"", func(s string) string { return "ab12" + s }, false},
		"no part chosen, zeros":      {"", func(s string) string { return "0000" + s }, false},
		"nothing":                    {"ab12", func(string) string { return "" }, false},
		"in full width, as is typed": {"ab12", func(s string) string { return "ａｂ１２" + s }, true},
	} {
		t.Run(name, func(t *testing.T) {
			k.clock.Add(24 * time.Hour) // forgives the failure before
			require.NoError(t, k.Rebind(t.Context(), ana, seenAtDesk))
			var id, sent string
			if tc.own == "" {
				req, err := k.Request(t.Context(), ana, filing, toAna())
				require.NoError(t, err)
				k.clock.Add(time.Minute)
				require.NoError(t, k.out.Flush(t.Context()))
				id, sent = req.ID, k.last()
			} else {
				id, sent = ask(tc.own)
			}
			err := k.verify(t, id, tc.typed(sent))
			if tc.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, otp.ErrRefused)
		})
	}
	for _, own := range []string{"abc", "abcde", "ab+2", "añ12", " - "} {
		o := toAna()
		o.Joined = civicpin.NewSecret(own)
		_, err := k.Request(t.Context(), ana, filing, o)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
		require.NotContains(t, err.Error(), own)
	}
	plain, err := otp.PlainCodes(t.Context(), k.Codes)
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(plain), "ab12", "the chosen part is nowhere, even under the seal")
	o := toAna()
	o.Joined = civicpin.NewSecret("ab12")
	_, err = newCodeKit(t, sms()).Request(t.Context(), ana, filing, o)
	require.ErrorIs(t, err, civicpin.ErrInvalid, "a policy without one takes none")
}

func TestWhichContact(t *testing.T) {
	voice := civicpin.Contact{Channel: civicpin.Voice, Address: "+34910000000"}
	mail := civicpin.Contact{Channel: civicpin.Email, Address: "ana@example.org"}
	broken := civicpin.Contact{Channel: civicpin.Push}
	for name, tc := range map[string]struct {
		to   []civicpin.Contact
		want civicpin.Contact
	}{
		"push first":           {[]civicpin.Contact{voice, bySMS, byApp}, byApp},
		"else a text message":  {[]civicpin.Contact{mail, voice, bySMS}, bySMS},
		"what cannot be":       {[]civicpin.Contact{broken, bySMS}, bySMS},
		"none that is allowed": {[]civicpin.Contact{mail}, civicpin.Contact{}},
		"none that can be":     {[]civicpin.Contact{broken}, civicpin.Contact{}},
		"none":                 {nil, civicpin.Contact{}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: tc.to})
			require.NoError(t, err)
			require.NoError(t, k.out.Flush(t.Context()))
			k.clock.Add(5 * time.Minute)
			require.NoError(t, k.out.Flush(t.Context()))
			if tc.want.Channel == "" {
				require.Empty(t, k.mail.Messages())
				require.Equal(t, map[string]int{"no contact": 1}, reasons(k.events, civicpin.EventCode("otp.code_requested")))
				require.ErrorIs(t, k.verify(t, req.ID, "123456"), otp.ErrRefused)
				return
			}
			require.Equal(t, tc.want, k.mail.Messages()[0].To)
		})
	}
}

func TestMaskedDestination(t *testing.T) {
	p := otp.ClavePIN()
	p.Decoys = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600000000"}}
	k := newCodeKit(t, unlimited(p))
	ask := func(subject civicpin.Subject, to ...civicpin.Contact) string {
		req, err := k.Request(t.Context(), subject, filing, otp.RequestOptions{To: to})
		require.NoError(t, err)
		return req.To
	}
	require.Equal(t, "+34******222", ask(ana, bySMS))
	require.Equal(t, "***", ask(ana, byApp))
	first := ask("NOBODY")
	require.Regexp(t, `^\+34\*{6}\d{3}$`, first)
	require.Equal(t, first, ask("NOBODY"), "the same every time")
	seen := make(map[string]bool)
	for _, s := range []civicpin.Subject{"A", "B", "C", "D", "E", "F", "G", "H"} {
		seen[ask(s)] = true
	}
	require.Greater(t, len(seen), 4)

	p.Name, p.Channels = "mail", []civicpin.Channel{civicpin.Email, civicpin.Push}
	p.Decoys = []civicpin.Contact{{Channel: civicpin.Email, Address: "x@example.org"}, byApp}
	p.Exceptions = testkit.Except(p.Breaks())
	k = newCodeKit(t, unlimited(p))
	seen = make(map[string]bool)
	for i := range 200 {
		seen[ask(civicpin.Subject(strings.Repeat("N", i+1)))] = true
	}
	require.True(t, seen["***"], "each of the decoys")
	require.Greater(t, len(seen), 20)
	for masked := range seen {
		require.Regexp(t, `^(\*{3}|[a-z]\*{3}@example\.org)$`, masked)
	}
}

func TestRequestRefuses(t *testing.T) {
	k := newCodeKit(t, sms())
	many := make(map[string]string)
	for i := range 9 {
		many[strings.Repeat("k", i+1)] = "v"
	}
	for name, tc := range map[string]struct {
		subject civicpin.Subject
		purpose otp.Purpose
		params  map[string]string
	}{
		"no subject":          {"", filing, nil},
		"no act":              {ana, otp.Purpose{Digest: []byte("x")}, nil},
		"a long act":          {ana, otp.Purpose{Act: strings.Repeat("a", 65)}, nil},
		"an act of two lines": {ana, otp.Purpose{Act: "a\nb"}, nil},
		"not UTF-8":           {ana, otp.Purpose{Act: "\xff"}, nil},
		"a long digest":       {ana, otp.Purpose{Act: "a", Digest: make([]byte, 65)}, nil},
		"many parameters":     {ana, filing, many},
		"a long parameter":    {ana, filing, map[string]string{"act": strings.Repeat("a", 257)}},
		"one of two lines":    {ana, filing, map[string]string{"act": "a\nb"}},
		"one without a name":  {ana, filing, map[string]string{"": "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := toAna()
			o.Params = tc.params
			req, err := k.Request(t.Context(), tc.subject, tc.purpose, o)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			require.Zero(t, req)
			if tc.params == nil {
				require.ErrorIs(t, k.Verify(t.Context(), tc.subject, tc.purpose, badID, civicpin.Secret{}, home), civicpin.ErrInvalid)
			}
		})
	}
	for _, id := range []string{"", "A", strings.Repeat("A", 27), strings.Repeat("a", 26), strings.Repeat("A", 25) + "\x00"} {
		require.ErrorIs(t, k.verify(t, id, "123456"), civicpin.ErrInvalid)
		require.ErrorIs(t, k.Resend(t.Context(), ana, id, home), civicpin.ErrInvalid)
		require.ErrorIs(t, k.Cancel(t.Context(), ana, id, desk), civicpin.ErrInvalid)
	}
	require.ErrorIs(t, k.Cancel(t.Context(), ana, badID, ""), civicpin.ErrInvalid)
	_, err := k.Pending(t.Context(), "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.Zero(t, k.failures(t))
}

// The count of a citizen is kept until they succeed, also if the guess names a request that is not there, or one that leads
// nowhere because they have no telephone any more; a stranger's is forgotten after a month.
func TestWhoseCountIsForgotten(t *testing.T) {
	inVain := func(t *testing.T, k *codeKit) string {
		req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{})
		require.NoError(t, err)
		return req.ID
	}
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, k *codeKit) (id string) // to guess at
		kept    bool
	}{
		"a stranger's":          {func(*testing.T, *codeKit) string { return badID }, false},
		"one who asked in vain": {inVain, false},
		"who asked, and guesses at another": {func(t *testing.T, k *codeKit) string {
			inVain(t, k)
			return badID
		}, false},
		"a citizen's": {func(t *testing.T, k *codeKit) string {
			req, _ := k.asked(t)
			return req.ID
		}, true},
		"who guesses at what is not there": {func(t *testing.T, k *codeKit) string {
			k.asked(t)
			return badID
		}, true},
		"and years later": {func(t *testing.T, k *codeKit) string {
			k.asked(t)
			k.clock.Add(10000 * time.Hour)
			return badID
		}, true},
		"who lost the telephone": {func(t *testing.T, k *codeKit) string {
			k.asked(t)
			return inVain(t, k)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			require.ErrorIs(t, k.verify(t, tc.prepare(t, k), "wrong"), otp.ErrRefused)
			require.Equal(t, 1, k.failures(t))
			k.clock.Add(60 * 24 * time.Hour)
			require.Equal(t, tc.kept, k.failures(t) == 1)
		})
	}
}

// unlimited takes send limits out of the way of tests that are about something else.
func unlimited(p otp.CodePolicy) otp.CodePolicy {
	p.Sends = testkit.Wide
	return p
}

// The documentation of the ready policies states these.
func TestReadyCodePoliciesAsDocumented(t *testing.T) {
	p := otp.SMS()
	require.NoError(t, p.Validate())
	require.Empty(t, p.Breaks())
	require.Equal(t, civicpin.Push, p.Channels[0], "the restricted channels come last")
	require.Equal(t, []any{"0123456789", 6, 10 * time.Minute, 5, 0}, []any{p.Alphabet, p.Length, p.Valid, p.Tries, p.Joined})
	alone, joined := p.GuessProbability()
	require.InEpsilon(t, 1e-4, alone, 1e-9)
	require.InDelta(t, alone, joined, 0)

	p = otp.ClavePIN()
	require.NoError(t, p.Validate())
	require.Equal(t, []any{32, 3, 10 * time.Minute, 3, 4}, []any{len(p.Alphabet), p.Length, p.Valid, p.Tries, p.Joined})
	require.Empty(t, strings.Trim(p.Alphabet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "no 0, 1, 8 and 9")
	require.InDelta(t, 32768, math.Pow(float64(len(p.Alphabet)), float64(p.Length)), 0, "15 bits")
	require.InDelta(t, 10923, 32768.0/float64(p.Tries), 0.5)
	alone, joined = p.GuessProbability()
	require.InEpsilon(t, 1/1638.4, alone, 1e-9)
	require.InDelta(t, 4.7e-7, joined, 0.05e-7)
	for i := range p.Exceptions {
		one := p
		one.Exceptions = slices.Delete(slices.Clone(p.Exceptions), i, i+1)
		require.ErrorIs(t, one.Validate(), otp.ErrInvalidPolicy, "only by named exceptions")
	}
}

func TestCodePolicyDefaults(t *testing.T) {
	k := newCodeKit(t, otp.SMS())
	p := k.Policy()
	require.Equal(t, 3, p.MaxPending)
	p.Channels[0] = "changed"
	require.Equal(t, civicpin.Push, k.Policy().Channels[0], "a copy")
}

func TestCodePolicyValidate(t *testing.T) {
	const mail = civicpin.CertifiedEmail
	kiosk := []civicpin.Channel{"kiosk"}
	only, mailed := []civicpin.Channel{mail}, []civicpin.Exception{{Clause: "SP 800-63B-4 3.1.3.1", Reason: "a test"}}
	for name, tc := range map[string]struct {
		change func(*otp.CodePolicy)
		ok     bool
	}{
		"unchanged":                    {func(*otp.CodePolicy) {}, true},
		"zero":                         {func(p *otp.CodePolicy) { *p = otp.CodePolicy{} }, false},
		"no name":                      {func(p *otp.CodePolicy) { p.Name = "" }, false},
		"a blank in the name":          {func(p *otp.CodePolicy) { p.Name = "a b" }, false},
		"a slash in the name":          {func(p *otp.CodePolicy) { p.Name = "a/b" }, false},
		"a name of 40":                 {func(p *otp.CodePolicy) { p.Name = strings.Repeat("n", 40) }, true},
		"a name of 41":                 {func(p *otp.CodePolicy) { p.Name = strings.Repeat("n", 41) }, false},
		"no alphabet":                  {func(p *otp.CodePolicy) { p.Alphabet = "" }, false},
		"a symbol twice":               {func(p *otp.CodePolicy) { p.Alphabet = "0123456789A0" }, false},
		"twelve characters":            {func(p *otp.CodePolicy) { p.Length = 12 }, true},
		"thirteen":                     {func(p *otp.CodePolicy) { p.Length = 13 }, false},
		"five digits":                  {func(p *otp.CodePolicy) { p.Length, p.Lockout.Ceiling, p.Lockout.Reserve = 5, 5, 0 }, false},
		"five digits by exception":     {func(p *otp.CodePolicy) { p.Length = 5; p.Exceptions = testkit.Except(p.Breaks()) }, true},
		"two by exception":             {func(p *otp.CodePolicy) { p.Length = 2; p.Exceptions = testkit.Except(p.Breaks()) }, false},
		"above NIST's ceiling":         {func(p *otp.CodePolicy) { p.Lockout.Ceiling = 101 }, false},
		"above it by exception":        {func(p *otp.CodePolicy) { p.Lockout.Ceiling = 101; p.Exceptions = testkit.Except(p.Breaks()) }, false},
		"no lock":                      {func(p *otp.CodePolicy) { p.Lockout.Lock = "" }, false},
		"devices that none remembers":  {func(p *otp.CodePolicy) { p.Lockout.Reserve, p.Lockout.Devices = 0, 2 }, false},
		"no limit":                     {func(p *otp.CodePolicy) { p.Lockout.Limit = 0 }, false},
		"negative own part":            {func(p *otp.CodePolicy) { p.Joined = -1 }, false},
		"own part of eight":            {func(p *otp.CodePolicy) { p.Joined = 8 }, true},
		"own part of nine":             {func(p *otp.CodePolicy) { p.Joined = 9 }, false},
		"own part and punctuation":     {func(p *otp.CodePolicy) { p.Joined, p.Alphabet = 4, "0123456789+" }, false},
		"punctuation alone":            {func(p *otp.CodePolicy) { p.Alphabet = "0123456789+" }, true},
		"own part and lower case":      {func(p *otp.CodePolicy) { p.Joined, p.Alphabet = 4, "abcdefghijk" }, true},
		"valid for a minute":           {func(p *otp.CodePolicy) { p.Valid = time.Minute }, true},
		"valid for less":               {func(p *otp.CodePolicy) { p.Valid = time.Minute - 1 }, false},
		"valid for longer":             {func(p *otp.CodePolicy) { p.Valid = 10*time.Minute + 1 }, false},
		"by e-mail":                    {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, mail) }, false},
		"by e-mail by exception":       {func(p *otp.CodePolicy) { p.Channels, p.Exceptions = append(p.Channels, mail), mailed }, true},
		"eleven minutes by e-mail":     {func(p *otp.CodePolicy) { p.Valid, p.Channels, p.Exceptions = 11*time.Minute, only, mailed }, false},
		"no e-mail by exception":       {func(p *otp.CodePolicy) { p.Exceptions = mailed }, false},
		"no channel":                   {func(p *otp.CodePolicy) { p.Channels = nil }, false},
		"an unknown channel":           {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, "psuh") }, false},
		"one of one's own":             {func(p *otp.CodePolicy) { p.Channels, p.OwnChannels = append(p.Channels, "kiosk"), kiosk }, true},
		"an empty channel":             {func(p *otp.CodePolicy) { p.Channels = []civicpin.Channel{""} }, false},
		"a channel twice":              {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, civicpin.SMS) }, false},
		"letters":                      {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, civicpin.Letter) }, false},
		"no tries":                     {func(p *otp.CodePolicy) { p.Tries = 0 }, false},
		"as many tries as the ceiling": {func(p *otp.CodePolicy) { p.Tries = 100 }, true},
		"more":                         {func(p *otp.CodePolicy) { p.Tries = 101 }, false},
		"negative pending":             {func(p *otp.CodePolicy) { p.MaxPending = -1 }, false},
		"ten pending":                  {func(p *otp.CodePolicy) { p.MaxPending = 10 }, true},
		"eleven pending":               {func(p *otp.CodePolicy) { p.MaxPending = 11 }, false},
		"a bad rate of sends":          {func(p *otp.CodePolicy) { p.Sends = civicpin.Rate{Limit: 1} }, false},
		"a decoy":                      {func(p *otp.CodePolicy) { p.Decoys = []civicpin.Contact{bySMS} }, true},
		"a decoy that is none":         {func(p *otp.CodePolicy) { p.Decoys = []civicpin.Contact{{Channel: civicpin.SMS}} }, false},
		"a decoy on no channel": {func(p *otp.CodePolicy) {
			p.Decoys = []civicpin.Contact{{Channel: civicpin.Email, Address: "a@example.org"}}
		}, false},
		"seventeen decoys": {func(p *otp.CodePolicy) {
			for range 17 {
				p.Decoys = append(p.Decoys, bySMS)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			tc.change(&p)
			_, newErr := otp.NewCodes(testkit.Outbox(t, newVault(t), &testkit.Mailbox{}, testkit.Fitting(p.Sends)), p)
			if tc.ok {
				require.NoError(t, p.Validate())
				require.NoError(t, newErr)
				return
			}
			require.ErrorIs(t, p.Validate(), otp.ErrInvalidPolicy)
			require.ErrorIs(t, newErr, otp.ErrInvalidPolicy)
		})
	}
	_, err := otp.NewCodes(nil, otp.SMS())
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// What a policy breaks is told with the clause, the field, its value and what to set.
func TestCodePolicyBreaks(t *testing.T) {
	p := otp.SMS()
	p.Channels, p.Length = append(p.Channels, civicpin.Email), 5
	require.Equal(t, []civicpin.Breach{
		{Clause: "SP 800-63B-4 3.1.3.1", Field: "Channels[3]", Value: "email", Set: "no mailbox"},
		{Clause: "SP 800-63B-4 3.1.3.2", Field: "Length", Value: "5, 16.6 bits", Set: "what has 20 bits"},
		{Clause: "guess budget", Field: "Length", Value: "5, a chance of 1.0e-03 to guess it", Set: "what leaves at most 1e-04"},
	}, p.Breaks())
	require.Equal(t, p.Breaks()[0], testkit.As[civicpin.Breach](t, p.Validate()))
	nine := otp.SMS()
	nine.Alphabet = "123456789"
	require.Equal(t, []civicpin.Breach{
		{Clause: "SP 800-63B-4 3.1.3.2", Field: "Length", Value: "6, 19.0 bits", Set: "what has 20 bits"},
		{Clause: "guess budget", Field: "Length", Value: "6, a chance of 1.9e-04 to guess it", Set: "what leaves at most 1e-04"},
	}, nine.Breaks(), "a little above the budget")
	keys := []civicpin.Breach{{
		Clause: "guess budget", Field: "Digits", Value: "6, a chance of 2.0e-03 to guess it", Set: "what leaves at most 1e-03",
	}}
	require.Equal(t, keys, otp.HOTPPolicy{LookAhead: 19}.Breaks())
	require.Equal(t, keys, otp.TOTPPolicy{Back: 9, MaxDrift: otp.None, Lockout: lockout.Policy{Ceiling: 91}}.Breaks())
	require.Empty(t, otp.HOTPPolicy{}.Breaks())
	require.Empty(t, otp.TOTPPolicy{}.Breaks())
	p.Exceptions = testkit.Except(p.Breaks())
	require.NoError(t, p.Validate())
	p.Length = 6
	require.ErrorContains(t, p.Validate(), `Exceptions[1].Clause "SP 800-63B-4 3.1.3.2" is not broken: remove the exception`)
}

// An outbox whose addresses get fewer messages than a subject may ask for is refused.
func TestCodesFitTheOutbox(t *testing.T) {
	few := outbox.Limits{Proved: civicpin.Rate{Limit: 1, Window: time.Hour}}
	_, err := otp.NewCodes(testkit.Outbox(t, newVault(t), &testkit.Mailbox{}, few), otp.SMS())
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.ErrorContains(t, err, "raise Options.Limits.Proved")
}

func TestCodePolicyJSON(t *testing.T) {
	p := otp.ClavePIN()
	p.Decoys = []civicpin.Contact{bySMS, byApp}
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN(), p} {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		back, err := otp.ParseCodePolicy(text)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	text, err := json.Marshal(otp.SMS())
	require.NoError(t, err)
	require.Contains(t, string(text), `"valid":"10m"`)
	require.Contains(t, string(text), `"channels":["push","sms","voice"]`)
	for name, bad := range map[string]string{
		"empty":            "",
		"null":             "null",
		"an unknown field": strings.Replace(string(text), `"tries"`, `"tires"`, 1),
		"a field twice":    strings.Replace(string(text), `"tries"`, `"tries":5,"tries"`, 1),
		"a channel":        strings.Replace(string(text), `"sms","voice"`, `"sms","void"`, 1),
		"not valid":        strings.Replace(string(text), `"length":6`, `"length":4`, 1),
		"something behind": string(text) + "{}",
	} {
		require.NotEqual(t, string(text), bad)
		p, err := otp.ParseCodePolicy([]byte(bad))
		require.ErrorIs(t, err, otp.ErrInvalidPolicy, name)
		require.Zero(t, p)
	}
}

func FuzzParseCodePolicy(f *testing.F) {
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN(), {}} {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"name":"x","channels":["sms"],"decoys":[{"channel":"sms","address":"+34600000000"}],"valid":"1h30m"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := otp.ParseCodePolicy(text)
		if err != nil {
			require.ErrorIs(t, err, otp.ErrInvalidPolicy)
			require.Zero(t, p)
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := otp.ParseCodePolicy(again)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}

// chiSquared fails the test if the cells, which should all be as full, differ by more than chance makes them once in a
// million runs. The bound is Wilson and Hilferty's for 5.6 standard deviations.
func chiSquared(t *testing.T, name string, cells []int) {
	t.Helper()
	n := 0
	for _, c := range cells {
		n += c
	}
	want, chi := float64(n)/float64(len(cells)), 0.0
	for _, c := range cells {
		chi += (float64(c) - want) * (float64(c) - want) / want
	}
	df := float64(len(cells) - 1)
	bound := func(z float64) float64 { return df * math.Pow(1-2/(9*df)+z*math.Sqrt(2/(9*df)), 3) }
	t.Logf("%s: chi-squared %.0f with %.0f degrees of freedom", name, chi, df)
	require.Less(t, chi, bound(5.6), name)
	require.Greater(t, chi, bound(-5.6), "%s: more even than chance", name)
}

// The codes of a million requests are even: each place, each pair of neighbours, and, where there are few enough, each code. A
// remainder of a byte by ten, the usual mistake, is off by 4 in 100 and fails by far.
func TestCodesAreEven(t *testing.T) {
	const draws = 1_000_000
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN()} {
		k := newCodeKit(t, p)
		a := len(p.Alphabet)
		places := make([][]int, p.Length)
		pairs := make([][]int, p.Length-1)
		for i := range places {
			places[i] = make([]int, a)
		}
		for i := range pairs {
			pairs[i] = make([]int, a*a)
		}
		whole := make([]int, a*a*a) // of the last three, which are all of Cl@ve's
		for range draws {
			sent := otp.DrawCode(k.Codes)
			if len(sent) != p.Length {
				t.Fatal("a code of another length")
			}
			cell := 0
			for i := range p.Length {
				s := strings.IndexByte(p.Alphabet, sent[i])
				places[i][s]++
				cell = (cell*a + s) % len(whole)
				if i > 0 {
					pairs[i-1][cell%(a*a)]++
				}
			}
			whole[cell]++
		}
		for i := range places {
			chiSquared(t, p.Name+", a place", places[i])
		}
		for i := range pairs {
			chiSquared(t, p.Name+", a pair", pairs[i])
		}
		chiSquared(t, p.Name+", the last three", whole)
	}
}

func TestBackupCodesAreEven(t *testing.T) {
	b := newBackupKit(t)
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	cells := make([]int, len(alphabet))
	seen := make(map[string]bool)
	for range 70_000 { // a million symbols
		text := b.Draw()
		for i := range text {
			cells[strings.IndexByte(alphabet, text[i])]++
		}
		seen[text] = true
	}
	require.Len(t, seen, 70_000, "75 bits do not meet again")
	chiSquared(t, "backup", cells)
}

// FuzzCodeNormalise: what Verify compares is either nothing, or made of the symbols that can be right, in their number; it is
// its own normal form, and what was sent is in it.
func FuzzCodeNormalise(f *testing.F) {
	for _, s := range []string{
		"", "123456", "123 456", "ab12K7P", "AB-12 k7p", "k7p", "０１２３ABC", "l0l0 OIO", "\xff", "ß", "ﷺ", "ab1２K7P",
	} {
		f.Add(s)
	}
	digits, clave := newCodeKit(f, otp.SMS()), newCodeKit(f, otp.ClavePIN())
	const own = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	f.Fuzz(func(t *testing.T, typed string) {
		for _, k := range []*codeKit{digits, clave} {
			p := k.policy
			got := otp.NormaliseCode(k.Codes, typed)
			switch len(got) {
			case 0:
				continue
			case p.Length:
				require.Empty(t, strings.Trim(got, p.Alphabet))
			default:
				require.Len(t, got, p.Joined+p.Length)
				require.Empty(t, strings.Trim(got[:p.Joined], own))
				require.Empty(t, strings.Trim(got[p.Joined:], p.Alphabet))
			}
			require.Equal(t, got, otp.NormaliseCode(k.Codes, got))
			require.Equal(t, got, otp.NormaliseCode(k.Codes, " "+strings.ToLower(got)+"-"))
		}
		sent := otp.DrawCode(clave.Codes)
		require.Equal(t, sent, otp.NormaliseCode(clave.Codes, sent))
		if len(typed) == 4 && strings.Trim(typed, own) == "" {
			require.Equal(t, typed+sent, otp.NormaliseCode(clave.Codes, typed+sent))
		}
	})
}

// Backup codes are good however they are typed.
func TestBackupCodeAsTyped(t *testing.T) {
	k := newBackupKit(t)
	printed, err := k.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	misread := strings.NewReplacer("0", "o", "1", "l", " ", "-")
	for i, code := range printed {
		require.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{5} [0-9A-HJKMNP-TV-Z]{5} [0-9A-HJKMNP-TV-Z]{5}$`, code.Reveal())
		text := code.Reveal()
		switch i % 3 {
		case 1:
			text = strings.ToLower(misread.Replace(text))
		case 2:
			text = strings.ReplaceAll(text, " ", "")
		}
		require.NoError(t, k.Verify(t.Context(), ana, civicpin.NewSecret(text), home))
	}
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
		require.NoError(t, tc.most, name)
		require.ErrorIs(t, tc.more, civicpin.ErrInvalid, name)
	}
}

// TestShortestJoinedPart: one character is typed in front of the code, and no other one.
func TestShortestJoinedPart(t *testing.T) {
	p := unlimited(otp.ClavePIN())
	p.Joined = 1
	k := newCodeKit(t, p)
	req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: toAna().To, Joined: civicpin.NewSecret("a")})
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	for _, typed := range []string{"b", ""} {
		require.ErrorIs(t, k.verify(t, req.ID, typed+k.last()), otp.ErrRefused)
	}
	require.NoError(t, k.verify(t, req.ID, "A"+k.last()))
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

// TestDeliveryOfCodes: the outbox is given a message that the code waits for, until it is told that it was sent.
func TestDeliveryOfCodes(t *testing.T) {
	w := after(hasCode)(t, store.NewMemory())
	req, err := w.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	d := otp.DeliveryOf(w.Codes)
	ref := func(id string) outbox.Ref { return outbox.Ref{Subject: ana, ID: id} }
	for id, want := range map[string]error{
		req.ID + ".1": nil, req.ID + ".2": outbox.ErrWithdrawn, req.ID: outbox.ErrWithdrawn, req.ID + ".x": outbox.ErrWithdrawn,
		badID + ".1": outbox.ErrWithdrawn, w.req.ID + ".1": outbox.ErrWithdrawn, // that one was sent
	} {
		m, err := d.Confirm(t.Context(), ref(id))
		require.ErrorIs(t, err, want, id)
		require.Equal(t, want == nil, m.Secret.Reveal() != "", id)
	}
	require.ErrorIs(t, d.Settle(t.Context(), ref(req.ID), outbox.Outcome{}), outbox.ErrWithdrawn)
	for _, id := range []string{req.ID + ".2", badID + ".1"} {
		require.NoError(t, d.Settle(t.Context(), ref(id), outbox.Outcome{}), id)
	}
	for _, failed := range []bool{true, false} {
		require.NoError(t, testkit.Err(d.Confirm(t.Context(), ref(req.ID+".1"))))
		require.NoError(t, d.Settle(t.Context(), ref(req.ID+".1"), outbox.Outcome{Failed: failed}))
	}
	require.ErrorIs(t, testkit.Err(d.Confirm(t.Context(), ref(req.ID+".1"))), outbox.ErrWithdrawn)
}
