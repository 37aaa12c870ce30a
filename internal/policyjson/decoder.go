package policyjson

import (
	"bytes"
	"encoding/json"
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
	return len(bytes.TrimSpace(d.text[d.InputOffset():])) > 0 && d.Decoder.More()
}
