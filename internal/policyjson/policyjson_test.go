package policyjson_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/policyjson"
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
}

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
			outer{Levels: map[civicpin.Method]civicpin.Level{"b": civicpin.Low, "a": civicpin.NoLevel}, Times: map[string]time.Duration{"z": 0}},
			`{"levels":{"a":"none","b":"low"},"times":{"z":"0s"}}`,
		},
	} {
		text, err := policyjson.Marshal(tc.v)
		require.NoError(t, err)
		require.Equal(t, tc.text, string(text))
		var back outer
		require.NoError(t, policyjson.Unmarshal(text, &back), tc.text)
		require.Equal(t, tc.v, back)
	}
}

func TestErrorsLeaveTheValueAndNameTheField(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "want JSON",
		`7`:                                "want an object",
		`{"nobody":1}`:                     `no field "nobody"`,
		`{"Name":"x"}`:                     `no field "Name"`,
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
		`{"level":"huge"}`:                 "level: want a known name",
		`{"level":3}`:                      "level: want a known name",
		`{"inner":{"on":1}}`:               "inner.on: want true or false",
		`{"inner":{"rate":1e999}}`:         "inner.rate: want a number",
		`{"inner":[]}`:                     "inner: want an object",
		`{"long":9223372036854775808}`:     "long: want a whole number",
		`{"there":null}`:                   "there: want an object",
		`{"there":{},"there":{}}`:          "stands twice",
		`{"each":[{"word":null}]}`:         "each.word: want a string",
		`{"each":[null]}`:                  "each: want an object",
		`{"words":{}}`:                     "words: want a list",
		`{"words":[1]}`:                    "words: want a string",
		`{"words":["a"`:                    "words: want a closing bracket",
		`{"name":null}`:                    "name: want a string",
		`{"name":"x"`:                      "want a closing brace",
		`{} {}`:                            "follows",
		`{"name":"x"}]`:                    "follows",
	} {
		v := outer{Name: "as it was"}
		require.ErrorContains(t, policyjson.Unmarshal([]byte(text), &v), want, text)
		require.Equal(t, outer{Name: "as it was"}, v)
	}
}
