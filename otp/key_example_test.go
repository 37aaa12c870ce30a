package otp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// exampleVault is a vault over memory with a clock that stands still.
func exampleVault(now time.Time) *store.Vault {
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), exampleKeys(), &store.Options{Now: func() time.Time { return now }})
	if err != nil {
		log.Fatal(err)
	}
	return vault
}

// An operator enrols an authenticator app, and logs in with it.
func ExampleTOTP() {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	totp, err := otp.NewTOTP(exampleVault(now), otp.TOTPPolicy{Issuer: "Agency"})
	if err != nil {
		log.Fatal(err)
	}

	key, err := totp.Enrol(ctx, "bianchi")
	if err != nil {
		log.Fatal(err)
	}
	uri := key.URI() // for the QR code
	fmt.Println(uri, strings.HasPrefix(uri.Reveal(), "otpauth://totp/Agency:bianchi?secret="))

	app := func() civicpin.Secret { return civicpin.NewSecret(codeAt(key, uint64(now.Unix()/30))) }
	err = totp.Verify(ctx, "bianchi", app(), civicpin.Source{Address: "192.0.2.1"})
	fmt.Println("first code:", err)
	st, err := totp.Enrolled(ctx, "bianchi")
	fmt.Println("active:", st.Active, err)
	err = totp.Verify(ctx, "bianchi", app(), civicpin.Source{Address: "192.0.2.7"})
	fmt.Println("the same code again:", err)
	// Output:
	// [redacted] true
	// first code: <nil>
	// active: true <nil>
	// the same code again: lockout: refused
}

// What a login page does with the outcome.
func ExampleTOTP_Verify() {
	ctx := context.Background()
	totp, err := otp.NewTOTP(exampleVault(time.Now()), otp.TOTPPolicy{Issuer: "Agency"})
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		err := totp.Verify(ctx, "bianchi", civicpin.NewSecret("123 456"), civicpin.Source{})
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		switch {
		case err == nil:
			fmt.Println("in")
		case isLocked:
			fmt.Println("locked for", time.Until(locked.Until).Round(time.Minute))
		case errors.Is(err, otp.ErrBusy):
			fmt.Println("try again in a moment") // 503; no try was spent
		case isRefused:
			fmt.Println("wrong,", refused.Left, "tries left")
		default:
			fmt.Println("not now") // for the log: err
		}
	}
	// Nobody of that name has a key. It makes no difference.

	// Output:
	// wrong, 4 tries left
	// wrong, 3 tries left
	// wrong, 2 tries left
	// wrong, 1 tries left
	// locked for 1m0s
}

// A hardware token from its maker's list, whose button was pressed too often in a pocket.
func ExampleHOTP_Resync() {
	ctx := context.Background()
	hotp, err := otp.NewHOTP(exampleVault(time.Now()), otp.HOTPPolicy{Issuer: "Agency"})
	if err != nil {
		log.Fatal(err)
	}
	token := otp.Key{Account: "token 4711", Seed: civicpin.NewSecret("12345678901234567890"), Algorithm: otp.SHA1, Digits: 6}
	if err := hotp.Import(ctx, "RSSMRA85T10A562S", token, civicpin.Operator("bianchi")); err != nil {
		log.Fatal(err)
	}
	shows := func(counter uint64) civicpin.Secret { return civicpin.NewSecret(codeAt(token, counter)) }

	fmt.Println(hotp.Verify(ctx, "RSSMRA85T10A562S", shows(40), civicpin.Source{}))
	fmt.Println(hotp.Resync(ctx, "RSSMRA85T10A562S", shows(41), shows(42), civicpin.Source{}))
	fmt.Println(hotp.Verify(ctx, "RSSMRA85T10A562S", shows(43), civicpin.Source{}))
	// Output:
	// lockout: refused
	// <nil>
	// <nil>
}

// A key that another system wrote as a URI.
func ExampleParseKey() {
	key, err := otp.ParseKey(civicpin.NewSecret("otpauth://totp/Old:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old&digits=8"))
	fmt.Println(key.Issuer, key.Account, key.Algorithm, key.Digits, key.Period, err)
	_, err = otp.ParseKey(civicpin.NewSecret("otpauth://totp/Old:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=New"))
	fmt.Println(err)
	// Output:
	// Old ada SHA1 8 30s <nil>
	// otp: key: invalid issuer
}
