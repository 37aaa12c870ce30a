package policyjson

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
)

// ownChannels is the field, of the outermost struct, that declares the channels of the caller's own.
const ownChannels = "OwnChannels"

// Words are the texts that values of one type may have.
type Words struct {
	of   reflect.Type
	list []string
}

// Of returns the words of a type.
func Of[T ~string](list ...T) Words {
	w := Words{of: reflect.TypeFor[T]()}
	for _, word := range list {
		w.list = append(w.list, string(word))
	}
	return w
}

// A reader reads one policy.
type reader struct {
	*decoder
	words []Words
	// own are the channels that are none of package civicpin's, with the error that each is if it is not declared.
	own map[civicpin.Channel]error
}

// Unmarshal reads into the struct that v points to. On an error the struct is left as it was. Errors name line, column, field
// and what it takes. A channel is one of package civicpin's, or one that the field OwnChannels lists.
func Unmarshal(data []byte, v any, words ...Words) error {
	if len(data) > maxInput {
		return fmt.Errorf("policyjson: more than %d bytes", maxInput)
	}
	to := reflect.ValueOf(v).Elem()
	fresh := reflect.New(to.Type()).Elem()
	r := &reader{decoder: newDecoder(data), words: words, own: make(map[civicpin.Channel]error)}
	if err := r.value(fresh, ""); err != nil {
		return err
	}
	if r.rest() > 0 {
		return r.wrong(r.next(), "", "nothing behind the policy")
	}
	if err := r.undeclared(fresh); err != nil {
		return err
	}
	to.Set(fresh)
	return nil
}

// undeclared returns the error of a channel that the policy does not declare.
func (r *reader) undeclared(policy reflect.Value) error {
	if field := policy.FieldByName(ownChannels); field.IsValid() {
		for _, c := range field.Interface().([]civicpin.Channel) {
			delete(r.own, c)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(r.own)) {
		return r.own[c]
	}
	return nil
}

// wrong is the error of a value, or of the name of a field, that begins at an offset.
func (r *reader) wrong(at int, path, want string) error {
	line, column := r.position(at)
	if path == "" {
		path = "the policy or plan"
	}
	return fmt.Errorf("policyjson: line %d, column %d: %s: want %s", line, column, path, want)
}

// value reads one value into v. Recursion is as deep as v's type, whatever the input.
func (r *reader) value(v reflect.Value, path string) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return r.value(v.Elem(), path)
	}
	at := r.next()
	token, err := r.Token()
	if err != nil {
		return r.wrong(at, path, "JSON")
	}
	want := ""
	switch {
	case v.Kind() == reflect.Struct || v.Kind() == reflect.Map:
		if token == json.Delim('{') {
			return r.object(v, path)
		}
		want = "an object"
	case v.Kind() == reflect.Slice:
		if token == json.Delim('[') {
			return r.list(v, path)
		}
		want = "a list"
	default:
		want = r.scalar(v, token, at, path)
	}
	if want != "" {
		return r.wrong(at, path, want)
	}
	return nil
}

// list reads the values of a list whose opening bracket has been read.
func (r *reader) list(v reflect.Value, path string) error {
	for r.More() {
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		if err := r.value(v.Index(v.Len()-1), fmt.Sprintf("%s[%d]", path, v.Len()-1)); err != nil {
			return err
		}
	}
	at := r.next()
	if _, err := r.Token(); err != nil {
		return r.wrong(at, path, "a closing bracket")
	}
	return nil
}

// object reads the fields of an object whose opening brace has been read.
func (r *reader) object(v reflect.Value, path string) error {
	seen := make(map[string]bool)
	for r.More() {
		at := r.next()
		token, err := r.Token()
		key, ok := token.(string)
		switch {
		case err != nil || !ok:
			return r.wrong(at, path, "the name of a field")
		case seen[key]:
			return r.wrong(at, path, fmt.Sprintf("each field once, and %q stands twice", key))
		}
		seen[key] = true
		if v.Kind() == reflect.Map {
			err = r.entry(v, key, at, join(path, key))
		} else {
			err = r.field(v, key, at, path)
		}
		if err != nil {
			return err
		}
	}
	at := r.next()
	if _, err := r.Token(); err != nil {
		return r.wrong(at, path, "a closing brace")
	}
	return nil
}

// entry reads the value of a map's key.
func (r *reader) entry(v reflect.Value, key string, at int, path string) error {
	k := reflect.New(v.Type().Key()).Elem()
	if want := r.text(k, key, at, path); want != "" {
		return r.wrong(at, path, want)
	}
	value := reflect.New(v.Type().Elem()).Elem()
	if err := r.value(value, path); err != nil {
		return err
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	v.SetMapIndex(k, value)
	return nil
}

// field reads the value of a struct's field.
func (r *reader) field(v reflect.Value, key string, at int, path string) error {
	field, ok := v.Type().FieldByNameFunc(func(n string) bool { return fieldName(n) == key })
	if ok && data(field) {
		return r.value(v.FieldByIndex(field.Index), join(path, key))
	}
	if v.NumField() == 0 {
		return r.wrong(at, path, fmt.Sprintf("no field, and there is %q", key))
	}
	var fields []string
	for i := range v.NumField() {
		if f := v.Type().Field(i); data(f) {
			fields = append(fields, fieldName(f.Name))
		}
	}
	return r.wrong(at, path, fmt.Sprintf("one of the fields %s, and there is %q", strings.Join(fields, ", "), key))
}

// data reports whether a field is part of the text: it is exported, and no function.
func data(field reflect.StructField) bool {
	return field.IsExported() && field.Type.Kind() != reflect.Func
}
