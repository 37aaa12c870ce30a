package attempt

// Reason is what an event says of a refusal.
func Reason(err error, found Refusal) Refusal { return reason(err, found) }
