package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A record of one's own in a vault: typed, sealed, and counted up without losing anybody's increment.
func ExampleKind() {
	ctx := context.Background()
	keys, err := store.ParseKeys(`civicpin keys 1
index AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
seal k1 HxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExM`) // use ReadKeyFile, or a key management service
	if err != nil {
		fmt.Println(err)
		return
	}
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	type visits struct{ Count int }
	kind, err := store.NewKind[visits](vault, "visits")
	if err != nil {
		fmt.Println(err)
		return
	}
	key := store.Key{Subject: civicpin.Subject("RSSMRA85T10A562S")}
	for range 3 {
		_, err = kind.Update(ctx, key, func(e *store.Entry[visits]) error {
			e.Value.Count++
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	e, err := kind.Get(ctx, key)
	fmt.Println(e.Value.Count, err)
	_, err = kind.Get(ctx, store.Key{Subject: "BNCLRA90A41H501X"})
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// 3 <nil>
	// true
}
