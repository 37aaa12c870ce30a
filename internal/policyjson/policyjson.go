// Package policyjson writes and reads policies as JSON that people edit: durations as "15m" or "90d", levels by name, field
// names in lower camel case, zero fields and nil pointers left out. Reading is strict: unknown and repeated names, null, and
// anything after the value are errors.
package policyjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxInput = 64 << 10 // bytes; a policy is a page of text
	day      = 24 * time.Hour
)

var durationType = reflect.TypeFor[time.Duration]()

// Marshal writes a struct of strings, booleans, numbers, durations, text marshalers, slices, maps with string keys, structs,
// and pointers to all of these, which tell a zero value from one that is not there. It leaves functions out.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := write(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func write(b *bytes.Buffer, v reflect.Value) error {
	if v.Type() == durationType {
		return writeJSON(b, Duration(time.Duration(v.Int())))
	}
	if _, ok := v.Interface().(encoding.TextMarshaler); ok {
		return writeJSON(b, v.Interface())
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return write(b, v.Elem())
		}
	case reflect.Struct:
		return writeObject(b, func(yield func(string, reflect.Value)) {
			for i := range v.NumField() {
				if !v.Field(i).IsZero() {
					yield(fieldName(v.Type().Field(i).Name), v.Field(i))
				}
			}
		})
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		return writeObject(b, func(yield func(string, reflect.Value)) {
			for _, k := range keys {
				yield(k.String(), v.MapIndex(k))
			}
		})
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := write(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint32, reflect.Float64:
		return writeJSON(b, v.Interface())
	}
	return fmt.Errorf("policyjson: cannot write %s", v.Type())
}

func writeObject(b *bytes.Buffer, fields func(yield func(string, reflect.Value))) error {
	b.WriteByte('{')
	var err error
	first := true
	fields(func(name string, v reflect.Value) {
		if err != nil || v.Kind() == reflect.Func {
			return
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err = writeJSON(b, name); err == nil {
			b.WriteByte(':')
			err = write(b, v)
		}
	})
	b.WriteByte('}')
	return err
}

func writeJSON(b *bytes.Buffer, v any) error {
	text, err := json.Marshal(v)
	b.Write(text)
	return err
}

// Unmarshal reads into the struct that v points to. On an error the struct is left as it was. Errors name the field.
func Unmarshal(data []byte, v any) error {
	if len(data) > maxInput {
		return fmt.Errorf("policyjson: more than %d bytes", maxInput)
	}
	to := reflect.ValueOf(v).Elem()
	fresh := reflect.New(to.Type()).Elem()
	d := newDecoder(data)
	if err := read(d, fresh, "policy"); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("policyjson: something follows the policy")
	}
	to.Set(fresh)
	return nil
}

// read reads one value into v. Recursion is as deep as v's type, whatever the input.
func read(d *decoder, v reflect.Value, name string) error {
	bad := func(want string) error { return fmt.Errorf("policyjson: %s: want %s", name, want) }
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return read(d, v.Elem(), name)
	}
	token, err := d.Token()
	if err != nil {
		return bad("JSON")
	}
	text, isText := token.(string)
	if v.Type() == durationType {
		n, err := parseDuration(text)
		if !isText || err != nil {
			return bad(`a duration such as "15m" or "90d"`)
		}
		v.SetInt(int64(n))
		return nil
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if !isText || u.UnmarshalText([]byte(text)) != nil {
			return bad("a known name")
		}
		return nil
	}
	number, isNumber := token.(json.Number)
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		if token != json.Delim('{') {
			return bad("an object")
		}
		return readObject(d, v, name)
	case reflect.Slice:
		if token != json.Delim('[') {
			return bad("a list")
		}
		for d.More() {
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			if err := read(d, v.Index(v.Len()-1), name); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return bad("a closing bracket")
		}
	case reflect.String:
		if !isText {
			return bad("a string")
		}
		v.SetString(text)
	case reflect.Bool:
		b, ok := token.(bool)
		if !ok {
			return bad("true or false")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint32:
		n, err := strconv.ParseInt(number.String(), 10, 64)
		signed := v.CanInt()
		if !isNumber || err != nil || signed && v.OverflowInt(n) || !signed && (n < 0 || v.OverflowUint(uint64(n))) {
			return bad("a whole number")
		}
		if signed {
			v.SetInt(n)
		} else {
			v.SetUint(uint64(n))
		}
	case reflect.Float64:
		f, err := number.Float64()
		if !isNumber || err != nil || math.IsInf(f, 0) {
			return bad("a number")
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("policyjson: %s: cannot read %s", name, v.Type())
	}
	return nil
}

// readObject reads the fields of an object whose opening brace has been read.
func readObject(d *decoder, v reflect.Value, name string) error {
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return fmt.Errorf("policyjson: %s: want a field name", name)
		}
		if seen[key] {
			return fmt.Errorf("policyjson: %s: a field stands twice", name)
		}
		seen[key] = true
		if v.Kind() == reflect.Map {
			value := reflect.New(v.Type().Elem()).Elem()
			if err := read(d, value, name+"."+key); err != nil {
				return err
			}
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
			continue
		}
		field := v.FieldByNameFunc(func(n string) bool { return fieldName(n) == key })
		if !field.IsValid() || field.Kind() == reflect.Func {
			return fmt.Errorf("policyjson: %s has no field %q", name, key)
		}
		if err := read(d, field, name+"."+key); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("policyjson: %s: want a closing brace", name)
	}
	return nil
}

// fieldName turns "MaxAge" into "maxAge".
func fieldName(name string) string {
	r := []rune(name)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}

// Duration writes whole days as "90d", and anything else as time.Duration does, without empty trailing units.
func Duration(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
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
