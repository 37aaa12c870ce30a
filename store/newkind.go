package store

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
)

// NewKind returns the kind of that name: 1 to 64 ASCII letters, digits and "-_.", and not "vault". Two kinds of one name in one
// vault are the same records. Another name is an error. So is a T that holds a [civicpin.Secret], which would be stored as
// "[redacted]": keep the text. So is a tag "export" with a text that [Vault.Export] does not name.
func NewKind[T any](v *Vault, name string) (Kind[T], error) {
	if v == nil || !names.Valid(name, 64) || name == canaryKind {
		return Kind[T]{}, errors.New(
			`store: NewKind: no vault, or a name that is "vault" or not 1 to 64 of ASCII letters, digits, - _ and period`,
		)
	}
	if holdsSecret(reflect.TypeFor[T](), make(map[reflect.Type]bool)) {
		return Kind[T]{}, fmt.Errorf("store: NewKind: %s holds a civicpin.Secret, which cannot be stored", reflect.TypeFor[T]())
	}
	if err := checkExport(reflect.TypeFor[T](), make(map[reflect.Type]bool)); err != nil {
		return Kind[T]{}, fmt.Errorf("store: NewKind: %w", err)
	}
	v.types.LoadOrStore(name, reflect.TypeFor[T]())
	return Kind[T]{vault: v, name: name}, nil
}

// holdsSecret reports whether values of a type can hold a Secret, as far as the type tells.
func holdsSecret(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == reflect.TypeFor[civicpin.Secret]() {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsSecret(t.Elem(), seen)
	case reflect.Map:
		return holdsSecret(t.Key(), seen) || holdsSecret(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if holdsSecret(field.Type, seen) {
				return true
			}
		}
	}
	return false
}

// Corrected returns the kind with a function that corrects what it reads, before any reader sees it: times that no clock could
// have written that was right. The function is given each entry that is found, with the time by the vault's clock, and reports
// whether its change is to be kept. A read by key then writes the record, once; a failure of that write is passed over. A
// change that another process, by another clock, would not make is not to be kept.
func (k Kind[T]) Corrected(mend func(e *Entry[T], now time.Time) (keep bool)) Kind[T] {
	k.mend = mend
	return k
}

// correct corrects the entry, and reports whether that is to be kept.
func (k Kind[T]) correct(e *Entry[T]) bool {
	return k.mend != nil && e.found && k.mend(e, k.vault.Now())
}
