package breached

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// fewest is how many hexadecimal digits a line has at least: with five, as in the names of range files, everything would be
	// refused.
	fewest = 10
	// widest bounds a line: a whole SHA-256, a colon, a count, and the line's end.
	widest = 64 + 1 + 20 + 2
)

// A list is sorted lines of hash prefixes in upper case, of one length.
type list struct {
	r      io.ReaderAt
	size   int64
	digits int
}

// newList looks at the first and the last line. most is how many digits a hash has.
func newList(r io.ReaderAt, size int64, most int) (list, error) {
	l := list{r: r, size: size}
	window, err := l.read(0)
	if err != nil {
		return list{}, err
	}
	line, _, _ := bytes.Cut(window, []byte("\n"))
	l.digits = len(bytes.TrimRight(bytes.SplitN(line, []byte(":"), 2)[0], "\r"))
	if l.digits < fewest || l.digits > most {
		return list{}, fmt.Errorf("%w: the first line has %d digits, not %d to %d", ErrFile, l.digits, fewest, most)
	}
	first, _, err := l.line(0)
	if err != nil {
		return list{}, err
	}
	start, err := l.start(0, size-1)
	if err != nil {
		return list{}, err
	}
	last, _, err := l.line(start)
	switch {
	case err != nil:
	case last < first:
		err = fmt.Errorf("%w: the last line is before the first", ErrFile)
	case !l.whole(first, last):
		err = fmt.Errorf("%w: the beginning or the end is missing", ErrFile)
	}
	return l, err
}

// whole reports whether a list may be all there, by its first and last line. Hashes are spread evenly, so n of them begin with
// as many zeros, and end with as many F, as n/40 has hexadecimal digits but one; by chance one list in 10^17 does not. A
// download that broke off does not, and would know none of the hashes behind.
func (l list) whole(first, last string) bool {
	zeros := 0
	for n := l.size / int64(l.digits+widest-64) / 40; n >= 16; n /= 16 {
		zeros++
	}
	return strings.Trim(first[:zeros], "0") == "" && strings.Trim(last[:zeros], "F") == ""
}

// has reports whether a line is the beginning of a hash, given in upper case. Each line that it reads has to lie between those
// that it read before.
func (l list) has(hash string) (bool, error) {
	want := hash[:l.digits]
	low, high := int64(0), l.size // both the beginning of a line, or the end
	var least, most string
	for low < high {
		start, err := l.start(low, (low+high)/2)
		if err != nil {
			return false, err
		}
		got, next, err := l.line(start)
		if err != nil {
			return false, err
		}
		if got <= least || most != "" && got >= most {
			return false, fmt.Errorf("%w: not in order at byte %d", ErrFile, start)
		}
		switch {
		case got == want:
			return true, nil
		case got < want:
			low, least = next, got
		default:
			high, most = start, got
		}
	}
	return false, nil
}

// start returns where the line begins that holds the byte at the given place, if lines begin at low and it is not before.
func (l list) start(low, at int64) (int64, error) {
	from := max(low, at-widest)
	window := make([]byte, at-from)
	if _, err := l.r.ReadAt(window, from); err != nil {
		return 0, fmt.Errorf("breached: %w", err)
	}
	if end := bytes.LastIndexByte(window, '\n'); end >= 0 {
		return from + int64(end) + 1, nil
	}
	if from > low {
		return 0, fmt.Errorf("%w: a line too long before byte %d", ErrFile, at)
	}
	return low, nil
}

// line returns the prefix of the line that begins at start, in upper case, and where the next one begins.
func (l list) line(start int64) (prefix string, next int64, err error) {
	window, err := l.read(start)
	if err != nil {
		return "", 0, err
	}
	line, _, ended := bytes.Cut(window, []byte("\n"))
	next = start + int64(len(line))
	if ended {
		next++
	} else if next != l.size {
		return "", 0, fmt.Errorf("%w: a line too long at byte %d", ErrFile, start)
	}
	text := strings.TrimSuffix(string(line), "\r")
	digits, count, counted := strings.Cut(text, ":")
	if len(digits) != l.digits || strings.Trim(digits, "0123456789ABCDEFabcdef") != "" ||
		counted && (count == "" || strings.Trim(count, "0123456789") != "") {
		return "", 0, fmt.Errorf("%w: at byte %d", ErrFile, start)
	}
	return strings.ToUpper(digits), next, nil
}

// read returns what lies from start on, as much as a line may have.
func (l list) read(start int64) ([]byte, error) {
	window := make([]byte, max(0, min(widest, l.size-start)))
	if n, err := l.r.ReadAt(window, start); err != nil && !(errors.Is(err, io.EOF) && n == len(window)) {
		return nil, fmt.Errorf("breached: %w", err)
	}
	return window, nil
}
