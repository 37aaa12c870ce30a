package policyjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/civicpin/civicpin/internal/names"
)

// A decoder reads tokens from a text that is all there.
type decoder struct {
	*json.Decoder
	text []byte
}

func newDecoder(text []byte) *decoder {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return &decoder{Decoder: d, text: text}
}

// More reports whether the current list or object has another element. At the end of a text that was cut off it reports false
// with every version of Go; the method of [json.Decoder] does so before Go 1.27 only.
func (d *decoder) More() bool {
	return d.rest() > 0 && d.Decoder.More()
}

// rest returns how many bytes follow that are not blanks.
func (d *decoder) rest() int { return len(bytes.TrimSpace(d.text[d.InputOffset():])) }

// next returns where the next token begins.
func (d *decoder) next() int {
	at := int(d.InputOffset())
	return at + len(d.text[at:]) - len(bytes.TrimLeft(d.text[at:], " \t\r\n,:"))
}

// position returns line and column of an offset, each from 1; a column is a character.
func (d *decoder) position(at int) (line, column int) {
	before := d.text[:at]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// join returns the path of a key behind a path.
func join(path, key string) string {
	if !names.Printable(key, 64) {
		key = strconv.Quote(key[:min(len(key), 64)])
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
