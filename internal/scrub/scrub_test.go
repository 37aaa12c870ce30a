package scrub_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/scrub"
)

func TestScrub(t *testing.T) {
	for name, c := range map[string]struct{ text, secret, want string }{
		"nothing to hide":       {"550 no such user", "", "550 no such user"},
		"not in it":             {"550 no such user", "ABCD", "550 no such user"},
		"as it is":              {`rejected "ABCD2345"`, "ABCD2345", `rejected "[redacted]"`},
		"twice":                 {"ABCD2345 ABCD2345", "ABCD2345", "[redacted] [redacted]"},
		"in another case":       {"text abcd2345!", "ABCD2345", "text [redacted]!"},
		"in groups":             {"text ABCD-2345, ab cd 23 45", "ABCD2345", "text [redacted], [redacted]"},
		"without its groups":    {"text ABCD2345", "ABCD-2345", "text [redacted]"},
		"in a URL's query":      {"GET /?t=a%2Bb%2Fc", "a+b/c", "GET /?t=[redacted]"},
		"in a URL's path":       {"GET /a+b%2Fc", "a+b/c", "GET /[redacted]"},
		"in JSON":               {`{"text":"a\"b"}`, `a"b`, `{"text":"[redacted]"}`},
		"in base64":             {"AUTH QUJDRDIzNDU=", "ABCD2345", "AUTH [redacted]"},
		"one character":         {"code e refused", "e", "cod[redacted] [redacted] r[redacted]fus[redacted]d"},
		"only separators":       {"a - b", "-", "a [redacted] b"},
		"not UTF-8":             {"text ab\xff12.", "ab\xff12", "text [redacted]."},
		"a pattern":             {"text a.c (x", "a.c (x", "text [redacted]"},
		"control characters":    {"line\r\nTo: x\x00\u2028y", "", "line  To: x  y"},
		"hidden characters":     {"a\u202eb\u200bc\ufeffd", "", "a b c d"},
		"text that isn't UTF-8": {"a\xffb", "", "a?b"},
		"overlong":              {strings.Repeat("é", 200), "", strings.Repeat("é", 128) + "..."},
		"overlong secret":       {"x", strings.Repeat("s", 2000), "[redacted]"},
		"at the cut":            {strings.Repeat(".", 252) + "ABCD2345", "ABCD2345", strings.Repeat(".", 252) + "[red..."},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, scrub.Text(c.text, civicpin.NewSecret(c.secret)))
		})
	}
}

// A message may carry a code and a link's token: neither is left, also where one is the beginning of the other.
func TestScrubBoth(t *testing.T) {
	const token = "ABCD2345-_.~efgh"
	for name, c := range map[string]struct{ text, want string }{
		"neither":            {"550 no such user", "550 no such user"},
		"code":               {"text ABCD 2345!", "text [redacted]!"},
		"token":              {"rejected https://portal.example/r#" + token + " as spam", "rejected https://portal.example/r#[redacted] as spam"},
		"both":               {"ABCD2345 " + token + " ABCD2345", "[redacted] [redacted] [redacted]"},
		"one after another":  {"ABCD2345" + token, "[redacted][redacted]"},
		"over a line's end":  {"r#ABCD2345-_=\r\n.~efgh\r\n", "r#[redacted]  "},
		"in another case":    {strings.ToUpper(token), "[redacted]"},
		"in base64":          {base64.StdEncoding.EncodeToString([]byte(token)), "[redacted]"},
		"what is overlong":   {strings.Repeat(".", 5000) + token, strings.Repeat(".", 256) + "..."},
		"over the kept text": {strings.Repeat(".", 250) + token, strings.Repeat(".", 250) + "[redac..."},
	} {
		t.Run(name, func(t *testing.T) {
			code, link := civicpin.NewSecret("ABCD2345"), civicpin.NewSecret(token)
			require.Equal(t, c.want, scrub.Text(c.text, code, link))
			require.Equal(t, c.want, scrub.Text(c.text, link, code))
		})
	}
	overlong := civicpin.NewSecret(strings.Repeat("s", 2000))
	require.Equal(t, "[redacted]", scrub.Text("x", civicpin.NewSecret("a"), overlong))
	require.Equal(t, "x", scrub.Text("x", civicpin.Secret{}, civicpin.Secret{}))
}

func FuzzScrub(f *testing.F) {
	f.Add("rejected: your code is ", "ABCD-2345", "!")
	f.Add("a\xff", "\xff\xfe", "é")
	f.Add("", "--", "")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < 4 || len(before) > 1000 || strings.ContainsAny(secret, " []?.") || strings.Contains("redacted", strings.ToLower(secret)) {
			return // could come about by chance out of what Text itself writes
		}
		quoted, err := json.Marshal(secret)
		require.NoError(t, err)
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`),
			base64.StdEncoding.EncodeToString([]byte(secret)),
		} {
			for _, got := range []string{
				scrub.Text(before+form+after, civicpin.NewSecret(secret)),
				scrub.Text(before+form+after, civicpin.Secret{}, civicpin.NewSecret(secret)),
				// Another secret that the text holds as well, and that may reach into this one.
				scrub.Text(form+after, civicpin.NewSecret(secret[:2]), civicpin.NewSecret(secret)),
			} {
				require.True(t, utf8.ValidString(got))
				require.LessOrEqual(t, len(got), 259)
				require.NotContains(t, got, secret)
				require.False(t, strings.ContainsAny(got, "\r\n\x00"))
			}
		}
	})
}
