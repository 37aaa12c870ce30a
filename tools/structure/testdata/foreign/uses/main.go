// Uses runs the public API, and then tries to complete recoveries that never were: the compiler infers the type of the proof,
// though this module cannot name it. It prints what came of each try.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"reflect"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const subject = civicpin.Subject("RSSMRA85T10A562S")

var (
	phone = civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567"}
	mail  = civicpin.Contact{Channel: civicpin.Email, Address: "maria@example.org"}
)

// ofComplete and ofRecovered return the zero value of what a method takes.
func ofComplete[T any](func(context.Context, T) (pin.Grant, error)) (zero T) { return zero }

func ofRecovered[T any](func(context.Context, T) error) (zero T) { return zero }

// filled sets the fields of a struct by name, and each other boolean, as one may be the seal.
func filled[T any](zero T, fields map[string]any) T {
	v := reflect.ValueOf(&zero).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if value, ok := fields[v.Type().Field(i).Name]; ok {
			f.Set(reflect.ValueOf(value))
		} else if f.Kind() == reflect.Bool {
			func() {
				defer func() { _ = recover() }()
				f.SetBool(true)
			}()
		}
	}
	return zero
}

// decoded reads a struct from JSON, with all the names that its seal could have.
func decoded[T any](zero T, text string) T {
	if err := json.Unmarshal([]byte(text), &zero); err != nil {
		log.Fatal(err)
	}
	return zero
}

// outcome tells whether a proof was refused as one that is not genuine.
func outcome(err, refused error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, refused):
		return "refused"
	}
	return err.Error()
}

func main() {
	pins, contacts, err := services()
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = pins.Issue(ctx, subject, pin.IssueOptions{Parts: []civicpin.Contact{phone, mail}, By: civicpin.Operator("desk")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("issued")
	epoch := func() uint64 { // another after each grant
		mark, err := pins.Mark(ctx, subject)
		if err != nil {
			log.Fatal(err)
		}
		return mark.Epoch
	}

	p := ofComplete(pins.Complete)
	complete := func(what string) {
		_, err := pins.Complete(ctx, p)
		fmt.Printf("Complete, %s: %s\n", what, outcome(err, pin.ErrNoGrant))
	}
	complete("zero")
	p.Subject, p.Run, p.Epoch, p.Valid = subject, "run", epoch(), time.Hour
	complete("fields")
	p.Epoch, p.Unlock = epoch(), true
	complete("unlock")
	p = filled(ofComplete(pins.Complete), map[string]any{
		"Subject": subject, "Run": "run", "Epoch": epoch(), "Valid": time.Hour, "Creates": false, "Unlock": false, "Repudiated": false,
	})
	complete("reflection")
	p = decoded(ofComplete(pins.Complete), fmt.Sprintf(
		`{"Subject": %q, "Run": "run", "Epoch": %d, "Valid": 3600000000000, "sealed": true, "Sealed": true}`, subject, epoch()))
	complete("JSON")

	r := ofRecovered(contacts.Recovered)
	recovered := func(what string) {
		err := contacts.Recovered(ctx, r)
		fmt.Printf("Recovered, %s: %s\n", what, outcome(err, civicpin.ErrInvalid))
	}
	recovered("zero")
	r.Subject, r.Run, r.Change, r.Corrected, r.By = subject, "run", "change", mail, civicpin.Citizen
	r.Undo = time.Now().Add(time.Hour)
	recovered("fields")
	r.Repudiated = true
	recovered("repudiated")
	r = filled(ofRecovered(contacts.Recovered), map[string]any{
		"Subject": subject, "Run": "run", "Change": "change", "Corrected": mail, "Undo": time.Now().Add(time.Hour),
		"Creates": false, "Unlock": false, "Repudiated": false,
	})
	recovered("reflection")
	r = decoded(ofRecovered(contacts.Recovered), fmt.Sprintf(
		`{"Subject": %q, "Run": "run", "Change": "change", "Corrected": {"Channel": "email", "Address": %q},
			"Undo": "2100-01-01T00:00:00Z", "sealed": true, "Sealed": true}`, subject, mail.Address))
	recovered("JSON")
	list, _, err := contacts.List(ctx, subject)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("contacts:", len(list))
}

// services are those of a portal, over memory.
func services() (*pin.Service, *contact.Service, error) {
	keys, err := store.ParseKeys("civicpin keys 1\n" +
		"index MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\n" +
		"seal k1 c2VhbGluZyBrZXkgZm9yIHRoZSB0ZXN0cyBvbmx5ISE\n")
	if err != nil {
		return nil, nil, err
	}
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), keys, nil)
	if err != nil {
		return nil, nil, err
	}
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		return "", nil
	}), nil)
	if err != nil {
		return nil, nil, err
	}
	pins, err := pin.New(out, pin.INPS())
	if err != nil {
		return nil, nil, err
	}
	contacts, err := contact.New(out, contact.Policy{}, pins)
	return pins, contacts, err
}
