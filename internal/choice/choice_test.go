package choice_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/pin/rule"
)

var (
	pin4     = choice.Rules{Form: choice.Digits, Min: 4, Max: 4}
	pin5     = choice.Rules{Form: choice.Digits, Min: 5, Max: 5}
	pin6     = choice.Rules{Form: choice.Digits, Min: 6, Max: 6}
	pin7     = choice.Rules{Form: choice.Digits, Min: 7, Max: 7}
	pin8     = choice.Rules{Form: choice.Digits, Min: 8, Max: 8}
	inps     = choice.Rules{Form: choice.Alphanumeric, Min: 8, Max: 8, Words: []string{"INPSonline", "Menàgë"}}
	password = choice.Rules{Form: choice.Password, Min: 8, Max: 64}
	phrase   = choice.Rules{Form: choice.Password, Min: 15, Max: 128}
)

// mario is what a guesser knows of one invented citizen.
var mario = []string{"RSSMRA85T10A562S", "Mario Antonio", "D'Ambròsi", "1985-12-10", "+393331234987", "m.ambro77@example.org", "Li"}

// ruleOf returns the rule that refused a secret, empty if none did.
func ruleOf(t testing.TB, err error) rule.Rule {
	t.Helper()
	if err == nil {
		return ""
	}
	refused, ok := errors.AsType[*choice.Error](err)
	require.True(t, ok, "%v is no *choice.Error", err)
	return refused.Rule
}

func TestCheck(t *testing.T) {
	const accepted = rule.Rule("")
	for _, tt := range []struct {
		rules   choice.Rules
		want    rule.Rule
		secrets []string // already in normal form
	}{
		{pin4, accepted, []string{"8305", "7093", "4918", "6072", "3861"}},
		{pin6, accepted, []string{"837517", "709364", "491802", "607283", "960738", "518049"}},
		{pin8, accepted, []string{"83751748", "70936428", "49180276", "60728391"}},
		{inps, accepted, []string{"K7PX2MQA", "7HR2K9WD", "TRENO4X9", "83K5Z74B", "83751748", "CAVOLO9Z"}},
		{password, accepted, []string{
			"kx7-Pq2z", "tavolo blu", "Zwölf Boxkämpfer", "пароль надежный", "correct horse battery staple", "gatto1985zebra",
			"password is not the whole of it",
		}},

		{pin6, rule.Length, []string{"", "1", "83751", "8375174", strings.Repeat("8", 5000)}},
		{inps, rule.Length, []string{"K7PX2MQ", "K7PX2MQAB"}},
		{password, rule.Length, []string{"kx7-Pq2", strings.Repeat("kx7-", 17), "òàùèéìò"}},

		{pin6, rule.Characters, []string{"83751a", "8375 1", "８３７５１７", "-83751", "83751\x00", "٨٣٧٥١٧"}},
		{inps, rule.Characters, []string{"k7px2mqa", "K7PX2MQÈ", "K7PX-MQA", "K7PX2MQ\xff"}},
		{password, rule.Characters, []string{
			"kx7\tPq2zz", "kx7Pq2z\x00", "kx7Pq2z\xff", "cafe\u0301 noir", "kx7\u00a0Pq2z",
			"kx7Pq2z\u0378",
		}},

		{pin4, rule.Common, []string{"5150", "1492", "7894"}},
		{pin6, rule.Common, []string{"315475", "007008", "123589"}},
		{inps, rule.Common, []string{"PASSWORD", "JUVENTUS", "MARIO123", "ANNA2004", "DRAGON77", "INPSPIN1", "TRUSTNO1"}},
		{inps, rule.Common, []string{"MENAGE12"}},
		{password, rule.Common, []string{
			"password", "PassWord", "pàsswörd", "password1!", "contraseña", "Contraseña2024", "barcelona", "Mario1984", "garcia99!",
			"francesco!", "ｐａｓｓｗｏｒｄ",
		}},

		{pin4, rule.Repeated, []string{"0000", "1212", "7117", "5588"}},
		{pin6, rule.Repeated, []string{"000000", "323232", "393399", "778877", "503503"}},
		{inps, rule.Repeated, []string{"ABABABAB", "AAAABBBB", "K7PXK7PX", "K7PK7PK7", "00000001"}},
		{password, rule.Repeated, []string{"aAaAaAaA", "zzzzzzzzzzzz", "gufo gufo gufo gufo", "kx7-kx7-kx7-", "ababcdcdabab"}},

		{pin4, rule.Sequence, []string{"1234", "4321", "8901", "2468", "2580", "0852", "8642"}},
		{pin6, rule.Sequence, []string{"123456", "654321", "890123", "456789", "147369", "369147", "123987", "123458", "224466"}},
		{inps, rule.Sequence, []string{
			"ABCDEFGH", "HGFEDCBA", "1234ABCD", "ABC12345", "QWERTYUI", "ASDFGHJK", "12345679", "A1B2C3D4", "POI98765",
			"1QAZ4RFV", "ACEGIKMO",
		}},
		{password, rule.Sequence, []string{
			"abcdefgh", "AbCdEfGh", "qwertyuiop12345", "asdfghjklòà", "asdfghjklñ!", "!\"£$%&/()=",
			"zxcvbnm,.-", "0987poiu",
		}},

		{pin4, rule.Date, []string{"1006", "3112", "1231", "1958", "2031", "2902"}},
		{pin5, rule.Date, []string{"31958", "19583"}},
		{pin6, rule.Date, []string{"140385", "031485", "850314", "290284", "031985", "198503", "141985"}},
		{pin7, rule.Date, []string{"1031985", "1431985", "1231985"}},
		{pin8, rule.Date, []string{"14031985", "03141985", "19850314", "19851403", "29021983", "31122099", "02011900"}},
		{inps, rule.Date, []string{"14031985", "19850314"}},
		{password, rule.Date, []string{"14/03/1985", "1985-03-14", "14.03.85", "14 03 1985"}},
		{pin6, accepted, []string{"328785", "007285", "313885"}},
		{pin8, accepted, []string{"32071985", "14131985", "14032185", "30021985", "00071985"}},
	} {
		for _, secret := range tt.secrets {
			assert.Equal(t, tt.want, ruleOf(t, tt.rules.Check(secret, nil)), "%q", secret)
		}
	}
}

func TestCheckPersonal(t *testing.T) {
	const refused, accepted = rule.Personal, rule.Rule("")
	for _, tt := range []struct {
		rules   choice.Rules
		want    rule.Rule
		secrets []string
	}{
		{pin4, refused, []string{"4987", "8943", "2349", "8510", "5891"}},
		{pin6, refused, []string{
			"849870", "078945", // the end of the telephone number, forwards and backwards
			"851063", "378510", // digits of the tax code that stand next to each other once its letters are gone
			"758916", "319857", // the year, backwards and forwards
		}},
		{pin6, accepted, []string{"837517", "749802", "620798"}},
		{inps, refused, []string{
			"RSSMRA85", "MRA85T10", "T10A562S", "85T10A56", "S265A01T", "58ARMSSR", // runs of the tax code, and backwards
			"K7MARIO2", "OIRAM7K2", "K7AMBROS", "DAMBROX7", "RSSM4K7X", "K7ANTONI", "4X9T10A5", "X4987QZK",
			"AMBRO77K", "K71985ZQ", "K75891ZQ", "1012K7ZQ", "K71210ZQ",
		}},
		{inps, accepted, []string{"K7PX2MQA", "LI7PX2MQ", "K7EXAMPL", "RSS4K7XZ", "MAR9K7XZ"}},
		{password, refused, []string{"mario e gatto", "mario-ambro-kx", "ambròsiK", "gatto1985", "Gatto85T10A562S", "xx10121985xx", "10/12/85/kxq"}},
		{phrase, refused, []string{
			"dieci dambrosi nel bosco", "mario1985ambro77mario", "casa di antonio al mare", "isorbmad al mare in inverno",
			"abete 10121985 abete rosso",
		}},
		{phrase, accepted, []string{
			"sedici mari lontani", "anton giallo e verde", "nel 1985 pioveva sempre", "ambra e corallo rosa", "correct horse battery",
		}},
	} {
		for _, secret := range tt.secrets {
			assert.Equal(t, tt.want, ruleOf(t, tt.rules.Check(secret, mario)), "%q", secret)
		}
	}
}

// How much of a piece refuses a secret grows with the secret's length; what makes up half of it always does.
func TestCheckPersonalByLength(t *testing.T) {
	personal := []string{"Gino Marchesi", "Eva"}
	wide := choice.Rules{Form: choice.Password, Min: 4, Max: 64}
	for secret, want := range map[string]rule.Rule{
		"kxeva7pq":          rule.Personal, // 8: a whole name of 3
		"kxeva7pqz":         "",            // 9
		"kxmarc7p":          rule.Personal, // 8: a run of 4
		"kxmarc7pq":         "",            // 9: 4 of 9 are not half
		"kxgino7pq":         rule.Personal, // 9: a whole name of 4
		"kxmarch7pqz":       rule.Personal, // 11: a run of 5
		"kxmarch7pqzw":      "",            // 12
		"kxgino7pqzwb":      "",            // 12: a whole name of 4
		"kxmarche7pqzwb":    rule.Personal, // 14: a run of 6
		"kxehcram7pqzwb":    rule.Personal, // and backwards
		"gino e march 7p":   rule.Personal, // 9 of 12 characters
		"gino e chesi 7p":   rule.Personal,
		"gino e cielo 7pqz": "",
		"m-a-r-c-h-e-7pqz":  rule.Personal, // signs in between hide nothing
	} {
		assert.Equal(t, want, ruleOf(t, wide.Check(secret, personal)), "%q", secret)
	}
}

// A piece is found wherever it stands in the longest secret.
func TestCheckPersonalEverywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var filler []byte
	for range choice.Longest {
		filler = append(filler, "bdfgjklnopqtuvwxyz"[rng.IntN(18)])
	}
	require.NoError(t, phrase.Check(string(filler), []string{"Marchesi"}))
	for at := range choice.Longest - 7 {
		secret := slices.Clone(filler)
		copy(secret[at:], "marchesi")
		require.Equal(t, rule.Personal, ruleOf(t, phrase.Check(string(secret), []string{"Marchesi"})), at)
		require.Equal(t, rule.Personal, ruleOf(t, phrase.Check(string(secret), []string{"isehcraM"})), at)
	}
}

func TestCheckLooksAtSixtyFourPieces(t *testing.T) {
	personal := slices.Repeat([]string{"Q"}, 64)
	personal[63] = "Marchesi"
	assert.Equal(t, rule.Personal, ruleOf(t, inps.Check("K7MARCH2", personal)))
	require.NoError(t, inps.Check("K7MARCH2", slices.Insert(personal, 0, "Q")))
	require.NoError(t, inps.Check("K7MARCH2", []string{strings.Repeat("Q", 64) + "Marchesi"}))
	require.NoError(t, inps.Check("K7PX2MQA", []string{"", "@", "\xff\xff\xff\xff", "2006-13-45", strings.Repeat("è", 500)}))
}

// The INPS rule: no eight characters in a row of the tax code, in either direction, whichever they are.
func TestCheckRefusesEachRunOfTheTaxCode(t *testing.T) {
	code := mario[0]
	for i := range len(code) - 7 {
		run := code[i : i+8]
		require.Equal(t, rule.Personal, ruleOf(t, inps.Check(run, []string{code})), "%q", run)
		require.Equal(t, rule.Personal, ruleOf(t, inps.Check(run, []string{strings.ToLower(code)})), "%q", run)
	}
}

// Every rendering of a birth date that fits is refused, by the rule for dates or by the rule for personal data.
func TestCheckRefusesTheBirthDateInAPassword(t *testing.T) {
	for _, tail := range []string{"19851210", "10121985", "12101985", "101285", "851210", "121085", "012158"} {
		for _, secret := range []string{"kx" + tail, tail + "kx", "K" + tail + "Z"} {
			require.Equal(t, rule.Personal, ruleOf(t, password.Check(secret, []string{"1985-12-10"})), "%q", secret)
		}
	}
}

// A secret that breaks several rules is told the first, always the same.
func TestCheckNamesTheFirstRule(t *testing.T) {
	personal := []string{"123456", "password", "14031953", "Mario"}
	for _, tt := range []struct {
		rules  choice.Rules
		secret string
		want   rule.Rule
	}{
		{pin4, "123456", rule.Length},
		{pin6, "aaaaaa", rule.Characters},
		{password, "password", rule.Common},
		{pin6, "111111", rule.Repeated},
		{pin6, "123456", rule.Sequence},
		{pin8, "99999998", rule.Repeated},
		{pin6, "012346", rule.Sequence},
		{pin8, "14031953", rule.Date},
		{inps, "MARIO123", rule.Common},
	} {
		for range 20 {
			assert.Equal(t, tt.want, ruleOf(t, tt.rules.Check(tt.secret, personal)), tt.secret)
		}
	}
}

func TestErrorsHoldNothing(t *testing.T) {
	for _, tt := range []struct {
		rules  choice.Rules
		secret string
	}{
		{pin6, "8375179"},
		{pin6, "83751x"},
		{password, "password"},
		{pin6, "323232"},
		{pin6, "890123"},
		{pin6, "140385"},
		{inps, "K7MARIO2"},
	} {
		err := tt.rules.Check(tt.secret, mario)
		require.Error(t, err)
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Error("refused", "err", err)
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), log.String()} {
			require.NotContains(t, strings.ToLower(text), strings.ToLower(tt.secret))
			require.NotContains(t, strings.ToLower(text), "mario")
		}
	}
}

func TestErrorTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range []rule.Rule{
		rule.Length, rule.Characters, rule.Common, rule.Repeated, rule.Sequence,
		rule.Date, rule.Personal, "another",
	} {
		text := (&choice.Error{Rule: rule}).Error()
		require.True(t, strings.HasPrefix(text, "choice: refused"), text)
		require.False(t, seen[text], "%s says the same as another rule", rule)
		seen[text] = true
	}
}

func TestRulesThatCannotBeUsedRefuseEverything(t *testing.T) {
	for name, rules := range map[string]choice.Rules{
		"zero":         {},
		"no form":      {Min: 6, Max: 6},
		"unknown form": {Form: 9, Min: 6, Max: 6},
		"too short":    {Form: choice.Digits, Min: 3, Max: 6},
		"too long":     {Form: choice.Password, Min: 8, Max: 129},
		"upside down":  {Form: choice.Digits, Min: 8, Max: 6},
		"empty word":   {Form: choice.Digits, Min: 6, Max: 6, Words: []string{"a", ""}},
		"long word":    {Form: choice.Digits, Min: 6, Max: 6, Words: []string{strings.Repeat("a", 65)}},
		"bad word":     {Form: choice.Digits, Min: 6, Max: 6, Words: []string{"\xff"}},
		"many words":   {Form: choice.Digits, Min: 6, Max: 6, Words: make([]string, 257)},
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, rules.Validate())
			err := rules.Check("837517", nil)
			require.Error(t, err)
			_, refused := errors.AsType[*choice.Error](err)
			require.False(t, refused, "a fault of the policy is not told to the visitor as theirs")
		})
	}
	for _, rules := range []choice.Rules{pin4, pin6, inps, password, phrase} {
		require.NoError(t, rules.Validate())
	}
}

func TestGuessBits(t *testing.T) {
	for _, tt := range []struct {
		form   choice.Form
		length int
		want   float64
	}{
		{choice.Digits, 4, 6.64},
		{choice.Digits, 6, 9.97},
		{choice.Digits, 8, 13.29},
		{choice.Alphanumeric, 8, 20.68},
		{choice.Password, 8, 26.22},
		{choice.Password, 15, 49.16},
		{choice.Digits, 0, 0},
		{choice.Digits, -3, 0},
		{0, 8, 0},
		{77, 8, 0},
	} {
		require.InDelta(t, tt.want, choice.GuessBits(tt.form, tt.length), 0.005, "%d %d", tt.form, tt.length)
	}
}
