package store_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// exampleVault is a vault in memory.
func exampleVault() *store.Vault {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return vault
}

// Throttles and delivered codes go to a store that is fast and may forget; what accounts rest on may not go there.
func ExampleNewRouter() {
	var lasting, cache store.Store = struct{ store.Lister }{store.NewMemory()}, store.NewMemory()
	_, err := store.NewRouter(
		store.Route{Kinds: []string{"*"}, Store: lasting},
		store.Route{Kinds: []string{"code.*", "code-pending.*", "quota.*"}, Store: cache},
	)
	fmt.Println(err)
	_, err = store.NewRouter(
		store.Route{Kinds: []string{"*"}, Store: lasting},
		store.Route{Kinds: []string{"lockout.*"}, Store: cache},
	)
	fmt.Println(err)
	// Output:
	// <nil>
	// store: NewRouter: store: this store may lose writes that it acknowledged, and must not hold such records: "lockout.*"
}

// visitor is a record of one's own. What its owner may be told has a tag.
type visitor struct {
	Name  string `json:"name" export:"yes"`
	Token string `json:"token"`
}

// A citizen asks what is stored about them, and then to be forgotten.
func ExampleVault_Export() {
	ctx := context.Background()
	vault := exampleVault()
	visitors, err := store.NewKind[visitor](vault, "visitor")
	if err != nil {
		log.Fatal(err)
	}
	for _, subject := range []civicpin.Subject{"rossi", "bianchi"} {
		e := store.Entry[visitor]{Key: store.Key{Subject: subject}, Value: visitor{Name: string(subject), Token: "secret"}}
		if err := visitors.Put(ctx, &e); err != nil {
			log.Fatal(err)
		}
	}

	pass := store.Pass{Max: 1000} // so many at a time
	for {
		at, err := vault.Export(ctx, os.Stdout, "rossi", pass)
		if err != nil {
			log.Fatal(err) // and later on from at.Last
		}
		if at.End {
			break
		}
		pass.After = at.Last
	}

	at, err := vault.Erase(ctx, "rossi", store.Pass{})
	fmt.Println("erased:", at.Changed, err)
	at, err = vault.Erase(ctx, "rossi", store.Pass{})
	fmt.Println("left:", at.Changed+at.Missed, err)
	// Output:
	// {"kind":"visitor","value":{"name":"rossi"}}
	// erased: 1 <nil>
	// left: 0 <nil>
}
