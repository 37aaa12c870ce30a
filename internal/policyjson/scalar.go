package policyjson

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/standard"
)

// scalar sets v to what a token says, or returns what it wants instead.
func (r *reader) scalar(v reflect.Value, token json.Token, at int, path string) (want string) {
	switch token := token.(type) {
	case string:
		return r.text(v, token, at, path)
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(token)
			return ""
		}
	case json.Number:
		return number(v, token)
	}
	return wants(v)
}

// text sets v to a text, or returns what it wants instead.
func (r *reader) text(v reflect.Value, text string, at int, path string) (want string) {
	if v.Type() == durationType {
		d, err := parseDuration(text)
		if err != nil {
			return wants(v)
		}
		v.SetInt(int64(d))
		return ""
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if u.UnmarshalText([]byte(text)) != nil {
			return wants(v)
		}
		return ""
	}
	if v.Kind() != reflect.String {
		return wants(v)
	}
	for _, w := range r.words {
		if w.of == v.Type() && !slices.Contains(w.list, text) {
			return oneOf(w.list)
		}
	}
	v.SetString(text)
	if c, ok := v.Interface().(civicpin.Channel); ok && !slices.Contains(standard.Channels(), c) && r.own[c] == nil {
		r.own[c] = r.wrong(at, path, fmt.Sprintf("%s, or %q in ownChannels", oneOf(standard.Channels()), text))
	}
	return ""
}

// number sets v to a number, or returns what it wants instead.
func number(v reflect.Value, n json.Number) (want string) {
	whole, err := strconv.ParseInt(n.String(), 10, 64)
	switch {
	case v.Type() == durationType:
	case v.CanInt() && err == nil && !v.OverflowInt(whole):
		v.SetInt(whole)
		return ""
	case v.CanUint() && err == nil && whole >= 0 && !v.OverflowUint(uint64(whole)):
		if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); !ok {
			v.SetUint(uint64(whole))
			return ""
		}
	case v.CanFloat():
		if f, err := n.Float64(); err == nil && !math.IsInf(f, 0) {
			v.SetFloat(f)
			return ""
		}
	}
	return wants(v)
}

// wants says what a scalar may be.
func wants(v reflect.Value) string {
	switch {
	case v.Type() == durationType:
		return `a duration such as "15m" or "90d"`
	case v.Type() == reflect.TypeFor[civicpin.Level]():
		return oneOf([]civicpin.Level{civicpin.NoLevel, civicpin.Low, civicpin.Substantial, civicpin.High})
	case v.Kind() == reflect.String:
		return "a string"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanFloat():
		return "a number"
	}
	return "a whole number"
}

// oneOf lists words in quotes.
func oneOf[T any](words []T) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(fmt.Sprint(w))
	}
	return strings.Join(quoted, ", ")
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errors.New("policyjson: not a number of days")
		}
		return time.Duration(n) * day, nil
	}
	return time.ParseDuration(s)
}
