package policyjson

import (
	"encoding/json"
	"fmt"
)

// Read is [Unmarshal] whose errors match invalid.
func Read(data []byte, v any, invalid error) error {
	if err := Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", invalid, err)
	}
	return nil
}

// Parse reads and validates a policy. Errors are those of its methods.
func Parse[P interface{ Validate() error }, R interface {
	*P
	json.Unmarshaler
}](data []byte) (P, error) {
	var p, none P
	if err := R(&p).UnmarshalJSON(data); err != nil {
		return none, err
	}
	if err := p.Validate(); err != nil {
		return none, err
	}
	return p, nil
}
