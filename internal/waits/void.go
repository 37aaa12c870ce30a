package waits

// Void returns why a cell is not played: the thing cannot wait when the act comes. It is empty for all cells that
// are.
func Void(thing Thing, act Act) string {
	const (
		issued  = "the recovery that gave the grant ended what was issued before, and staff who issue after it end the grant"
		own     = "only a login with a secret in use has a device remembered, and what the act is about is issued"
		refused = "the citizen removes no contact while some are disputed"
	)
	switch thing {
	case Grant:
		if act == Exchange {
			return issued
		}
	case Device:
		if act == Exchange || act == Issue || act == Seen {
			return own
		}
	case Dispute, Settling:
		if act == Take {
			return refused
		}
	}
	return ""
}
