package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
)

// readTerminal turns what is drawn back into modules, dark being true, as a camera would see them.
func readTerminal(t *testing.T, drawn string) [][]bool {
	t.Helper()
	var rows [][]bool
	for line := range strings.Lines(drawn) {
		var top, bottom []bool
		for _, r := range strings.TrimSuffix(line, "\n") {
			i := slices.Index([]rune(" ▄▀█"), r)
			if i < 0 {
				t.Fatalf("%q is no part of a picture", r)
			}
			top, bottom = append(top, i < 2), append(bottom, i%2 == 0)
		}
		rows = append(rows, top, bottom)
	}
	return rows
}

func TestTerminalQR(t *testing.T) {
	for _, text := range []string{
		"", "a", "otpauth://totp/Clave:rosa?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Clave", strings.Repeat("ñ", 90),
	} {
		for _, level := range []qr.ErrorCorrectionLevel{qr.L, qr.M, qr.Q, qr.H} {
			want, err := qrModules(text, level)
			if err != nil {
				t.Fatal(err)
			}
			drawn, err := terminalQR(text, level)
			if err != nil {
				t.Fatal(err)
			}
			rows := readTerminal(t, drawn)
			side := len(want) + 2*quiet
			if len(rows) != side+1 {
				t.Fatalf("%d rows for %d modules", len(rows), len(want))
			}
			for y, row := range rows {
				if len(row) != side {
					t.Fatalf("row %d is %d wide, not %d", y, len(row), side)
				}
				for x, dark := range row {
					inside := x >= quiet && y >= quiet && x < quiet+len(want) && y < quiet+len(want)
					if dark != (inside && want[y-quiet][x-quiet]) {
						t.Fatalf("%d,%d is dark: %v", x, y, dark)
					}
				}
			}
			finders(t, want)
		}
	}
	if _, err := terminalQR(strings.Repeat("x", 3000), qr.L); err == nil {
		t.Error("3000 bytes fit")
	}
}

// finders looks for the three corner marks that every scanner looks for, dark on light, and for none in the fourth corner
// (ISO/IEC 18004 6.3.3): neither colours nor sides were swapped.
func finders(t *testing.T, m [][]bool) {
	t.Helper()
	n := len(m)
	if n < 21 || n%4 != 1 {
		t.Fatalf("no QR code has %d modules a side", n)
	}
	mark := func(x0, y0 int) bool {
		for y := range 7 {
			for x := range 7 {
				ring := max(x-3, 3-x, y-3, 3-y)
				if m[y0+y][x0+x] != (ring != 2) {
					return false
				}
			}
		}
		return true
	}
	if !mark(0, 0) || !mark(n-7, 0) || !mark(0, n-7) || mark(n-7, n-7) {
		t.Error("the marks are not in three corners")
	}
}

// TestAuthenticator holds the app of the story against RFC 6238 appendix B and RFC 4226 appendix D.
func TestAuthenticator(t *testing.T) {
	key := otp.Key{
		Issuer: "Clave", Account: "rosa", Seed: civicpin.NewSecret("12345678901234567890"),
		Algorithm: otp.SHA1, Digits: 8, Period: 30 * time.Second,
	}
	app, err := scan(key.URI())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
		2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := app.code(time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	app.key.Digits = 6
	if got := app.code(time.Unix(30, 0)); got != "287082" {
		t.Error(got)
	}
	if got := slip("287082"); got == "287082" || len(got) != 6 {
		t.Errorf("slip %s", got)
	}
	key.Algorithm = otp.SHA256
	if _, err := scan(key.URI()); err == nil {
		t.Error("an app of SHA-1 scans a key of SHA-256")
	}
	if _, err := scan(civicpin.NewSecret("otpauth://totp/x")); err == nil {
		t.Error("it scans nonsense")
	}
}
