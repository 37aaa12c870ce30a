package recoveryrun_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
)

const anHour = time.Hour

// resting is a run that rests since now, of which the contacts on some channels are told.
func resting(r recoveryrun.Record, to ...contact.Recipient) recoveryrun.Record {
	r.State, r.Known, r.Started, r.Expires = recoveryrun.Open, true, now, now.Add(100*anHour)
	n := r.Notices(to, id, waiting, now.Add(73*anHour), r.Expires, func(c civicpin.Channel) bool { return c != civicpin.SMS })
	r.Begin(n, now.Add(73*anHour), now)
	return r
}

// since is an established contact since a time.
func since(name string, channel civicpin.Channel, at time.Time) contact.Recipient {
	c := told(name, channel, true)
	c.Since = at
	return c
}

// A rest can rely on contacts that proved something before the run began, that the visitor neither proved nor gave, and from
// which an objection comes in time. It leads nowhere until a provider took over the notice to one of them.
func TestARestReliesOn(t *testing.T) {
	first := since("first", civicpin.Email, now)
	given := letter.Given(first.Contact)
	for name, tc := range map[string]struct {
		run   recoveryrun.Record
		to    contact.Recipient
		leads bool
	}{
		"an old contact":              {recoveryrun.Record{}, first, true},
		"one that came since":         {recoveryrun.Record{}, since("new", civicpin.Email, now.Add(1)), false},
		"one that is none, or cools":  {recoveryrun.Record{}, told("cooling", civicpin.Email, false), false},
		"one that went":               {recoveryrun.Record{}, told("gone", civicpin.Email, true), false},
		"one on paper":                {recoveryrun.Record{}, since("paper", civicpin.Letter, now), false},
		"one out of reach":            {recoveryrun.Record{}, since("phone", civicpin.SMS, now), false},
		"one that was read":           {recoveryrun.Record{Read: []letter.Contact{letter.Stored(first.Contact)}}, first, false},
		"one read on another channel": {recoveryrun.Record{Read: []letter.Contact{{Channel: "other", Address: "FIRST@example.ec"}}}, first, false},
		"one that was given":          {recoveryrun.Record{Correct: &given}, first, false},
		"another one was read":        {recoveryrun.Record{Read: []letter.Contact{rosa}}, first, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := resting(tc.run, tc.to)
			require.False(t, r.Leads(), "before it is heard of")
			r.Settle("n0-0", false, now.Add(anHour))
			require.Equal(t, tc.leads, r.Leads())
			if tc.leads {
				r.Proved(letter.Stored(tc.to.Contact))
				require.False(t, r.Leads(), "the visitor read at that address later")
			}
		})
	}
	require.True(t, (&recoveryrun.Record{Known: true}).Leads(), "it does not rest")
	require.False(t, (&recoveryrun.Record{}).Leads())
}

// A notice counts if it was taken over within the hour, and for each rest anew.
func TestARestIsHeardOf(t *testing.T) {
	one, two := since("one", civicpin.Email, now), since("two", civicpin.CertifiedEmail, now)
	for name, tc := range map[string]struct {
		settle func(r *recoveryrun.Record)
		leads  bool
	}{
		"at the last moment": {func(r *recoveryrun.Record) { r.Settle("n0-1", false, now.Add(anHour)) }, true},
		"too late":           {func(r *recoveryrun.Record) { r.Settle("n0-1", false, now.Add(anHour+1)) }, false},
		"given up":           {func(r *recoveryrun.Record) { r.Settle("n0-1", true, now) }, false},
		"given up, and sent after all": {func(r *recoveryrun.Record) {
			r.Settle("n0-1", true, now)
			r.Settle("n0-1", false, now.Add(anHour))
		}, true},
		"one of two": {func(r *recoveryrun.Record) {
			r.Settle("n0-0", true, now)
			r.Settle("n0-1", false, now)
		}, true},
		"bounced": {func(r *recoveryrun.Record) {
			r.Settle("n0-1", false, now)
			r.Settle("n0-1", true, now.Add(50*anHour))
		}, false},
		"bounced, and sent again": {func(r *recoveryrun.Record) {
			r.Settle("n0-1", false, now)
			r.Settle("n0-1", true, now)
			r.Settle("n0-1", false, now)
		}, false},
		"another rest": {func(r *recoveryrun.Record) {
			r.Settle("n0-1", false, now)
			r.Step = 2
			r.Begin(r.Notices([]contact.Recipient{one}, id, waiting, now, now, anywhere), now, now)
		}, false},
		"each rest": {func(r *recoveryrun.Record) {
			r.Settle("n0-1", false, now)
			r.Step = 2
			r.Begin(r.Notices([]contact.Recipient{one}, id, waiting, now, now, anywhere), now, now)
			r.Settle("n2-0", false, now)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := resting(recoveryrun.Record{}, one, two)
			tc.settle(&r)
			require.Equal(t, tc.leads, r.Leads())
		})
	}
}

// A watch names one run at a time, and none for seven days after an objection; but staff's do. The record is kept as long.
func TestWatch(t *testing.T) {
	var w recoveryrun.Watch
	visitors, staffs := &recoveryrun.Record{By: civicpin.Citizen}, &recoveryrun.Record{By: civicpin.Operator("eva")}
	none, first := &recoveryrun.Record{}, resting(recoveryrun.Record{})
	end := now.Add(73 * anHour)
	require.Zero(t, w.Take(id, visitors, none, end, now))
	require.Equal(t, end, w.Keep())
	require.Equal(t, first.Expires, w.Take("second", visitors, &first, end.Add(1), now))
	require.True(t, w.Names(id, &first))
	require.True(t, w.Names("second", none), "it has not rested")
	require.Equal(t, id, w.Run)
	require.Zero(t, w.Take(id, visitors, &first, end.Add(2), now), "the same once more")
	require.Zero(t, w.Take("second", staffs, &first, end.Add(1), now))
	require.Equal(t, "second", w.Run)
	require.False(t, w.Names(id, &first), "staff's took its place")
	require.Zero(t, w.Take(id, visitors, none, end, now))
	require.Zero(t, w.Take(id, &first, none, end, now))
	require.Equal(t, first.Expires, w.Keep(), "it can be completed until then")

	w.Object(now)
	require.Empty(t, w.Run)
	require.False(t, w.Names(id, &first))
	week := now.Add(recoveryrun.ObjectionTime)
	require.Equal(t, week, w.Keep())
	require.Equal(t, week, w.Take(id, visitors, none, end, now))
	require.Equal(t, week, w.Take(id, visitors, none, end, week.Add(-1)))
	require.Empty(t, w.Run)
	require.Zero(t, w.Take(id, staffs, none, end, now))
	require.Zero(t, w.Take(id, visitors, none, week.Add(anHour), week))
	require.Equal(t, week.Add(anHour), w.Keep())

	w.Object(now.Add(1000 * anHour)) // by a clock that was ahead
	correct := recoveryrun.CorrectWatch[recoveryrun.Watch]([]plan.Plan{{Steps: []plan.Step{plan.Wait{For: 72 * anHour}}}})
	require.True(t, correct(&w, now))
	require.Equal(t, week, w.Take(id, visitors, none, end, now))
	require.Equal(t, week, w.Keep())
	w = recoveryrun.Watch{Run: id, Until: now.Add(1000 * anHour)}
	require.True(t, correct(&w, now))
	require.Equal(t, now.Add(74*anHour), w.Keep())
	w.Object(now)
	require.False(t, correct(&w, now.Add(-20*anHour)), "by a clock that is behind")
}

// A run that is watched keeps a later one from resting until it ends, unless another act upon the subject has ended it.
func TestBlocks(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(r, later *recoveryrun.Record)
		at     time.Duration
		want   bool
	}{
		"it rests":                  {func(_, _ *recoveryrun.Record) {}, 0, true},
		"it has rested":             {func(_, _ *recoveryrun.Record) {}, 73 * anHour, true},
		"to the last":               {func(_, _ *recoveryrun.Record) {}, 100*anHour - 1, true},
		"it is over":                {func(_, _ *recoveryrun.Record) {}, 100 * anHour, false},
		"it goes on, or will rest":  {func(r, _ *recoveryrun.Record) { r.Rests = time.Time{} }, 0, true},
		"it ended":                  {func(r, _ *recoveryrun.Record) { r.Close(recoveryrun.Cancelled) }, 0, false},
		"a secret was set since":    {func(_, later *recoveryrun.Record) { later.Epoch.Run++ }, 0, false},
		"a contact went since":      {func(_, later *recoveryrun.Record) { later.Book.Run++ }, 0, false},
		"a secret was set after it": {func(r, _ *recoveryrun.Record) { r.Epoch.Run++ }, 0, true},
	} {
		r, later := resting(recoveryrun.Record{}), recoveryrun.Record{}
		tc.change(&r, &later)
		require.Equal(t, tc.want, r.Blocks(&later, now.Add(tc.at)), name)
	}
}

// So many codes are compared in a run, and over all runs of a subject nearly as many as the ceiling lets.
func TestTries(t *testing.T) {
	var r recoveryrun.Record
	for _, want := range []int{2, 1, 0} {
		left, err := r.Try(3)
		require.NoError(t, err)
		require.Equal(t, want, left)
	}
	_, err := r.Try(3)
	require.ErrorIs(t, err, token.ErrGone)
	require.Equal(t, 3, r.Tries)

	for limit, want := range map[lockout.Policy]int{
		{Limit: 3, Lock: lockout.UntilUnlocked}:                                      90,
		{Limit: 95, Lock: lockout.Timed, For: anHour}:                                95,
		{Limit: 3, Ceiling: 30, Lock: lockout.UntilUnlocked}:                         27,
		{Limit: 3, Ceiling: 3, Lock: lockout.UntilUnlocked}:                          3,
		{Limit: 3, Reserve: 10, Lock: lockout.UntilUnlocked}:                         72,
		{Limit: 3, Lock: lockout.Timed, For: anHour, DelayAfter: 2, Delay: anHour}:   90,
		{Limit: 3, Lock: lockout.UntilUnlocked, Devices: 2, DeviceValid: 9 * anHour}: 90,
	} {
		typed := recoveryrun.Typed(limit)
		require.NoError(t, typed.Validate())
		require.Equal(t, want, typed.Limit)
		require.Equal(t, limit.Lock, typed.Lock)
		require.Zero(t, typed.DelayAfter+typed.Devices)
	}
}

// proved is a contact of before the run, proved at a time; an operator has seen it if that is zero.
func proved(name string, channel civicpin.Channel, at time.Time) contact.Recipient {
	c := since(name, channel, now)
	c.ProvedAt, c.Seen = at, at.IsZero()
	return c
}

// Substantial takes operators, or two possessions of different kinds that the run shows and that were the subject's before it.
func TestKeeps(t *testing.T) {
	const own, post = civicpin.Channel("own-mail"), civicpin.Channel("post")
	early, late := now.Add(-2*anHour), now.Add(-anHour)
	phone, mail := proved("phone", civicpin.SMS, time.Time{}), proved("mail", civicpin.Email, time.Time{})
	pec, came, given := proved("pec", civicpin.CertifiedEmail, time.Time{}), mail, letter.Given(mail.Contact)
	came.Since = now.Add(1)
	type contacts = []contact.Recipient
	for name, tc := range map[string]struct {
		plan  plan.Plan
		read  contacts
		parts contacts
		staff bool
		lost  contacts // read or a part, and the subject's no longer
		want  civicpin.Level
		known time.Time
	}{
		"nothing":                       {want: civicpin.Low},
		"staff":                         {staff: true, want: civicpin.Substantial},
		"staff, and the plan keeps low": {plan: plan.Plan{Keeps: civicpin.Low}, staff: true, want: civicpin.Low},
		"staff, and high":               {plan: plan.Plan{Keeps: civicpin.High}, staff: true, want: civicpin.High},
		"one mailbox":                   {read: contacts{mail}, want: civicpin.Low},
		"two mailboxes":                 {read: contacts{mail, proved("mail2", civicpin.Email, time.Time{})}, want: civicpin.Low},
		"e-mail and certified":          {read: contacts{mail, pec}, want: civicpin.Low},
		"certified, as an exception":    {plan: plan.Plan{Certified: true}, read: contacts{mail, pec}, want: civicpin.Substantial},
		"a mailbox of the caller's own": {plan: plan.Plan{Certified: true}, read: contacts{mail, proved("own", own, late)}, want: civicpin.Low},
		"no kind":                       {read: contacts{mail, proved("post", post, late)}, want: civicpin.Low},
		"two numbers":                   {read: contacts{phone, proved("voice", civicpin.Voice, time.Time{})}, want: civicpin.Low},
		"telephone and mailbox":         {read: contacts{phone, mail}, want: civicpin.Substantial},
		"not more, whatever the plan":   {plan: plan.Plan{Keeps: civicpin.High}, read: contacts{phone, mail}, want: civicpin.Substantial},
		"no more than the plan":         {plan: plan.Plan{Keeps: civicpin.Low}, read: contacts{phone, mail}, want: civicpin.Low},
		"one of them in a part":         {read: contacts{mail}, parts: contacts{phone}, want: civicpin.Substantial},
		"both in parts":                 {parts: contacts{phone, mail}, want: civicpin.Substantial},
		"a letter":                      {parts: contacts{proved("home", civicpin.Letter, late), mail}, want: civicpin.Substantial, known: late},
		"a factor":                      {plan: plan.Plan{Steps: []plan.Step{plan.Factor("app")}}, read: contacts{mail}, want: civicpin.Substantial},
		"two factors": {
			plan: plan.Plan{Steps: []plan.Step{plan.Factor("app"), plan.Factor("codes")}}, want: civicpin.Low,
		},
		"one came since the run began": {read: contacts{phone, came}, want: civicpin.Low},
		"one went":                     {read: contacts{phone}, lost: contacts{mail}, want: civicpin.Low},
		"one cools down":               {read: contacts{phone, told("cooling", civicpin.Email, false)}, want: civicpin.Low},
		"the first of both":            {read: contacts{proved("p", civicpin.SMS, early), proved("m", civicpin.Email, late)}, want: civicpin.Substantial, known: early},
		"the best of a kind": {
			read: contacts{proved("p", civicpin.SMS, early), proved("v", civicpin.Voice, late), mail},
			want: civicpin.Substantial, known: late,
		},
		"the best two kinds": {
			plan: plan.Plan{Certified: true}, read: contacts{proved("p", civicpin.SMS, early), pec, mail}, want: civicpin.Substantial,
		},
	} {
		r := recoveryrun.Record{Started: now}
		if tc.staff {
			r.Approve("operator:agency", now)
		}
		if tc.plan.Keeps == civicpin.NoLevel {
			tc.plan.Keeps = civicpin.Substantial
		}
		var parts []civicpin.Contact
		for _, c := range tc.parts {
			parts = append(parts, c.Contact)
		}
		for _, c := range append(tc.read, tc.lost...) {
			r.Proved(letter.Stored(c.Contact))
		}
		has := append(append(contacts{proved("unread", civicpin.Voice, time.Time{})}, tc.read...), tc.parts...)
		require.Equal(t, proof.Kept{Level: tc.want, Known: tc.known}, r.Keeps(&tc.plan, has, parts, []civicpin.Channel{own}), name)
	}

	// An address that the visitor gave, and read, is none of the subject's.
	r := recoveryrun.Record{Started: now, Correct: &given}
	r.Proved(letter.Stored(mail.Contact))
	r.Proved(letter.Stored(phone.Contact))
	p := plan.Plan{Keeps: civicpin.Substantial}
	require.Equal(t, civicpin.Low, r.Keeps(&p, contacts{phone}, nil, nil).Level)
}
