package texts

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// The greatest lengths of a code in characters, and of an act in septets, so that the longest name leaves room for them in one
// text message.
const (
	maxCode    = 24
	maxOTPCode = 12
	maxAct     = 32
)

// values are what a pattern's names in braces stand for. What is between brackets in a pattern is left out if a value in it
// is empty, or a condition in it does not hold.
type values struct {
	service, longName, help string
	code, letters           string // ABCD EFGH; A, B, C, D. E, F, G, H
	part, parts             string
	link, origin            string // https://portal.example/recover#token; https://portal.example/
	act                     string // filing your tax return
	change                  string // one of your contacts was removed
	time, longTime          string // of the expiry or the end of a lock: 03/12/2026 14:05; 3 dicembre 2026, ore 14:05
	linkTime                string // long, of the expiry of the link
	more                    string // how many others the message stands for
}

func (w *Writer) values(m civicpin.Message, lang *language) (values, error) {
	v := values{service: w.service.Name, longName: w.service.LongName, help: w.service.Help}
	if err := w.secrets(&v, m); err != nil {
		return values{}, err
	}
	at := time.Time{}
	if may := carries(m.Kind); may.code > 0 || may.link {
		at = m.ExpiresAt
	}
	var err error
	if v.more, err = more(m.Params["more"]); err != nil {
		return values{}, err
	}
	if _, v.linkTime, err = w.told(at, lang); err != nil {
		return values{}, err
	}
	switch m.Kind {
	case pinPart:
		if m.Part < 0 || m.Parts < 0 || m.Part > m.Parts || m.Parts > 9 || (m.Parts > 0 && m.Part == 0) {
			return values{}, fmt.Errorf("texts: part %d of %d: %w", m.Part, m.Parts, civicpin.ErrInvalid)
		}
		if m.Parts > 1 {
			v.part, v.parts = strconv.Itoa(m.Part), strconv.Itoa(m.Parts)
		}
	case otpCode:
		if v.act, err = act(m.Params["act"]); err != nil {
			return values{}, err
		}
	case contactChanged:
		var ok bool
		if v.change, ok = lang.recovery.changes.of(m.Params["change"]); !ok {
			return values{}, fmt.Errorf("texts: parameter change is not one of the five: %w", civicpin.ErrInvalid)
		}
	case pinLocked, recoveryWaiting:
		at = time.Time{}
		if until := m.Params["until"]; until != "" {
			if at, err = time.Parse(time.RFC3339, until); err != nil {
				return values{}, fmt.Errorf("texts: parameter until is not a time as in RFC 3339: %w", civicpin.ErrInvalid)
			}
		}
	}
	v.time, v.longTime, err = w.told(at, lang)
	return v, err
}

// more returns how many other messages a message stands for, and an error if that is no number.
func more(param string) (string, error) {
	if n, err := strconv.Atoi(param); param != "" && (err != nil || n < 1 || strconv.Itoa(n) != param) {
		return "", fmt.Errorf("texts: parameter more is not a number: %w", civicpin.ErrInvalid)
	}
	return param, nil
}

// act returns what a code is for, with its accents composed, and an error if a text message cannot carry it, or it has a link.
// What becomes a link only in a text message is refused there: see short.
func act(param string) (string, error) {
	act := norm.NFC.String(param)
	sent, ok := gsm(act)
	if !ok || !line(act) || septets(sent) > maxAct {
		return "", fmt.Errorf("texts: act is not at most %d printable characters: %w", maxAct, civicpin.ErrInvalid)
	}
	if linked(act) {
		return "", fmt.Errorf("%w: parameter act would be taken for one", ErrContainsLink)
	}
	return act, nil
}

// codeless returns the values without the code.
func (v values) codeless() values {
	v.code, v.letters = "", ""
	return v
}

// fill replaces the names in a pattern, and drops what is between brackets where a name in it stands for nothing.
func (v values) fill(pattern string) string {
	replacer := v.replacer()
	var b strings.Builder
	for pattern != "" {
		before, rest, found := strings.Cut(pattern, "[")
		b.WriteString(replacer.Replace(before))
		if !found {
			break
		}
		optional, after, _ := strings.Cut(rest, "]")
		if !v.lacks(optional) {
			b.WriteString(replacer.Replace(optional))
		}
		pattern = after
	}
	return b.String()
}

func (v values) named() [15][2]string {
	return [...][2]string{
		{"{service}", v.service},
		{"{name}", v.longName},
		{"{help}", v.help},
		{"{code}", v.code},
		{"{letters}", v.letters},
		{"{part}", v.part},
		{"{parts}", v.parts},
		{"{link}", v.link},
		{"{origin}", v.origin},
		{"{act}", v.act},
		{"{change}", v.change},
		{"{time}", v.time},
		{"{longtime}", v.longTime},
		{"{linktime}", v.linkTime},
		{"{more}", v.more},
	}
}

// Conditions stand for nothing: where one does not hold, what it stands in is left out.
const (
	ifLink = "{if link}"
	ifCode = "{if only code}" // and no link
	ifBoth = "{if both}"
	ifNone = "{if no link}"
)

func (v values) holds(condition string) bool {
	switch condition {
	case ifLink:
		return v.link != ""
	case ifCode:
		return v.link == "" && v.code != ""
	case ifBoth:
		return v.link != "" && v.code != ""
	}
	return v.link == ""
}

// replacer goes over a pattern once, so that a value that looks like a name stays as it is.
func (v values) replacer() *strings.Replacer {
	pairs := []string{ifLink, "", ifCode, "", ifBoth, "", ifNone, ""}
	for _, n := range v.named() {
		pairs = append(pairs, n[:]...)
	}
	return strings.NewReplacer(pairs...)
}

func (v values) lacks(pattern string) bool {
	for _, n := range v.named() {
		if n[1] == "" && strings.Contains(pattern, n[0]) {
			return true
		}
	}
	for _, condition := range []string{ifLink, ifCode, ifBoth, ifNone} {
		if strings.Contains(pattern, condition) && !v.holds(condition) {
			return true
		}
	}
	return false
}

// plain returns a secret without blanks and hyphens, and whether that is a code.
func plain(secret string) (string, bool) {
	if len(secret) > 4*maxCode {
		return "", false
	}
	secret = strings.NewReplacer(" ", "", "-", "").Replace(secret)
	if secret == "" || len(secret) > maxCode {
		return "", false
	}
	for i := range len(secret) {
		if c := secret[i] | 0x20; !(c >= 'a' && c <= 'z') && !(secret[i] >= '0' && secret[i] <= '9') {
			return "", false
		}
	}
	return secret, true
}

// grouped puts one separator between the characters of a code and another between groups of four.
func grouped(code, within, between string) string {
	var b strings.Builder
	for i := range len(code) {
		switch {
		case i == 0:
		case i%4 == 0:
			b.WriteString(between)
		default:
			b.WriteString(within)
		}
		b.WriteByte(code[i])
	}
	return b.String()
}

// line reports whether s can stand in a line of a message. Its length is limited in other units than bytes.
func line(s string) bool { return names.Printable(s, len(s)) }
