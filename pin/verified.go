package pin

import (
	"time"

	"github.com/civicpin/civicpin"
)

// A Verified is what a right secret gives.
type Verified struct {
	// Level is the credential's level of assurance; [civicpin.NoLevel] as long as MustExchange.
	Level civicpin.Level
	// MustExchange says that the secret is the issued one: the only thing that it is good for is Service.Exchange.
	MustExchange bool
	// Expires is when the secret stops being good if it is not exchanged, changed or used before; zero if never.
	Expires time.Time

	// Shown says that the subject has logged in, for [civicpin.Source].Shown. It is good for 15 minutes, for this subject only;
	// keep it with the session. It is zero as long as MustExchange.
	Shown civicpin.Secret

	login *login // for RememberDevice; nil as long as MustExchange
}
