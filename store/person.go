package store

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
)

// exported is a line of an export.
type exported struct {
	Kind    string     `json:"kind"`
	Expires *time.Time `json:"expires,omitempty"`
	// Value holds the fields that may leave; Withheld says that this program does not know the kind.
	Value    any  `json:"value,omitempty"`
	Withheld bool `json:"withheld,omitempty"`
}

// Export writes what is stored about one person, for a request under Articles 15 and 20 of the GDPR or the like: a line of JSON
// for each record, with its kind, when it expires, and its value. It also writes records that have expired and are not purged
// yet.
//
// Of a value, it writes only the fields whose struct tag says so, at every depth:
//
//	Address string `json:"address" export:"yes"`
//	Citizen civicpin.Subject `json:"citizen" export:"subject"`
//
// It withholds everything else: hashes, codes, seeds, the texts of parts. They would help only an attacker who asks in the
// person's name. For the same reason it writes no ids of records. The second tag is for a record that is about a subject, but
// not kept under it: it belongs to the subject that the field names. Tags are found through [NewKind], so make all services of
// the program first; a record of a kind that none of them made is written as withheld.
//
// Storage keys do not tell which records belong to one person, so Export looks at every record in the store. Records written
// meanwhile may be missing. A line that was written after the Progress from which a pass goes on comes twice. Errors:
//   - [ErrNoListing]: the store is no [Lister].
//   - what w returned: the pass ended.
//   - [ErrUnreadable]: some records do not open, and may be the person's. It is reported at the end.
//   - the store's.
func (v *Vault) Export(ctx context.Context, w io.Writer, subject civicpin.Subject, p Pass) (Progress, error) {
	if err := subject.Validate(); err != nil {
		return Progress{Last: p.After}, err
	}
	var failed error // w's, whatever it matches
	at, err := v.walk(ctx, "", p, func(item Item) (bool, error) {
		env, ok, err := v.about(ctx, item, subject)
		if !ok || err != nil {
			return false, err
		}
		line := exported{Kind: kindOf(item.Key)}
		if expires := env.expires(); !expires.IsZero() {
			line.Expires = new(expires.UTC())
		}
		if t, known := v.types.Load(line.Kind); known {
			value := reflect.New(t.(reflect.Type))
			if err := env.decode(value.Interface()); err != nil {
				return false, fmt.Errorf("%w: %s value", ErrUnreadable, line.Kind)
			}
			line.Value = mayLeave(value.Elem(), false)
		} else {
			line.Withheld = true
		}
		out, err := json.Marshal(line)
		if err != nil {
			return false, fmt.Errorf("store: export %s: %w", line.Kind, err)
		}
		if _, failed = w.Write(append(out, '\n')); failed != nil {
			return false, errBrokenOff
		}
		return true, nil
	})
	if failed != nil {
		err = fmt.Errorf("store: export: %w", failed)
	}
	return at, err
}

// errBrokenOff ends a walk.
var errBrokenOff = errors.New("store: broken off")

// Erase deletes what is stored about one person, messages that wait to be sent included. [Vault.Export] says which records
// those are; an audit log is not among them. Revoke the person's credentials first: Erase deletes one record after the other, a
// count of guesses perhaps before the secret that it guards, and a login at the same time would write again what was just
// deleted. Erase may be broken off and run again. The person is gone when a walk from the first record to the last changes and
// misses none, and in backups when those are gone. Errors:
//   - [ErrNoListing]: the store is no [Lister].
//   - [ErrUnreadable]: some records do not open, and may be the person's. It is reported at the end.
//   - the store's.
func (v *Vault) Erase(ctx context.Context, subject civicpin.Subject, p Pass) (Progress, error) {
	if err := subject.Validate(); err != nil {
		return Progress{Last: p.After}, err
	}
	return v.walk(ctx, "", p, func(item Item) (bool, error) {
		if _, ok, err := v.about(ctx, item, subject); !ok || err != nil {
			return false, err
		}
		err := v.store.Delete(ctx, item.Key, item.Version)
		return err == nil, err
	})
}

// about opens a record and reports whether it is about a subject.
func (v *Vault) about(ctx context.Context, item Item, subject civicpin.Subject) (env envelope, ok bool, err error) {
	kind := kindOf(item.Key)
	plain, _, err := v.open(ctx, kind, item.Key, item.Value)
	if err != nil {
		return env, false, err
	}
	if err := strictJSON(plain, &env); err != nil {
		return env, false, fmt.Errorf("%w: %s envelope", ErrUnreadable, kind)
	}
	if env.Subject != "" {
		return env, env.Subject == subject, nil
	}
	t, known := v.types.Load(kind)
	if !known {
		return env, false, nil
	}
	field, has := subjectField(t.(reflect.Type))
	if !has {
		return env, false, nil
	}
	value := reflect.New(t.(reflect.Type))
	if err := env.decode(value.Interface()); err != nil {
		return env, false, fmt.Errorf("%w: %s value", ErrUnreadable, kind)
	}
	return env, value.Elem().FieldByIndex(field.Index).String() == string(subject), nil
}

// The values of the tag "export".
const (
	exportTag     = "export"
	exportYes     = "yes"
	exportSubject = "subject"
)

// subjectField returns the field of a record's type that names whom it is about.
func subjectField(t reflect.Type) (reflect.StructField, bool) {
	if t.Kind() == reflect.Struct {
		for field := range t.Fields() {
			if field.Tag.Get(exportTag) == exportSubject {
				return field, true
			}
		}
	}
	return reflect.StructField{}, false
}

// checkExport refuses tags that would silently mean nothing.
func checkExport(t reflect.Type, seen map[reflect.Type]bool) error {
	if seen[t] {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return checkExport(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			switch tag, has := field.Tag.Lookup(exportTag); {
			case has && tag != exportYes && (tag != exportSubject || field.Type != reflect.TypeFor[civicpin.Subject]()):
				return fmt.Errorf("%w: field %s of %s: the tag export is \"yes\", or \"subject\" at a civicpin.Subject",
					civicpin.ErrInvalid, field.Name, t)
			case has && !field.IsExported():
				return fmt.Errorf("%w: field %s of %s has the tag export, but is not encoded", civicpin.ErrInvalid, field.Name, t)
			}
			if err := checkExport(field.Type, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayLeave returns what of a value may be exported, for encoding/json. A struct goes field by field, unless it encodes itself,
// as a time does; what is not a struct may leave if the field that holds it may, which is named.
func mayLeave(v reflect.Value, named bool) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return mayLeave(v.Elem(), named)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		all := make([]any, v.Len())
		for i := range all {
			all[i] = mayLeave(v.Index(i), named)
		}
		return all
	case reflect.Map:
		if !named {
			return nil // no record would name its keys
		}
		all := make(map[string]any, v.Len())
		for key, value := range v.Seq2() {
			all[fmt.Sprint(key)] = mayLeave(value, named)
		}
		return all
	case reflect.Struct:
		switch v.Interface().(type) {
		case json.Marshaler, encoding.TextMarshaler:
		default:
			return fieldsThatMayLeave(v)
		}
	}
	if !named {
		return nil
	}
	return v.Interface()
}

func fieldsThatMayLeave(v reflect.Value) map[string]any {
	fields := make(map[string]any)
	for field, value := range v.Fields() {
		if field.Anonymous && field.Type.Kind() == reflect.Struct && field.Tag.Get("json") == "" { // as encoding/json does
			maps.Copy(fields, fieldsThatMayLeave(value))
			continue
		}
		if field.Tag.Get(exportTag) == "" || value.IsZero() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		fields[name] = mayLeave(value, true)
	}
	return fields
}
