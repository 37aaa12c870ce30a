// Package breached knows secrets from breaches by a local file of hash prefixes, such as the one of Have I Been Pwned, which
// the operator downloads. No secret, and no piece of a hash, leaves the machine.
//
//	known, err := breached.Open("pwned.txt", crypto.SHA1)
//	if err != nil {
//		return err
//	}
//	defer known.Close()
//	policy := pin.Default()
//	policy.Chosen.Breached = known.Contains
//
// # The file
//
// A file is text: a line for each secret, ending in "\n" or "\r\n", in ascending order, each once. A line begins with the
// hexadecimal hash of the secret's UTF-8 bytes, or the first digits of it, in upper or lower case, with the same number of
// digits on all lines, 10 at least. A colon and a number may follow: how often the secret was seen. The number is ignored.
//
//	00001131628B741FF755AAC0E7C66D26:25
//	000017A7B2D1DF3F6CBA6E7E2DBBBE36:3
//
// So the whole list of Have I Been Pwned, ordered by hash, is such a file as it is downloaded: SHA-1, 40 digits and a count.
// The lines of its range files lack the five digits of the file's name: put them in front before the files are joined. A
// shorter prefix makes a smaller file, and refuses others by chance: n lines of d digits refuse about n in 16^d of all
// secrets. For a thousand million lines, take 16 digits:
//
//	cut -c 1-16 pwned.txt | uniq > pwned16.txt
package breached

import (
	"context"
	"crypto"
	"crypto/fips140"
	_ "crypto/sha1" // registers crypto.SHA1, in which these lists are
	_ "crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/civicpin/civicpin"
)

// ErrFile matches every error about a file that is not as the package's documentation says.
var ErrFile = errors.New("breached: not a sorted file of hash prefixes")

// A File is an open file of hash prefixes. Make one with [Open]. It is safe for concurrent use. Replace the file by renaming
// another one to its name, and open that: never write to an open one.
type File struct {
	file   *os.File
	hash   crypto.Hash
	prefix list
}

// Open opens a file of hash prefixes. It reads the first and the last line; that the file is sorted shows in part with each
// search. Errors:
//   - [civicpin.ErrInvalid]: the hash is neither crypto.SHA1 nor crypto.SHA256, or SHA1 where FIPS 140-3 mode forbids it.
//   - [ErrFile]: the file is empty, its beginning or end is missing, or its first or last line is not a hash prefix.
//   - those of [os.Open].
func Open(name string, hash crypto.Hash) (*File, error) {
	if hash != crypto.SHA256 && (hash != crypto.SHA1 || fips140.Enforced()) {
		return nil, fmt.Errorf("breached: %w: hash %s", civicpin.ErrInvalid, hash)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("breached: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		f := &File{file: file, hash: hash}
		if f.prefix, err = newList(file, info.Size(), 2*hash.Size()); err == nil {
			return f, nil
		}
	}
	return nil, errors.Join(err, file.Close())
}

// Contains reports whether a secret is in the file. It is what pin.Chosen.Breached asks for. Errors:
//   - the context's, if it is done.
//   - [ErrFile]: a line is not a hash prefix, or the order is broken.
//   - those of reading, and of a file that was closed.
func (f *File) Contains(ctx context.Context, secret civicpin.Secret) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	h := f.hash.New()
	_, _ = io.WriteString(h, secret.Reveal()) // a hash returns no error
	return f.prefix.has(strings.ToUpper(hex.EncodeToString(h.Sum(nil))))
}

// Close closes the file. No search works after it. The error is that of [os.File.Close].
func (f *File) Close() error { return f.file.Close() }
