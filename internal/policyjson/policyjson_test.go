package policyjson_test

import (
	"math"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/policyjson"
	"github.com/civicpin/civicpin/internal/standard"
)

type inner struct {
	Rate float64
	On   bool
}

type outer struct {
	Name   string
	Count  int
	Small  uint8
	Wide   uint32
	Long   int64
	For    time.Duration
	Level  civicpin.Level
	Inner  inner
	Words  []string
	Levels map[civicpin.Method]civicpin.Level
	Times  map[string]time.Duration
	There  *inner
	List   *[]string
	Each   []choice
	Lock   lock
	By     map[civicpin.Channel]int
	To     []civicpin.Channel

	OwnChannels []civicpin.Channel

	hidden bool
}

type lock string

var locks = policyjson.Of[lock]("timed", "until-unlocked")

type choice struct {
	Inner *inner
	Word  *string
}

func TestRoundTrip(t *testing.T) {
	for _, tc := range []struct {
		v    outer
		text string
	}{
		{outer{}, `{}`},
		{outer{Name: `a"b<>`, Count: -3, Small: 255, Wide: 1 << 31}, `{"name":"a\"b\u003c\u003e","count":-3,"small":255,"wide":2147483648}`},
		{outer{Long: math.MinInt64}, `{"long":-9223372036854775808}`},
		{outer{There: new(inner), List: new([]string)}, `{"there":{},"list":[]}`},
		{
			outer{Each: []choice{{Inner: &inner{On: true}}, {}, {Word: new("")}}},
			`{"each":[{"inner":{"on":true}},{},{"word":""}]}`,
		},
		{outer{For: 90 * 24 * time.Hour}, `{"for":"90d"}`},
		{outer{For: 90 * time.Minute}, `{"for":"1h30m"}`},
		{outer{For: time.Hour}, `{"for":"1h"}`},
		{outer{For: 10 * time.Second}, `{"for":"10s"}`},
		{outer{For: 20 * time.Minute}, `{"for":"20m"}`},
		{outer{For: time.Hour + time.Nanosecond}, `{"for":"1h0m0.000000001s"}`},
		{outer{For: -36 * time.Hour}, `{"for":"-36h"}`},
		{outer{Level: civicpin.High, Inner: inner{Rate: 0.5, On: true}}, `{"level":"high","inner":{"rate":0.5,"on":true}}`},
		{outer{Words: []string{"x", ""}}, `{"words":["x",""]}`},
		{
			outer{Lock: "timed", By: map[civicpin.Channel]int{"pec": 1}, To: []civicpin.Channel{"sms"}, OwnChannels: []civicpin.Channel{"pec"}},
			`{"lock":"timed","by":{"pec":1},"to":["sms"],"ownChannels":["pec"]}`,
		},
		{
			outer{Levels: map[civicpin.Method]civicpin.Level{"b": civicpin.Low, "a": civicpin.NoLevel}, Times: map[string]time.Duration{"z": 0}},
			`{"levels":{"a":"none","b":"low"},"times":{"z":"0s"}}`,
		},
	} {
		text, err := policyjson.Marshal(tc.v)
		require.NoError(t, err)
		require.Equal(t, tc.text, string(text))
		var back outer
		require.NoError(t, policyjson.Unmarshal(text, &back, locks), tc.text)
		require.Equal(t, tc.v, back)
	}
}

func TestErrorsLeaveTheValueAndNameTheField(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "line 1, column 1: the policy or plan: want JSON",
		`7`:                                "want an object",
		`{"nobody":1}`:                     `line 1, column 2: the policy or plan: want one of the fields name, count,`,
		`{"hidden":true}`:                  `and there is "hidden"`,
		`{"Name":"x"}`:                     `and there is "Name"`,
		`{"name":"x","name":"y"}`:          "stands twice",
		`{"levels":{"a":"low","a":"low"}}`: "stands twice",
		`{"count":1.5}`:                    "count: want a whole number",
		`{"count":"1"}`:                    "count: want a whole number",
		`{"small":256}`:                    "small: want a whole number",
		`{"small":-1}`:                     "small: want a whole number",
		`{"wide":4294967296}`:              "wide: want a whole number",
		`{"for":15}`:                       "for: want a duration",
		`{"for":"d"}`:                      "for: want a duration",
		`{"for":"1.5d"}`:                   "for: want a duration",
		`{"level":"huge"}`:                 `level: want "none", "low", "substantial", "high"`,
		`{"level":3}`:                      `level: want "none", "low", "substantial", "high"`,
		`{"inner":{"on":1}}`:               "inner.on: want true or false",
		`{"inner":{"rate":1e999}}`:         "inner.rate: want a number",
		`{"inner":[]}`:                     "inner: want an object",
		`{"long":9223372036854775808}`:     "long: want a whole number",
		`{"there":null}`:                   "there: want an object",
		`{"there":{},"there":{}}`:          "stands twice",
		`{"each":[{"word":null}]}`:         "each[0].word: want a string",
		`{"each":[null]}`:                  "each[0]: want an object",
		`{"words":{}}`:                     "words: want a list",
		`{"words":[1]}`:                    "line 1, column 11: words[0]: want a string",
		`{"words":["a"`:                    "words: want a closing bracket",
		`{"name":null}`:                    "name: want a string",
		`{"name":"x"`:                      "want a closing brace",
		`{} {}`:                            "column 4: the policy or plan: want nothing behind the policy",
		`{"name":"x"}]`:                    "nothing behind",
		"{\n \"name\": \"ñ\", \"on\": 1}":  "line 2, column 15: the policy or plan: want one of the fields",
		"{\n\n\t\"for\":\n 7}":             "line 4, column 2: for: want a duration",
		`{"times":{"` + "\n" + `":1}}`:     "times: want the name of a field",
		`{"times":{"\n":1}}`:               `times."\n": want a duration`,
		`{"lock":"until"}`:                 `lock: want "timed", "until-unlocked"`,
		`{"by":{"sms":1,"emial":2}}`:       `line 1, column 16: by.emial: want "sms", "voice", "email", "certified-email", "push", "letter"`,
		`{"to":["sms","pec"],"ownChannels":["pack"]}`: `column 14: to[1]: want "sms", "voice", "email", "certified-email", "push", "letter", "handed-over", or "pec" in ownChannels`,
	} {
		v := outer{Name: "as it was", hidden: true}
		require.ErrorContains(t, policyjson.Unmarshal([]byte(text), &v, locks), want, text)
		require.Equal(t, outer{Name: "as it was", hidden: true}, v)
	}
}

// Whatever the text, reading does not panic, leaves the value on an error, and reads what is written of what it read.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"name":"a\"b","level":"high","inner":{"rate":0.5},"each":[{"word":""},{}],"by":{"sms":1,"pec":2},"ownChannels":["pec"]}`))
	f.Add([]byte("{\n\t\"for\": \"90d\", \"times\": {\"a\": \"1h30m\"}, \"list\": [], \"there\": {}\n}"))
	f.Add([]byte(`{"to":["emial"],"lock":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		v := outer{Name: "as it was"}
		if err := policyjson.Unmarshal(text, &v, locks); err != nil {
			require.Equal(t, outer{Name: "as it was"}, v)
			require.Regexp(t, `^policyjson: (line \d+, column \d+: .+: want |more than )`, err)
			return
		}
		written, err := policyjson.Marshal(v)
		require.NoError(t, err)
		var back outer
		require.NoError(t, policyjson.Unmarshal(written, &back, locks))
		again, err := policyjson.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(written), string(again))
	})
}

// Each channel that package civicpin exports is listed, or policies that use it would be refused as misspelt.
func TestChannels(t *testing.T) {
	surface, err := os.ReadFile("../../api/civicpin.txt")
	require.NoError(t, err)
	var exported []civicpin.Channel
	for _, m := range regexp.MustCompile(`(?m)^const \w+ Channel = "(.+)"$`).FindAllSubmatch(surface, -1) {
		exported = append(exported, civicpin.Channel(m[1]))
	}
	require.NotEmpty(t, exported)
	require.ElementsMatch(t, exported, standard.Channels())
}

func TestCheckChannels(t *testing.T) {
	type list = []civicpin.Channel
	var many list
	for c := range 17 {
		many = append(many, civicpin.Channel(rune('A'+c)))
	}
	for name, tc := range map[string]struct {
		list, own list
		ok        bool
	}{
		"none":             {nil, nil, true},
		"civicpin's":       {standard.Channels(), nil, true},
		"misspelt":         {list{"emial"}, nil, false},
		"declared":         {list{"kiosk", "sms"}, list{"kiosk"}, true},
		"another declared": {list{"kiosk"}, list{"kiosc"}, false},
		"sixteen declared": {nil, many[:16], true},
		"seventeen":        {nil, many, false},
		"civicpin's own":   {nil, list{"sms"}, false},
		"twice":            {nil, list{"kiosk", "kiosk"}, false},
		"empty":            {nil, list{""}, false},
		"unprintable":      {nil, list{"a\nb"}, false},
	} {
		require.Equal(t, tc.ok, standard.CheckChannels("Valid", tc.list, tc.own) == nil, name)
	}
}
