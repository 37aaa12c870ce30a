package post

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/civicpin/civicpin"
)

// channels are those that a box delivers over. No one's name begins with another's and a hyphen, so that file names can be
// read back.
var channels = []civicpin.Channel{
	civicpin.SMS, civicpin.Voice, civicpin.Email, civicpin.CertifiedEmail, CitizenCertifiedEmail, civicpin.Push,
	civicpin.Letter, civicpin.HandedOver,
}

// fileName returns the name of a message's file without its number: "sms-+393331234567.txt". It is false for a channel
// that is none of ours.
func fileName(to civicpin.Contact) (string, bool) {
	if !slices.Contains(channels, to.Channel) {
		return "", false
	}
	name := string(to.Channel)
	if to.Address != "" {
		name += "-" + escape(to.Address)
	}
	if isEmail(to.Channel) {
		return name + ".eml", true
	}
	return name + ".txt", true
}

// maxName leaves room for number, channel and ending in the 255 bytes that file systems give a name.
const maxName = 180

// escape writes an address so that it names a file in this folder and no other, and no two addresses name the same: letters,
// digits and a few signs stay, anything else, the slash above all, becomes %XX. One that is too long ends in a hash.
func escape(address string) string {
	var name strings.Builder
	for _, r := range address {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@+._- ", r) {
			name.WriteRune(r)
			continue
		}
		for _, b := range []byte(string(r)) {
			fmt.Fprintf(&name, "%%%02X", b)
		}
	}
	if name.Len() <= maxName {
		return name.String()
	}
	sum := sha256.Sum256([]byte(strings.ToLower(address))) // found without regard to case
	return fmt.Sprintf("%.40s~%x", name.String(), sum[:8]) // .40s counts characters: at most 160 bytes
}

// deliver writes the content under the next free number, all of it or nothing, and returns the file's name.
//
// The number is taken by creating ".0001", which only one process can, and which is then filled and renamed. A file that
// its process left behind so is never shown, and its number is not used again.
func deliver(folder, name string, content []byte) (string, error) {
	temp, number, err := takeNumber(folder)
	if err != nil {
		return "", fmt.Errorf("post: take a number: %w", err)
	}
	name = number + "-" + name
	err = os.WriteFile(temp, content, 0o600)
	if err == nil {
		err = os.Rename(temp, filepath.Join(folder, name))
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("post: deliver: %w", err), os.Remove(temp))
	}
	return name, nil
}

// takeNumber creates the file that stands for the next number.
func takeNumber(folder string) (temp, number string, err error) {
	for {
		last, _, err := numbers(folder)
		if err != nil {
			return "", "", err
		}
		number := fmt.Sprintf("%04d", last+1)
		temp := filepath.Join(folder, "."+number)
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue // another process was quicker
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return "", "", err
		}
		// Since we looked, another process may have taken the number, written the file and renamed it.
		_, delivered, err := numbers(folder)
		if err == nil && !delivered[last+1] {
			return temp, number, nil
		}
		if err = errors.Join(err, os.Remove(temp)); err != nil {
			return "", "", err
		}
	}
}

// numbers returns the last number that was taken, and which have been delivered.
func numbers(folder string) (last int, delivered map[int]bool, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, nil, err
	}
	delivered = make(map[int]bool)
	for _, e := range entries {
		taken := strings.HasPrefix(e.Name(), ".")
		number, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "."), "-")
		if n, err := strconv.Atoi(number); err == nil {
			last = max(last, n)
			delivered[n] = delivered[n] || !taken
		}
	}
	return last, delivered, nil
}
