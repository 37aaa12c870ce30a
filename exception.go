package civicpin

// An Exception accepts that a policy or a plan breaks one clause, and says why. A constructor refuses a policy that breaks a
// clause without an exception, and an exception for a clause that the policy keeps: it would cover a later change of the
// policy unseen. Policies of authenticators may keep one for keys that are imported later.
type Exception struct {
	// Clause is the [Breach].Clause that is accepted. Required.
	Clause string
	// Reason is for the reader of the policy: 1 to 500 printable bytes. Required.
	Reason string
}

// A Breach is one value of a policy or a plan that breaks a clause. It is also the error of a constructor, for
// [errors.AsType]: the first of several.
type Breach struct {
	// Clause is a clause of a standard, "SP 800-63B-4 3.1.1.2(1)", or one of the library's own rules, "guess budget".
	Clause string
	// Field and Value are what breaks it: "Chosen.Min", "8".
	Field, Value string
	// Set is what keeps the clause: "at least 15".
	Set string
}

// Error returns the breach in words.
func (b Breach) Error() string {
	return b.Field + " is " + b.Value + ", which breaks \"" + b.Clause + "\": set " + b.Set + ", or name the clause in Exceptions"
}
