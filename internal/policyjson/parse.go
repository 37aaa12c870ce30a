package policyjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
)

// Read is [Unmarshal] whose errors match invalid.
func Read(data []byte, v any, invalid error, words ...Words) error {
	if err := Unmarshal(data, v, words...); err != nil {
		return fmt.Errorf("%w: %w", invalid, err)
	}
	return nil
}

// Parse reads and validates a policy. Errors are those of its methods; that of a broken clause says where its field stands.
func Parse[P interface{ Validate() error }, R interface {
	*P
	json.Unmarshaler
}](data []byte) (P, error) {
	var p, none P
	if err := R(&p).UnmarshalJSON(data); err != nil {
		return none, err
	}
	err := p.Validate()
	if err == nil {
		return p, nil
	}
	if b, ok := errors.AsType[civicpin.Breach](err); ok {
		d := newDecoder(data)
		if at, found := d.find("", pathOf(b.Field)); found {
			line, column := d.position(at)
			return none, fmt.Errorf("%w (line %d, column %d: %s)", err, line, column, pathOf(b.Field))
		}
	}
	return none, err
}

// pathOf returns the path in JSON of a field as Go writes it: "valid.sms" of `Valid["sms"]`.
func pathOf(field string) string {
	field, key, _ := strings.Cut(strings.TrimSuffix(field, `"]`), `["`)
	path := ""
	for name := range strings.SplitSeq(field, ".") {
		path = join(path, fieldName(name))
	}
	if key != "" {
		return join(path, key)
	}
	return path
}

// find returns where the value of a path begins, in a text that was read already.
func (d *decoder) find(path, want string) (at int, found bool) {
	at = d.next()
	token, err := d.Token()
	if err != nil || path == want {
		return at, err == nil
	}
	for i := 0; token == json.Delim('{') || token == json.Delim('['); i++ {
		if !d.More() {
			_, _ = d.Token() // the closing one
			break
		}
		inner := fmt.Sprintf("%s[%d]", path, i)
		if token == json.Delim('{') {
			key, _ := d.Token()
			inner = join(path, fmt.Sprint(key))
		}
		if at, found = d.find(inner, want); found {
			return at, true
		}
	}
	return 0, false
}
