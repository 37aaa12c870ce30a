package contact_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A gateway stands for the providers of text messages and mail. It keeps the last message to each address.
type gateway struct {
	mu   sync.Mutex // the outbox sends to several addresses at once
	last map[string]civicpin.Message
}

// Notify implements civicpin.Notifier.
func (g *gateway) Notify(_ context.Context, m civicpin.Message) (receipt string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last[m.To.Address] = m
	return "", nil
}

// to returns the last message to an address.
func (g *gateway) to(c civicpin.Contact) civicpin.Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last[c.Address]
}

// newVault returns a vault in memory. A program takes a store that lasts, makes the key file once, and then reads it with
// store.ReadKeyFile.
func newVault() (*store.Vault, error) {
	dir, err := os.MkdirTemp("", "contact")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "portal.keys"))
	if err != nil {
		return nil, err
	}
	return store.OpenVault(context.Background(), store.NewMemory(), keys, nil)
}

// newOutbox returns an outbox that sends to a gateway.
func newOutbox() (*gateway, *outbox.Outbox) {
	vault, err := newVault()
	check(err)
	inbox := &gateway{last: make(map[string]civicpin.Message)}
	out, err := outbox.New(vault, inbox, nil)
	check(err)
	return inbox, out
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A portal keeps Ana's contacts and no PIN: they are added, proved, changed, brought back, vouched for and told.
func Example() {
	ctx := context.Background()
	inbox, out := newOutbox()
	contacts, err := contact.New(out, contact.Policy{Undo: 7 * 24 * time.Hour}, nil)
	check(err)

	const ana = civicpin.Subject("1710034065")
	source := civicpin.Source{Address: "192.0.2.10"} // of the request
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: "+593991234567"}
	mail := civicpin.Contact{Channel: civicpin.Email, Address: "ana@correo.example"}
	list := func(when string) {
		proved, waiting, err := contacts.List(ctx, ana)
		check(err)
		fmt.Println(when)
		for _, c := range proved {
			cools := time.Now().Before(c.CoolsUntil)
			fmt.Printf("  %s, primary: %t, cools down: %t, disputed: %t\n", c.Address, c.Primary, cools, c.Disputed)
		}
		for _, c := range waiting {
			fmt.Printf("  %s waits for its proof\n", c.Address)
		}
	}

	// The citizen is logged in and gives two addresses. Each is sent a proof.
	_, err = contacts.Add(ctx, ana, phone, civicpin.Citizen, source)
	check(err)
	_, err = contacts.Add(ctx, ana, mail, civicpin.Citizen, source)
	check(err)
	check(out.Flush(ctx)) // out.Run does it all the time
	list("asked:")

	// The code of the text message is typed. The token of the mail is in a link: a GET inspects it, a POST uses it.
	check(contacts.ProveCode(ctx, ana, inbox.to(phone).Secret, source))
	token := inbox.to(mail).Link
	look, err := contacts.Inspect(ctx, token)
	check(err)
	fmt.Println("the link is to", look.Purpose, look.Sent)
	check(contacts.Prove(ctx, token, source))
	fmt.Println("once only:", errors.Is(contacts.Prove(ctx, token, source), contact.ErrGone))
	list("proved:")

	// A thief is logged in as Ana, and replaces Ana's mail address.
	theirs := civicpin.Contact{Channel: civicpin.Email, Address: "thief@mail.example"}
	proved, _, err := contacts.List(ctx, ana)
	check(err)
	_, err = contacts.Change(ctx, ana, proved[1].ID, theirs, civicpin.Citizen, source)
	check(err)
	check(out.Flush(ctx))
	check(contacts.Prove(ctx, inbox.to(theirs).Link, source))
	check(out.Flush(ctx))
	list("changed:")

	// Both of Ana's addresses are told, also the one that was replaced. Ana undoes the change.
	for _, to := range []civicpin.Contact{phone, mail} {
		m := inbox.to(to)
		fmt.Printf("%s to %s: %s, can be undone: %t\n", m.Kind, to.Address, m.Params["change"], !m.Link.IsZero())
	}
	check(contacts.Undo(ctx, inbox.to(mail).Link, source))
	check(out.Flush(ctx))
	list("undone:")

	// At the desk, an operator has seen Ana read mail at the disputed address, and at a second one.
	desk := civicpin.Contact{Channel: civicpin.Email, Address: "ana@trabajo.example"}
	check(contacts.Adopt(ctx, ana, []civicpin.Contact{mail, desk}, civicpin.Operator("clerk.7"), civicpin.Source{}))
	list("adopted:")

	// Ana's PIN was changed, and all of Ana's contacts are told.
	told, err := contacts.Notify(ctx, ana, "pin.changed", nil)
	check(err)
	check(out.Flush(ctx))
	fmt.Println(told, "told; the last message to the desk's address is", inbox.to(desk).Kind)
	// Output:
	// asked:
	//   +593991234567 waits for its proof
	//   ana@correo.example waits for its proof
	// the link is to prove a***@correo.example
	// once only: true
	// proved:
	//   +593991234567, primary: true, cools down: false, disputed: false
	//   ana@correo.example, primary: false, cools down: false, disputed: false
	// changed:
	//   +593991234567, primary: true, cools down: false, disputed: false
	//   thief@mail.example, primary: false, cools down: true, disputed: false
	// contact.changed to +593991234567: changed, can be undone: true
	// contact.changed to ana@correo.example: changed, can be undone: true
	// undone:
	//   +593991234567, primary: true, cools down: false, disputed: false
	//   ana@correo.example, primary: false, cools down: false, disputed: true
	// adopted:
	//   +593991234567, primary: true, cools down: false, disputed: false
	//   ana@correo.example, primary: false, cools down: false, disputed: false
	//   ana@trabajo.example, primary: false, cools down: false, disputed: false
	// 3 told; the last message to the desk's address is pin.changed
}

// A secret is issued on line to contacts that the subject has proved, and to no others. The two services rest on each other, so
// pin.New gets a function: it runs at an issue, when both are there.
func Example_issue() {
	ctx := context.Background()
	inbox, out := newOutbox()
	var contacts *contact.Service
	pins, err := pin.New(out, pin.Default(), pin.ProvedFunc(
		func(ctx context.Context, subject civicpin.Subject, given []civicpin.Contact) (bool, error) {
			return contacts.Proved(ctx, subject, given)
		}))
	check(err)
	contacts, err = contact.New(out, contact.Policy{}, pins)
	check(err)

	const ana = civicpin.Subject("1710034065")
	source := civicpin.Source{Address: "192.0.2.10"}
	mail := civicpin.Contact{Channel: civicpin.Email, Address: "ana@correo.example"}
	ask := func(to civicpin.Contact) error {
		_, err := pins.Issue(ctx, ana, pin.IssueOptions{Parts: []civicpin.Contact{to}, By: civicpin.Citizen, Source: source})
		return err
	}
	fmt.Println("before the proof:", errors.Is(ask(mail), pin.ErrWrongState))

	_, err = contacts.Add(ctx, ana, mail, civicpin.Citizen, source)
	check(err)
	check(out.Flush(ctx))
	check(contacts.Prove(ctx, inbox.to(mail).Link, source))
	theirs := civicpin.Contact{Channel: civicpin.Email, Address: "thief@mail.example"}
	fmt.Println("to another address:", errors.Is(ask(theirs), pin.ErrWrongState))
	check(ask(mail))
	check(out.Flush(ctx))
	fmt.Println("to", mail.Address, "went", inbox.to(mail).Kind)
	// Output:
	// before the proof: true
	// to another address: true
	// to ana@correo.example went pin.part
}
