package otp_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// exampleKeys returns new keys. A program makes its key file once, and then reads it with store.ReadKeyFile.
func exampleKeys() store.Keys {
	dir, err := os.MkdirTemp("", "civicpin")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "portal.keys"))
	if err != nil {
		log.Panic(err)
	}
	return keys
}

// exampleCodes makes Codes over memory, whose messages arrive in *arrived.
func exampleCodes(p otp.CodePolicy, arrived *civicpin.Message) (*otp.Codes, *outbox.Outbox) {
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), exampleKeys(), nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		*arrived = m
		return "", nil
	}), nil)
	if err != nil {
		log.Fatal(err)
	}
	codes, err := otp.NewCodes(out, p)
	if err != nil {
		log.Fatal(err)
	}
	return codes, out
}

// A code confirms one act about one thing, once.
func ExampleCodes() {
	ctx := context.Background()
	var arrived civicpin.Message
	codes, out := exampleCodes(otp.SMS(), &arrived)

	digest := sha256.Sum256([]byte("100 euros to the treasury"))
	purpose := otp.Purpose{Act: "pay", Digest: digest[:]}
	req, err := codes.Request(ctx, "12345678Z", purpose, otp.RequestOptions{
		To:     []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600111222"}},
		Params: map[string]string{"act": "paying 100 euros"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = out.Flush(ctx) // or go out.Run(ctx), once
	typed := arrived.Secret
	fmt.Println("sent to", arrived.To.Address, "for", arrived.Params["act"])

	other := sha256.Sum256([]byte("9000 euros to somebody else"))
	err = codes.Verify(ctx, "12345678Z", otp.Purpose{Act: "pay", Digest: other[:]}, req.ID, typed, civicpin.Source{})
	fmt.Println(err)
	err = codes.Verify(ctx, "12345678Z", purpose, req.ID, typed, civicpin.Source{})
	fmt.Println(err)
	err = codes.Verify(ctx, "12345678Z", purpose, req.ID, typed, civicpin.Source{})
	fmt.Println(err)
	// Output:
	// sent to +34600111222 for paying 100 euros
	// lockout: refused
	// <nil>
	// lockout: refused
}

// Cl@ve PIN: three characters, typed behind four that the citizen chose. The push is lost, and the app shows the code.
func ExampleClavePIN() {
	ctx := context.Background()
	var arrived civicpin.Message
	codes, _ := exampleCodes(otp.ClavePIN(), &arrived)

	filing := otp.Purpose{Act: "file-return"}
	req, err := codes.Request(ctx, "12345678Z", filing, otp.RequestOptions{
		To:     []civicpin.Contact{{Channel: civicpin.Push, Address: "installation-7"}},
		Joined: civicpin.NewSecret("ab12"),
	})
	if err != nil {
		log.Fatal(err)
	}
	pending, err := codes.Pending(ctx, "12345678Z") // the caller has authenticated the app
	if err != nil {
		log.Fatal(err)
	}
	shown := pending[0].Code.Reveal()
	fmt.Println(len(shown), "characters for", pending[0].Purpose.Act)

	fmt.Println(codes.Verify(ctx, "12345678Z", filing, req.ID, civicpin.NewSecret(shown), civicpin.Source{}))
	fmt.Println(codes.Verify(ctx, "12345678Z", filing, req.ID, civicpin.NewSecret("ab12"+strings.ToLower(shown)), civicpin.Source{}))
	// Output:
	// 3 characters for file-return
	// lockout: refused
	// <nil>
}

// What a page does with the outcome. The subject has nobody's telephone: it makes no difference.
func ExampleCodes_Verify() {
	ctx := context.Background()
	policy := otp.SMS()
	policy.Lockout.ShowLeft = true
	codes, _ := exampleCodes(policy, new(civicpin.Message))
	login := otp.Purpose{Act: "login"}
	req, err := codes.Request(ctx, "NOBODY", login, otp.RequestOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		err := codes.Verify(ctx, "NOBODY", login, req.ID, civicpin.NewSecret("a guess"), civicpin.Source{Address: "192.0.2.1"})
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		switch {
		case err == nil:
			fmt.Println("done")
		case isLocked:
			fmt.Println("too many wrong codes; locked:", !locked.Until.IsZero())
		case errors.Is(err, otp.ErrBusy):
			fmt.Println("try again in a moment") // 503; no try was spent
		case errors.Is(err, otp.ErrExpired):
			fmt.Println("right, but too late: have a new one sent")
		case isRefused:
			fmt.Println("wrong,", refused.Left, "left")
		default:
			fmt.Println("not now") // for the log: err
		}
	}
	// Output:
	// wrong, 4 left
	// wrong, 3 left
	// wrong, 2 left
	// wrong, 1 left
	// too many wrong codes; locked: true
}

// A program without push and voice: NewCodes would refuse the channels that no notifier serves.
func ExampleSMS() {
	p := otp.SMS()
	p.Channels = []civicpin.Channel{civicpin.SMS}
	fmt.Println(p.Channels, p.Validate())
	// Output:
	// [sms] <nil>
}

// A policy is data, and says how good it is.
func ExampleCodePolicy() {
	p := otp.SMS()
	p.Name, p.Length = "payments", 8
	text, err := json.Marshal(p)
	if err != nil {
		log.Fatal(err)
	}
	back, err := otp.ParseCodePolicy(text)
	alone, _ := back.GuessProbability()
	fmt.Println(back.Name, back.Valid, alone < 2e-6, err)

	p.Length = 4
	fmt.Println(p.Validate())
	// Output:
	// payments 10m0s true <nil>
	// otp: invalid policy: Length is 4, 13.3 bits, which breaks "SP 800-63B-4 3.1.3.2": set what has 20 bits, or name the clause in Exceptions; Length is 4, a chance of 1.0e-02 to guess it, which breaks "guess budget": set what leaves at most 1e-04, or name the clause in Exceptions
}

// Backup codes are printed once, and each opens once.
func ExampleBackupCodes() {
	ctx := context.Background()
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), exampleKeys(), nil)
	if err != nil {
		log.Fatal(err)
	}
	paper, err := otp.NewBackupCodes(vault, otp.BackupPolicy{Name: "paper", Count: 3})
	if err != nil {
		log.Fatal(err)
	}
	set, err := paper.Issue(ctx, "12345678Z", civicpin.Citizen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(set), "codes of", len(set[0].Reveal()), "characters") // Reveal once, to print them

	fmt.Println(paper.Verify(ctx, "12345678Z", set[1], civicpin.Source{}))
	fmt.Println(paper.Verify(ctx, "12345678Z", set[1], civicpin.Source{}))
	left, err := paper.Left(ctx, "12345678Z")
	fmt.Println(left, "left", err)
	// Output:
	// 3 codes of 17 characters
	// <nil>
	// lockout: refused
	// 2 left <nil>
}

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
		switch {
		case err == nil:
			fmt.Println("in")
		case isLocked && locked.Until.IsZero():
			fmt.Println("locked until it is unlocked")
		case isLocked:
			fmt.Println("locked for", time.Until(locked.Until).Round(time.Minute))
		case errors.Is(err, otp.ErrBusy):
			fmt.Println("try again in a moment") // 503; no try was spent
		case errors.Is(err, otp.ErrRefused):
			fmt.Println("wrong")
		default:
			fmt.Println("not now") // for the log: err
		}
	}
	// Nobody of that name has a key. It makes no difference.

	// Output:
	// wrong
	// wrong
	// wrong
	// wrong
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
