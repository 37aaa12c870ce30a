package otp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// Strangers who know an identifier can use up the codes that any visitor may ask for. A subject who has logged in in the last
// 15 minutes is not kept out: the portal passes on what the login has shown.
func ExampleCodes_Request_shown() {
	ctx := context.Background()
	var arrived civicpin.Message
	codes, out := exampleCodes(otp.SMS(), &arrived)
	pins, err := pin.New(out, pin.Default())
	if err != nil {
		log.Fatal(err)
	}
	const subject, phone = "12345678Z", "+34600111222"
	_, err = pins.Issue(ctx, subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, By: civicpin.Operator("ana"),
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = out.Flush(ctx)
	login, err := pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: arrived.Secret})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("an issued PIN shows nothing:", login.Shown.IsZero())
	chosen := civicpin.NewSecret("tres barcos verdes")
	login, err = pins.Exchange(ctx, pin.Attempt{Subject: subject, Secret: arrived.Secret}, chosen)
	if err != nil {
		log.Fatal(err)
	}

	ask := func(source civicpin.Source) error {
		_, err := codes.Request(ctx, subject, otp.Purpose{Act: "pay"}, otp.RequestOptions{
			To: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, Source: source,
		})
		return err
	}
	n := 0
	for ask(civicpin.Source{Address: "192.0.2.1"}) == nil {
		n++
	}
	fmt.Println("codes for strangers:", n)
	fmt.Println("and for the subject:", ask(civicpin.Source{Address: "192.0.2.2", Shown: login.Shown}))
	// Output:
	// an issued PIN shows nothing: true
	// codes for strangers: 10
	// and for the subject: <nil>
}
