package texts_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
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
		ID:        "7f3a",
		Kind:      pin.PartMessage,
		To:        civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567", Locale: "it-IT"},
		Secret:    civicpin.NewSecret("K7PX2MQA"),
		Part:      1,
		Parts:     2,
		ExpiresAt: time.Date(2026, time.December, 3, 13, 5, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// to +393331234567
	// INPS: il suo nuovo PIN, parte 1 di 2: K7PX 2MQA
	// Valido fino al 03/12/2026 14:05. Non lo dica a nessuno, neppure a noi.
}

func ExampleWriter_Render() {
	w, err := texts.New(texts.Service{Name: "IESS", Page: "https://portal.example/unlock"})
	if err != nil {
		log.Fatal(err)
	}
	unlock := civicpin.Message{
		Kind:      recovery.UnlockMessage,
		To:        civicpin.Contact{Channel: civicpin.Email, Address: "ana@example.org", Locale: "es-EC"},
		Link:      civicpin.NewSecret("q3X-vZ_8tYb2Nc5m"), // a token of at least 128 bits in a program
		Secret:    civicpin.NewSecret("K7PX2MQA"),
		ExpiresAt: time.Date(2026, time.December, 3, 13, 5, 0, 0, time.UTC),
	}
	email, err := w.Render(unlock)
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(email.Body.Reveal()) {
		if strings.Contains(line, "#") || strings.HasPrefix(line, "    ") {
			fmt.Print(line)
		}
	}
	// A text message carries no link, so it has the code alone.
	unlock.To = civicpin.Contact{Channel: civicpin.SMS, Address: "+593991234567", Locale: "es-EC"}
	sms, err := w.Render(unlock)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sms.Body.Reveal())
	// Output:
	// https://portal.example/unlock#q3X-vZ_8tYb2Nc5m
	//     K7PX 2MQA
	// IESS: clave de un solo uso para desbloquear el acceso: K7PX 2MQA
	// Vale hasta el 03/12/2026 13:05 UTC. No la diga a nadie.
}

// A notifier that is asked in advance refuses what a text message cannot carry, so that nobody waits for it.
func ExampleWriter_Check() {
	w, err := texts.New(texts.Service{Name: "Cl@ve"})
	if err != nil {
		log.Fatal(err)
	}
	for _, act := range []string{"pagar 1.250,00 euros", "firmar en sede.example.es"} {
		err := w.Check(civicpin.Message{
			Kind:   otp.CodeMessage,
			To:     civicpin.Contact{Channel: civicpin.SMS}, // whatever the address, and in every language
			Secret: civicpin.NewSecret("123456"),            // as long as the codes are
			Params: map[string]string{"act": act},
		})
		fmt.Println(act+":", errors.Is(err, texts.ErrContainsLink))
	}
	// Output:
	// pagar 1.250,00 euros: false
	// firmar en sede.example.es: true
}
