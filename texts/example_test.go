package texts_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

func Example() {
	w, err := texts.New(texts.Service{
		Name:     "INPS",
		LongName: "Istituto Nazionale della Previdenza Sociale",
		Location: time.FixedZone("CET", 3600), // in a program: time.LoadLocation("Europe/Rome")
	})
	if err != nil {
		log.Fatal(err)
	}
	// The notifier words each message; what is left to do is to hand it to a provider.
	notifier := w.Notifier(func(_ context.Context, id string, to civicpin.Contact, t texts.Text) (string, error) {
		fmt.Println("to", to.Address)
		fmt.Println(t.Body.Reveal())
		return "", nil
	})
	_, err = notifier.Notify(context.Background(), civicpin.Message{
		ID:      "7f3a",
		Kind:    texts.PINPart,
		To:      civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567", Locale: "it-IT"},
		Secret:  civicpin.NewSecret("K7PX2MQA"),
		Part:    1,
		Parts:   2,
		Expires: time.Date(2026, time.December, 3, 13, 5, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// to +393331234567
	// INPS: il suo nuovo PIN, parte 1 di 2: K7PX 2MQA
	// Valido fino al 03/12/2026 14:05. Non lo dica a nessuno, neppure a noi.
}
