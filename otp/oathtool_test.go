package otp_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/otp"
)

// oathtool runs Debian's oathtool, a program that shares nothing with this one, and returns the code that it prints.
func oathtool(t *testing.T, key otp.Key, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("CIVICPIN_REQUIRE_SERVERS") != "" {
			t.Fatal("oathtool is not installed")
		}
		t.Skip("oathtool is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, append(args, "--base32", "--digits="+strconv.Itoa(key.Digits), "-")...)
	cmd.Stdin = strings.NewReader(key.Secret().Reveal() + "\n")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// A code that oathtool makes of an enrolled key verifies, for each algorithm, number of digits and a few periods.
func TestOathtoolTOTP(t *testing.T) {
	for _, algorithm := range []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512} {
		for _, digits := range []int{6, 7, 8} {
			for _, period := range []time.Duration{30 * time.Second, time.Minute} {
				t.Run(fmt.Sprint(algorithm, " ", digits, " ", period), func(t *testing.T) {
					c := strict
					c.Algorithm, c.Digits, c.Period = algorithm, digits, period
					f := newTOTP(t, c)
					for range 3 {
						f.clock.Add(12_345_678 * time.Second)
						key := f.enrol(t) // a new one, since the last lapsed
						code := oathtool(
							t, key, "--totp="+string(algorithm), fmt.Sprintf("--time-step-size=%ds", int(period.Seconds())),
							"--now="+f.clock.Now().UTC().Format("2006-01-02 15:04:05 UTC"),
						)
						require.Len(t, code, digits)
						require.Equal(t, fobAccepted, f.verify(t, code))
						require.Equal(t, fobRefused, f.verify(t, code))
					}
				})
			}
		}
	}
}

func TestOathtoolHOTP(t *testing.T) {
	for _, digits := range []int{6, 7, 8} {
		t.Run(fmt.Sprint(digits), func(t *testing.T) {
			f := newHOTP(t, otp.HOTPPolicy{Digits: digits, LookAhead: otp.None})
			key := f.enrol(t)
			code := func(counter int) string { return oathtool(t, key, "--hotp", fmt.Sprintf("--counter=%d", counter)) }
			for counter := range 3 {
				require.Equal(t, fobAccepted, f.verify(t, code(counter)))
			}
			require.Equal(t, fobRefused, f.verify(t, code(5)))
			require.Equal(t, fobAccepted, f.resync(t, code(50), code(51)))
			require.Equal(t, fobAccepted, f.verify(t, code(52)))
		})
	}
}
