package post

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/civicpin/civicpin"
)

// ErrNothing says that nothing has come for an address.
var ErrNothing = errors.New("post: nothing has come")

// An Inbox reads what a [Box] delivered into the folder of that name, as the people do to whom it went.
type Inbox string

// A Mail is one message as its reader sees it.
type Mail struct {
	// File is its file's name in the folder.
	File    string
	Channel civicpin.Channel
	// Subject is that of an e-mail; empty for all else.
	Subject string
	Text    string
}

var (
	// onScreen is what a text message or an app's notice has between a colon and the end of the line.
	onScreen = regexp.MustCompile(`: ((?:[A-Za-z0-9]{4} )*[A-Za-z0-9]{1,4}|[A-Za-z0-9]{5,6})(?:\n|$)`)
	// onPage is a paragraph of an e-mail or a page that is nothing but the code.
	onPage = regexp.MustCompile(`^ {4}((?:[A-Za-z0-9]{4} )*[A-Za-z0-9]{1,4}|[A-Za-z0-9]{5,6})\n?$`)
	// onLine is a paragraph of an e-mail that is nothing but a link with a token.
	onLine = regexp.MustCompile(`^https?://[^\s?#]+#([A-Za-z0-9._~-]+)\n?$`)
)

// Code finds the code in one of package texts' messages with the eye of a reader who knows no language: it is what stands
// apart. It comes as it is written there, "K7PM 2QRD", for the citizen to type; "" if there is none. A call is not
// understood.
func (m Mail) Code() string {
	if m.Channel == civicpin.SMS || m.Channel == civicpin.Push {
		if found := onScreen.FindStringSubmatch(m.Text); found != nil {
			return found[1]
		}
		return ""
	}
	for i, paragraph := range strings.Split(m.Text, "\n\n") {
		if m.Channel == civicpin.Letter && i == 1 {
			continue // the address, below the sender's name
		}
		if found := onPage.FindStringSubmatch(paragraph); found != nil {
			return found[1]
		}
	}
	return ""
}

// Link finds the link in one of package texts' e-mails, and returns the token behind its "#", which is what the page gets
// from somebody who follows it; "" if there is no link.
func (m Mail) Link() string {
	if !isEmail(m.Channel) {
		return ""
	}
	for paragraph := range strings.SplitSeq(m.Text, "\n\n") {
		if found := onLine.FindStringSubmatch(paragraph); found != nil {
			return found[1]
		}
	}
	return ""
}

// Last returns the newest message that came to an address over any channel: a telephone number, an e-mail address, a postal
// address, or "" for a page handed over. Case does not matter. If there is none, the error matches [ErrNothing].
func (in Inbox) Last(address string) (Mail, error) {
	mails, err := in.All(address)
	if err != nil {
		return Mail{}, err
	}
	if len(mails) == 0 {
		return Mail{}, fmt.Errorf("%w for %q", ErrNothing, address)
	}
	return mails[len(mails)-1], nil
}

// All returns every message that came to an address, oldest first.
func (in Inbox) All(address string) ([]Mail, error) {
	entries, err := os.ReadDir(string(in))
	if err != nil {
		return nil, fmt.Errorf("post: %w", err)
	}
	numbers := make(map[string]int)
	var mails []Mail
	for _, e := range entries {
		number, rest, _ := strings.Cut(e.Name(), "-")
		n, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		for _, c := range channels {
			name, _ := fileName(civicpin.Contact{Channel: c, Address: address})
			if !strings.EqualFold(name, rest) {
				continue
			}
			m, err := in.read(e.Name(), c)
			if err != nil {
				return nil, fmt.Errorf("post: read %s: %w", e.Name(), err)
			}
			numbers[m.File] = n
			mails = append(mails, m)
		}
	}
	slices.SortFunc(mails, func(a, b Mail) int { return cmp.Compare(numbers[a.File], numbers[b.File]) })
	return mails, nil
}

func (in Inbox) read(file string, c civicpin.Channel) (Mail, error) {
	f, err := os.Open(filepath.Join(string(in), file))
	if err != nil {
		return Mail{}, err
	}
	defer f.Close()
	m := Mail{File: file, Channel: c}
	var text io.Reader = f
	if isEmail(c) {
		if m.Subject, text, err = openEmail(f); err != nil {
			return Mail{}, err
		}
	}
	b, err := io.ReadAll(text)
	m.Text = strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
	return m, err
}

// openEmail reads a mail of one part, as [Box] writes it.
func openEmail(r io.Reader) (subject string, text io.Reader, err error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return "", nil, err
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return "", nil, err
	}
	if enc := m.Header.Get("Content-Transfer-Encoding"); !strings.EqualFold(enc, "quoted-printable") {
		return "", nil, fmt.Errorf("e-mail is encoded as %q", enc)
	}
	return subject, quotedprintable.NewReader(m.Body), nil
}
