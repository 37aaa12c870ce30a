package civicpin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
)

// pinText is what must never be seen. No four bytes of it are part of any word that the tests print.
const pinText = "Zq7-vX4=Kp9wJ"

// leaked returns the form in which part of pinText is in s, or "" if it is not there. Four bytes in a row count.
func leaked(s string) string {
	lower := strings.ToLower(s)
	digits := strings.NewReplacer("0x", "", ",", "", " ", "", ":", "", `\`, "", "x", "", "byte{", "").Replace(lower)
	numbers := " " + strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }), " ") + " "
	for i := range len(pinText) - 3 {
		part := []byte(pinText[i : i+4])
		decimal, octal, binary := " ", " ", " "
		for _, c := range part {
			decimal += strconv.Itoa(int(c)) + " "
			octal += strconv.FormatInt(int64(c), 8) + " "
			binary += strconv.FormatInt(int64(c), 2) + " "
		}
		switch {
		case strings.Contains(lower, strings.ToLower(string(part))):
			return "text"
		case strings.Contains(digits, hex.EncodeToString(part)):
			return "hexadecimal"
		case strings.Contains(numbers, decimal), strings.Contains(numbers, octal), strings.Contains(numbers, binary):
			return "numbers"
		}
	}
	// Base 64 of text that may begin at any of three places in a group: what is the same whatever stands around it.
	for shift := range 3 {
		code := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + pinText))
		if strings.Contains(s, code[4:len(code)-2]) {
			return "base 64"
		}
	}
	return ""
}

// A check that sees nothing would let all tests below pass.
func TestLeakedSees(t *testing.T) {
	type hidden struct{ pin string }
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "% X", "%.6s", "%30.7q"} {
		assert.NotEmpty(t, leaked(fmt.Sprintf(format, pinText)), format)
		assert.NotEmpty(t, leaked(fmt.Sprintf(format, hidden{pinText})), format)
	}
	for _, format := range []string{"%v", "%d", "%o", "%b", "%#v", "%x", "%#x"} {
		assert.NotEmpty(t, leaked(fmt.Sprintf(format, []byte(pinText))), format)
	}
	for _, before := range []string{"", "a", "ab", "abc"} {
		assert.Equal(t, "base 64", leaked(base64.StdEncoding.EncodeToString([]byte(before+pinText+"tail"))))
	}
	assert.Empty(t, leaked("[redacted]"))
}

// holders returns the secret in everything that it could be printed from.
func holders() map[string]any {
	s := civicpin.NewSecret(pinText)
	type exported struct{ S civicpin.Secret }
	type unexported struct{ s civicpin.Secret }
	type pointers struct {
		S *civicpin.Secret
		u *civicpin.Secret
	}
	type embedded struct{ civicpin.Secret }
	type deep struct {
		u unexported
		E any
		e any
		m map[string]unexported
	}
	p := &s
	return map[string]any{
		"itself":             s,
		"pointer":            &s,
		"pointer to pointer": &p,
		"exported field":     exported{s},
		"unexported field":   unexported{s},
		"pointer to struct":  &unexported{s},
		"pointer fields":     pointers{&s, &s},
		"embedded":           embedded{s},
		"slice":              []civicpin.Secret{s, s},
		"array":              [2]civicpin.Secret{s, s},
		"slice of any":       []any{s, &s, unexported{s}},
		"slice of structs":   []unexported{{s}},
		"map":                map[string]civicpin.Secret{"a": s},
		"map of structs":     map[int]unexported{1: {s}},
		"map of any":         map[string]any{"a": s, "b": exported{s}},
		"deep":               deep{unexported{s}, exported{s}, unexported{s}, map[string]unexported{"a": {s}}},
		"message":            civicpin.Message{ID: "1", Secret: s},
		"pointer to message": &civicpin.Message{ID: "1", Secret: s},
		"error":              secretError{Pin: s, pin: s},
		"pointer to error":   &secretError{Pin: s, pin: s},
		"wrapped error":      fmt.Errorf("wrapped: %w", secretError{Pin: s, pin: s}),
		"joined error":       errors.Join(secretError{Pin: s, pin: s}, fmt.Errorf("%v, %+v, %#v", s, exported{s}, unexported{s})),
		"reflected method":   struct{ f func() string }{s.String},
		"slog value":         slog.AnyValue(s),
		"slog attribute":     slog.Any("pin", unexported{s}),
	}
}

// secretError is an error of somebody who keeps the secret in it, in a field of each sort.
type secretError struct {
	Pin civicpin.Secret
	pin civicpin.Secret
}

func (e secretError) Error() string { return fmt.Sprintf("refused: %s, %v", e.Pin, e.pin) }

func TestSecretFormats(t *testing.T) {
	var verbs []string
	for c := 'A'; c <= 'z'; c++ {
		if c <= 'Z' || c >= 'a' {
			verbs = append(verbs, string(c))
		}
	}
	for name, holder := range holders() {
		clean := make(map[string]bool) // most formats print the same
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "-+# 0"} {
			for _, size := range []string{"", "3", ".2", ".200", "60.40", "[1]"} {
				for _, verb := range verbs {
					format := "%" + flags + size + verb
					out := fmt.Sprintf(format, holder)
					if !clean[out] {
						form := leaked(out)
						clean[out] = form == ""
						if form != "" {
							t.Errorf("%s of %s shows the secret as %s", format, name, form)
						}
					}
					// T and p never reach a Format method: they print the type, and a bad verb.
					if name == "itself" && verb != "T" && verb != "p" && verb != "w" && out != "[redacted]" {
						t.Errorf("%s is %q", format, out)
					}
				}
			}
		}
		for _, out := range []string{fmt.Sprint(holder), fmt.Sprintln(holder), fmt.Errorf("%w %v", errors.New("x"), holder).Error()} {
			assert.Empty(t, leaked(out), name)
		}
	}
	assert.Equal(t, "[redacted]", fmt.Sprint(civicpin.NewSecret(pinText)))
	assert.Equal(t, "[redacted]", civicpin.NewSecret(pinText).String())
	assert.Equal(t, "[redacted]", civicpin.NewSecret(pinText).GoString())
	assert.Equal(t, "[redacted]", fmt.Sprint(civicpin.Secret{}), "an empty secret must not look different")
}

func TestSecretLogs(t *testing.T) {
	for name, holder := range holders() {
		var out bytes.Buffer
		opts := &slog.HandlerOptions{AddSource: false, Level: slog.LevelDebug}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, opts), slog.NewJSONHandler(&out, opts)} {
			l := slog.New(h)
			l.Info("attribute", "pin", holder)
			l.Info("group", slog.Group("g", slog.Any("pin", holder), slog.Group("h", "pin", holder)))
			l.With("pin", holder).WithGroup("g").Info("with", "pin", holder)
			l.Info("slice", "pins", []any{holder, holder})
			l.Info(fmt.Sprintf("message %v", holder))
			l.Error("error", "error", fmt.Errorf("login: %v", holder))
		}
		assert.Contains(t, out.String(), "group", name)
		assert.Empty(t, leaked(out.String()), "%s: %s", name, &out)
	}

	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "pin", civicpin.NewSecret(pinText))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "pin", civicpin.NewSecret(pinText))
	assert.Contains(t, out.String(), `pin=[redacted]`)
	assert.Contains(t, out.String(), `"pin":"[redacted]"`)
}

func TestSecretEncodings(t *testing.T) {
	type exported struct {
		S civicpin.Secret
		P *civicpin.Secret
		u civicpin.Secret
	}
	s := civicpin.NewSecret(pinText)
	e := exported{s, &s, s}

	t.Run("json", func(t *testing.T) {
		for name, holder := range holders() {
			out, err := json.Marshal(holder)
			if err != nil { // some holders have no form in JSON
				out = []byte(err.Error())
			}
			assert.Empty(t, leaked(string(out)), name)
		}
		out, err := json.Marshal(e)
		assert.NoError(t, err)
		assert.Equal(t, `{"S":"[redacted]","P":"[redacted]"}`, string(out))

		var back civicpin.Secret
		for _, target := range []any{&back, &exported{}, new(map[string]civicpin.Secret)} {
			err := json.Unmarshal([]byte(`{"S":"`+pinText+`"}`), target)
			if target != any(&back) {
				assert.Error(t, err, "a secret is never read from JSON by accident")
			}
			assert.Empty(t, leaked(fmt.Sprint(err)))
		}
		assert.True(t, back.IsZero())
	})
	t.Run("xml", func(t *testing.T) {
		for name, holder := range holders() {
			out, err := xml.Marshal(holder)
			if err != nil {
				out = []byte(err.Error())
			}
			assert.Empty(t, leaked(string(out)), name)
		}
		out, err := xml.Marshal(struct {
			XMLName xml.Name        `xml:"x"`
			A       civicpin.Secret `xml:"a,attr"`
			S       civicpin.Secret
		}{A: s, S: s})
		assert.NoError(t, err)
		assert.Equal(t, `<x a="[redacted]"><S>[redacted]</S></x>`, string(out))
	})
	t.Run("gob", func(t *testing.T) {
		var out bytes.Buffer
		assert.NoError(t, gob.NewEncoder(&out).Encode(e))
		assert.Contains(t, out.String(), "[redacted]")
		assert.Empty(t, leaked(out.String()))
		for name, holder := range holders() {
			out.Reset()
			if err := gob.NewEncoder(&out).Encode(holder); err != nil {
				out.WriteString(err.Error())
			}
			assert.Empty(t, leaked(out.String()), name)
		}
	})
	t.Run("templates", func(t *testing.T) {
		const text = `{{.}} {{printf "%v %+v %#v %s %q %x" . . . . . .}} {{print .}} {{println .}} {{html .}} {{js .}} {{urlquery .}} {{len (print .)}}`
		plain := template.Must(template.New("").Parse(text))
		page := htmltemplate.Must(htmltemplate.New("").Parse(`<a href="/?pin={{.}}" title="{{.}}" style="color: {{.}}"
			onclick="f({{.}})">{{.}} {{printf "%v %+v %#v %s %q %x" . . . . . .}}</a>
			<script>let pin = {{.}}; let s = "{{.}}"</script><style>a { color: {{.}} }</style>`))
		for name, holder := range holders() {
			var out bytes.Buffer
			// An error is a page that was not made; what was written before must be clean all the same.
			errPlain, errPage := plain.Execute(&out, holder), page.Execute(&out, holder)
			assert.Empty(t, leaked(out.String()+fmt.Sprint(errPlain, errPage)), name)
		}
		var out bytes.Buffer
		assert.NoError(t, page.Execute(&out, s))
		assert.Contains(t, out.String(), `title="[redacted]"`)
	})
}

// failures takes what an assertion would print.
type failures struct{ bytes.Buffer }

func (f *failures) Errorf(format string, args ...any) { fmt.Fprintf(f, format, args...) }

func TestSecretInFailedAssertions(t *testing.T) {
	type unexported struct{ s civicpin.Secret }
	for name, holder := range holders() {
		var f failures
		other := holders()[name]
		assert.Equal(&f, holder, nil)
		assert.Equal(&f, unexported{civicpin.NewSecret(pinText)}, unexported{civicpin.NewSecret("another")})
		assert.Equal(&f, []any{holder}, []any{other, 1})
		assert.Same(&f, &holder, &other)
		assert.Contains(&f, []any{1}, holder)
		assert.ElementsMatch(&f, []any{holder}, []any{1})
		assert.IsType(&f, 1, holder)
		assert.Nil(&f, holder)
		assert.Empty(&f, holder)
		if f.Len() < 200 {
			t.Errorf("%s: the assertions did not fail: %s", name, &f)
		}
		assert.Empty(t, leaked(f.String()), name)
	}
}

func TestSecretReveal(t *testing.T) {
	for _, text := range []string{"", "1234", pinText, "\x00\xff", "ñ è", strings.Repeat("x", 1<<16)} {
		s := civicpin.NewSecret(text)
		assert.Equal(t, text, s.Reveal())
		assert.Equal(t, text, s.Reveal(), "again")
		assert.Equal(t, text == "", s.IsZero())
	}
}

func TestSecretZero(t *testing.T) {
	var zero civicpin.Secret
	assert.Empty(t, zero.Reveal())
	assert.True(t, zero.IsZero())
	assert.True(t, zero.Equal(civicpin.NewSecret("")))
	assert.False(t, zero.Equal(civicpin.NewSecret("0")))
	assert.Equal(t, "[redacted]", zero.LogValue().String())
}

func TestSecretEqual(t *testing.T) {
	assert.True(t, civicpin.NewSecret("1234").Equal(civicpin.NewSecret("1234")))
	for _, tc := range [][2]string{
		{"1234", "1235"},
		{"1234", "123"},
		{"1234", ""},
		{"abcd", "ABCD"},
		{"\u00e8", "e\u0300"}, // byte for byte: a caller who wants them alike normalises first
		{"a\x00b", "a\x00c"},
	} {
		a, b := civicpin.NewSecret(tc[0]), civicpin.NewSecret(tc[1])
		assert.False(t, a.Equal(b), "%q", tc)
		assert.False(t, b.Equal(a), "%q", tc)
	}
}
