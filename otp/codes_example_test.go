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

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
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
	codes, _ := exampleCodes(otp.SMS(), new(civicpin.Message))
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
	// otp: invalid policy: a code of 13.3 bits is less than six digits (NIST SP 800-63B-4 3.1.3.2) and no Exception is named
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
