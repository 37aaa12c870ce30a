package plan

import (
	"fmt"
	"reflect"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/policyjson"
	"github.com/civicpin/civicpin/lockout"
)

// planText is a [Plan] as it is written: the same fields, with steps that tell which they are.
type planText struct {
	Name      string
	Steps     []stepText
	Limit     lockout.Policy
	Outcome   Outcome
	Keeps     civicpin.Level
	Certified bool
	Creates   bool
	Valid     time.Duration
	Grant     time.Duration
	Repudiate time.Duration

	OwnChannels []civicpin.Channel
	Exceptions  []civicpin.Exception
}

// stepText is a step as it is written: an object with one key, which names the step. Of the fields one is set.
type stepText struct {
	Captcha        *Captcha
	Facts          *Facts
	Image          *Image
	Questions      *Questions
	Contacts       *Contacts
	ConfirmContact *ConfirmContact
	Link           *Link
	Code           *Code
	Factor         *Factor
	Documents      *Documents
	Approval       *Approval
	Wait           *Wait
	Terms          *Terms
	Enrol          *Enrol
}

// field returns the field of a step's type; invalid if there is none.
func (t *stepText) field(of reflect.Type) reflect.Value {
	for _, field := range reflect.ValueOf(t).Elem().Fields() {
		if field.Type().Elem() == of {
			return field
		}
	}
	return reflect.Value{}
}

// set sets the field of the step's type, and reports whether there is one.
func (t *stepText) set(s Step) bool {
	field := t.field(reflect.TypeOf(s))
	if !field.IsValid() {
		return false
	}
	field.Set(reflect.New(field.Type().Elem()))
	field.Elem().Set(reflect.ValueOf(s))
	return true
}

// step returns the one step that is set, false if there are none or several.
func (t *stepText) step() (s Step, ok bool) {
	n := 0
	for _, field := range reflect.ValueOf(t).Elem().Fields() {
		if !field.IsNil() {
			s, _ = field.Elem().Interface().(Step)
			n++
		}
	}
	return s, n == 1 && s != nil
}

// MarshalJSON writes the plan for people to read and edit: durations as "3m" or "7d", zero fields left out, and each step as an
// object with one key that names it:
//
//	"steps": [{"captcha": {}}, {"facts": ["birth-day"]}, {"link": {"channel": "email", "valid": "3m"}}]
//
// A step that is not one of this package's, or an invalid level, is an error that matches [ErrInvalid].
func (p Plan) MarshalJSON() ([]byte, error) {
	text := planText{
		Name: p.Name, Limit: p.Limit, Outcome: p.Outcome, Keeps: p.Keeps, Certified: p.Certified, Creates: p.Creates,
		Valid: p.Valid, Grant: p.Grant, Repudiate: p.Repudiate, OwnChannels: p.OwnChannels, Exceptions: p.Exceptions,
	}
	for i, s := range p.Steps {
		var step stepText
		if !step.set(s) {
			return nil, fmt.Errorf("%w: %s: step %d, %T: not a step of this package", ErrInvalid, p.Name, i+1, s)
		}
		text.Steps = append(text.Steps, step)
	}
	data, err := policyjson.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, p.Name, err)
	}
	return data, nil
}

// UnmarshalJSON reads what [Plan.MarshalJSON] writes, at most 64 KiB. It is strict: unknown and repeated fields, unknown steps,
// words and channels, and a step of no key or of two are errors that match [ErrInvalid], and leave the plan as it was. They
// name the line, the column, the field and what it takes. It does not validate, which takes the configuration around the plan:
// [Plan.Validate] does.
func (p *Plan) UnmarshalJSON(data []byte) error {
	words := []policyjson.Words{
		policyjson.Of(lockout.Timed, lockout.UntilUnlocked), policyjson.Of(ChooseSecret, ReissueInParts, Unlocked),
	}
	var text planText
	if err := policyjson.Read(data, &text, ErrInvalid, words...); err != nil {
		return err
	}
	var steps []Step
	for i := range text.Steps {
		s, ok := text.Steps[i].step()
		if !ok {
			return fmt.Errorf("%w: step %d is not an object with one key, the step's name", ErrInvalid, i+1)
		}
		steps = append(steps, s)
	}
	*p = Plan{
		Name: text.Name, Steps: steps, Limit: text.Limit, Outcome: text.Outcome, Keeps: text.Keeps,
		Certified: text.Certified, Creates: text.Creates, Valid: text.Valid, Grant: text.Grant,
		Repudiate: text.Repudiate, OwnChannels: text.OwnChannels, Exceptions: text.Exceptions,
	}
	return nil
}
