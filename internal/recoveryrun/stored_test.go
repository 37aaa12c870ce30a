package recoveryrun_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
)

// full is a record with all that there is in one.
func full() recoveryrun.Record {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	return recoveryrun.Record{
		Subject: "1712345678", Plan: "clave", Digest: []byte("plan"), State: recoveryrun.Open,
		Ticket: []byte("ticket"), Tickets: 2, Known: true, Epoch: 3, Book: 4, By: civicpin.Citizen, Source: "192.0.2.1",
		Started: at(0), Expires: at(1), Step: 5, Rests: at(2),
		Asked: []string{"pet"}, Images: []string{"owl", "fox"}, Shown: "r***@example.ec", Named: []letter.Contact{rosa},
		Correct: &letter.Unproved{Channel: civicpin.SMS, Address: "+593991234567", Locale: "es"}, Adopt: true,
		Links: []token.Link{{N: 6, Hash: []byte("link"), Tag: []byte("code"), To: rosa, Expires: at(3)}}, Sends: 7,
		Documents: []recoveryrun.Document{{Kind: "front", Ref: "doc-1", Type: "image/jpeg", Size: 8}},
		Approved:  []recoveryrun.Approval{{By: civicpin.Operator("eva"), At: at(4)}},
		Enrolled: &knowledge.Knowledge{
			Image: "fox", Questions: []knowledge.Answer{{Question: "pet", Form: 1, Hash: "$argon2id$"}},
		},
		Terms: "2026", Repudiations: []recoveryrun.Repudiation{{N: 9, Hash: []byte("repudiate"), To: "c1", Expires: at(5)}},
		Change: "change",
		Mail: []letter.Mail{{
			Name: "l6", Kind: "recovery.link", To: rosa, Link: 6, Token: "token", Code: "typed", Expires: at(6),
			Until: at(7), State: letter.Pending,
		}},
		Fill: "--",
	}
}

// stored is full as it is stored. Records of older releases are read, so a name in it never changes.
const stored = `{
	"subject": "1712345678", "plan": "clave", "digest": "cGxhbg==", "state": "open", "ticket": "dGlja2V0", "tickets": 2,
	"known": true, "epoch": 3, "book": 4, "by": "citizen", "source": "192.0.2.1",
	"started": "2026-03-02T09:00:00Z", "expires": "2026-03-02T10:00:00Z", "step": 5, "rests": "2026-03-02T11:00:00Z",
	"asked": ["pet"], "images": ["owl", "fox"], "shown": "r***@example.ec",
	"named": [{"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"}],
	"correct": {"channel": "sms", "address": "+593991234567", "locale": "es"}, "adopt": true,
	"links": [{
		"n": 6, "hash": "bGluaw==", "tag": "Y29kZQ==",
		"to": {"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"}, "expires": "2026-03-02T12:00:00Z"
	}],
	"sends": 7, "documents": [{"kind": "front", "ref": "doc-1", "type": "image/jpeg", "size": 8}],
	"approved": [{"by": "operator:eva", "at": "2026-03-02T13:00:00Z"}],
	"enrolled": {"image": "fox", "questions": [{"question": "pet", "form": 1, "hash": "$argon2id$"}]},
	"terms": "2026", "repudiate": [{"n": 9, "hash": "cmVwdWRpYXRl", "to": "c1", "expires": "2026-03-02T14:00:00Z"}],
	"change": "change",
	"mail": [{
		"name": "l6", "kind": "recovery.link", "to": {"channel": "email", "address": "rosa@example.ec", "locale": "es-EC"},
		"link": 6, "token": "token", "code": "typed", "expires": "2026-03-02T15:00:00Z",
		"until": "2026-03-02T16:00:00Z", "state": "pending"
	}],
	"fill": "--"
}`

// requireFull fails where any part of a value is zero: a new field has to come into the golden text.
func requireFull(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	require.False(t, v.IsZero(), "full holds no %s", path)
	switch {
	case v.Kind() == reflect.Pointer:
		requireFull(t, v.Elem(), path)
	case v.Kind() == reflect.Slice:
		requireFull(t, v.Index(0), path+"[0]")
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			requireFull(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	}
}

func TestStored(t *testing.T) {
	record := full()
	requireFull(t, reflect.ValueOf(record), "Record")
	text, err := json.Marshal(record)
	require.NoError(t, err)
	require.JSONEq(t, stored, string(text))
	var back recoveryrun.Record
	require.NoError(t, json.Unmarshal([]byte(stored), &back))
	require.Equal(t, record, back)
}

// What is not there takes no room, and comes back as it was.
func TestStoredEmpty(t *testing.T) {
	text, err := json.Marshal(recoveryrun.Record{})
	require.NoError(t, err)
	require.JSONEq(t, `{
		"subject": "", "plan": "", "digest": null, "state": "", "tickets": 0, "known": false, "epoch": 0, "book": 0, "by": "",
		"started": "0001-01-01T00:00:00Z", "expires": "0001-01-01T00:00:00Z", "step": 0, "fill": ""
	}`, string(text))
	var back recoveryrun.Record
	require.NoError(t, json.Unmarshal(text, &back))
	require.Zero(t, back)
}

// The states are stored.
func TestStates(t *testing.T) {
	require.Equal(t, []string{"open", "finished", "cancelled", "repudiated"},
		[]string{recoveryrun.Open, recoveryrun.Finished, recoveryrun.Cancelled, recoveryrun.Repudiated})
}

// Runs that have come the same way are equally long, whatever their addresses are: some characters are written as six.
func TestPad(t *testing.T) {
	stored := func(address, shown, question, code, state string) int {
		to := letter.Contact{Channel: civicpin.Email, Address: address}
		r := recoveryrun.Record{
			Shown: shown, Asked: []string{question}, Known: code != "", Links: []token.Link{{N: 1, To: to}},
			Mail: []letter.Mail{{Name: "s1", To: to, Link: 1, Code: code, State: state}},
		}
		r.Pad()
		text, err := json.Marshal(r)
		require.NoError(t, err)
		return len(text)
	}
	want := stored("rosa@x.example", "r***@x.example", "pet", "ABCDEFGH", letter.Pending)
	require.Equal(t, want, stored("r&sa<>@x.example", "r***@x.example", "pet", "ABCDEFGH", letter.Pending))
	require.Equal(t, want, stored("rosa@x.example", "&***@x.example", "first & last", "ABCDEFGH", letter.Pending))
	require.Equal(t, want, stored("r@x.example", "r***@x.example", "pet", "", letter.None), "a decoy's")
}
