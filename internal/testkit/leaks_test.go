package testkit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

// A tester takes down what a harness finds, instead of failing.
type tester struct {
	testing.TB
	found []string
}

func (t *tester) Errorf(format string, args ...any) {
	t.found = append(t.found, fmt.Sprintf(format, args...))
}

func (t *tester) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	panic(t)
}

// finds returns what LeaksNothing finds in a text.
func finds(t *testing.T, text string, secrets ...string) (found []string) {
	t.Helper()
	return watch(t, func(t testing.TB) { testkit.LeaksNothing(t, map[string]string{"the text": text}, secrets...) })
}

func watch(t *testing.T, do func(t testing.TB)) []string {
	t.Helper()
	w := &tester{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(w) {
				panic(p)
			}
		}()
		do(w)
	}()
	return w.found
}

const (
	planted1 = "QZ7W-K4PM 9ñ"
	token    = "lABCDEFGHIJKLMNOPQRSTUVWXYZ01.dGhpcyBpcyBhIHNlY3JldCBvZiAzMiBieXRlcyAhISE"
)

// Each form in which a secret might leave is found, and it is told where.
func TestLeaksNothingFinds(t *testing.T) {
	quoted, err := json.Marshal(map[string]any{"bytes": []byte("with " + planted1 + " in it"), "text": planted1})
	require.NoError(t, err)
	for name, text := range map[string]string{
		"plain": "x" + planted1 + "x", "small": "qz7w-k4pm 9ñ", "capital": "QZ7W-K4PM 9Ñ",
		"bare": "qz7wk4pm9ñ", "grouped": "QZ7 WK4 PM9 ñ",
		"hex": fmt.Sprintf("%x", planted1), "HEX": fmt.Sprintf("00%X00", planted1), "spaced": fmt.Sprintf("% x", planted1),
		"bytes": fmt.Sprint([]byte(planted1)), "Go bytes": fmt.Sprintf("%#v", []byte(planted1)),
		"quoted": fmt.Sprintf("%+q", planted1),
		"JSON":   string(quoted), "URL": "https://example.it/?pin=QZ7W-K4PM+9%C3%B1",
		"base64": base64.StdEncoding.EncodeToString([]byte(planted1)),
		"later":  base64.URLEncoding.EncodeToString([]byte("ab" + planted1 + "c")),
		"base32": "KFNDOVZNJM2FATJAHHB3C", "base32, later": "MFRFCWRXK4WUWNCQJUQDTQ5RMM",
	} {
		found := finds(t, "before "+text+" after", "another secret", planted1)
		require.Len(t, found, 1, name)
		require.Contains(t, found[0], "in the text", name)
	}
	require.Empty(t, finds(t, "QZ7W-K4P", planted1))
	const raw = "this is a secret of 32 bytes !!!"
	for _, text := range []string{token, token[30:], raw, base64.StdEncoding.EncodeToString([]byte(raw))} {
		require.NotEmpty(t, finds(t, text, token), text)
	}
	require.Empty(t, finds(t, token[:29], token), "without its verifier a token is a name")
}

// A short secret is found where it stands alone, and not amid others.
func TestLeaksNothingShort(t *testing.T) {
	for text, want := range map[string]int{
		"123456": 1, `code="123456"`: 1, "0123456": 0, "1772123456789": 0, "12345 6": 0, "313233343536": 1,
		"0123456, 123456.": 1, "A123456Z": 1,
		"00112233445566778899a123456bccddeeff": 0,
	} {
		require.Len(t, finds(t, text, "123456"), want, text)
	}
	for text, want := range map[string]int{"375": 1, `"code":"375"`: 1, "GLO3AYM375VVAB": 0, ".996375403Z": 0} {
		require.Len(t, finds(t, text, "375"), want, text)
	}
	for text, want := range map[string]int{"PQR": 1, "'PQR'": 1, "SPQR": 0, "PQR1": 0, "pqr": 1} {
		require.Len(t, finds(t, text, "PQR"), want, text)
	}
}

// What looks for nothing, or nowhere, is refused.
func TestLeaksNothingRefuses(t *testing.T) {
	for name, do := range map[string]func(t testing.TB){
		"no secret":    func(t testing.TB) { testkit.LeaksNothing(t, map[string]string{"log": "text"}) },
		"empty secret": func(t testing.TB) { testkit.LeaksNothing(t, map[string]string{"log": "text"}, "one", "") },
		"no place":     func(t testing.TB) { testkit.LeaksNothing(t, nil, "one") },
		"empty place":  func(t testing.TB) { testkit.LeaksNothing(t, map[string]string{"log": ""}, "one") },
	} {
		require.NotEmpty(t, watch(t, do), name)
	}
}

// A leak is found wherever a witness looks; and a story without leaks passes.
func TestWitness(t *testing.T) {
	const secret = "MN6B3VCX"
	sent := civicpin.Message{Secret: civicpin.NewSecret(secret), To: civicpin.Contact{Address: "a@example.it"}}
	for name, tc := range map[string]struct {
		do   func(t testing.TB, w *testkit.Witness)
		want string
	}{
		"nothing": {func(testing.TB, *testkit.Witness) {}, ""},
		"error":   {func(_ testing.TB, w *testkit.Witness) { w.Say(errors.New("not " + secret)) }, "what was said"},
		"value":   {func(_ testing.TB, w *testkit.Witness) { w.Say(struct{ b []byte }{[]byte(secret)}) }, "what was said"},
		"event": {func(t testing.TB, w *testkit.Witness) {
			w.Events.Record(t.Context(), civicpin.Event{Code: "told", Reason: secret})
		}, "what was said"},
		"key": {func(t testing.TB, w *testkit.Witness) {
			require.NoError(t, testkit.Err(w.Store().Put(t.Context(), "kind/"+secret, store.Record{})))
		}, "the store"},
		"record": {func(t testing.TB, w *testkit.Witness) {
			value := bytes.ToLower([]byte(`{"text":"` + secret + `"}`))
			require.NoError(t, testkit.Err(w.Store().Put(t.Context(), "kind/a", store.Record{Value: value})))
		}, "the store"},
		"person": {func(t testing.TB, w *testkit.Witness) {
			require.NoError(t, testkit.Err(w.Store().Put(t.Context(), "kind/RSSMRA85T10A562S", store.Record{})))
		}, "RSSMRA85T10A562S"},
		"refused": {func(t testing.TB, w *testkit.Witness) {
			w.Quotes(func(n int) bool { return n == 1 })
			other := sent
			other.Secret = civicpin.NewSecret("QZ7WK4PM")
			w.Say(testkit.Err(w.Mail.Notify(t.Context(), other)))
		}, "QZ7WK4PM"},
		"another story": {func(_ testing.TB, w *testkit.Witness) { w.Events.Take() }, "not the story"},
	} {
		w := testkit.NewWitness()
		w.Personal("RSSMRA85T10A562S")
		w.Events.Record(t.Context(), civicpin.Event{Code: "begun", Subject: "RSSMRA85T10A562S"})
		_, err := w.Store().Put(t.Context(), "kind/0", store.Record{})
		require.NoError(t, err)
		tc.do(t, w)
		_, err = w.Mail.Notify(t.Context(), sent)
		require.NoError(t, err)
		found := watch(t, func(t testing.TB) { w.LeaksNothing(t, "begun") })
		if tc.want == "" {
			require.Empty(t, found, name)
			continue
		}
		require.Len(t, found, 1, name)
		require.Contains(t, found[0], tc.want, name)
	}
}
