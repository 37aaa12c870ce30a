// Package policyjson writes and reads policies as JSON that people edit: durations as "15m" or "90d", levels by name, field
// names in lower camel case, zero fields and nil pointers left out. Reading is strict: unknown and repeated names, null, and
// anything after the value are errors.
package policyjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
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
		return writeObject(b, func(yield func(string, reflect.Value)) { fields(v, yield) })
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

// fields yields the fields of a struct that are not zero.
func fields(v reflect.Value, yield func(string, reflect.Value)) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); data(f) && !v.Field(i).IsZero() {
			yield(fieldName(f.Name), v.Field(i))
		}
	}
}

func writeObject(b *bytes.Buffer, fields func(yield func(string, reflect.Value))) error {
	b.WriteByte('{')
	var err error
	first := true
	fields(func(name string, v reflect.Value) {
		if err != nil {
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
