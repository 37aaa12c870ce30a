package lockout

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
)

// A Lock says what happens at a policy's limit.
type Lock string

const (
	// Timed locks end by themselves: after Policy.For, and each further one after twice as long, up to Policy.Max. Each day
	// without a failure halves the next one.
	Timed Lock = "timed"
	// UntilUnlocked locks end by [Gate.Unlock] only.
	UntilUnlocked Lock = "until-unlocked"
)

// MaxCeiling is the greatest ceiling that a policy may have: NIST SP 800-63B-4 3.2.2 allows no more than 100 consecutive
// failed attempts on one authenticator before it must be disabled.
const MaxCeiling = 100

// Budget is the highest probability of guessing a secret, before a gate disables it, that the policies of this module and the
// plans of recoveries may leave without naming an Exception: what NIST SP 800-63B-4 leaves to a random code of six digits
// (3.1.3.2) and 100 tries (3.2.2). Keys of package otp have a budget of their own.
const Budget = 1e-4

// The defaults of a Policy.
const (
	defaultTimeout = 30 * time.Second
	defaultForget  = 30 * 24 * time.Hour
	maxTimeout     = 10 * time.Minute
	defaultDevice  = 180 * 24 * time.Hour
	maxDevices     = 10
	year           = 366 * 24 * time.Hour
)

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidPolicy, fmt.Sprintf(format, args...))
}

// A Policy says how many wrong guesses are allowed and what follows. The zero Policy is refused. It is plain data, and may be
// written and read as JSON.
type Policy struct {
	// Limit is how many failures lock. Each day without a failure takes one back, and a right guess does not: a stranger would
	// see it. Required, at most Ceiling.
	Limit int
	// Lock is what happens at the limit. Required.
	Lock Lock
	// For is how long the first Timed lock lasts, and Max how long the longest one does. Max zero means For: all locks last
	// alike. Both are unused, and must be zero, for UntilUnlocked. For is required for Timed, 1 second to 366 days.
	For, Max time.Duration
	// DelayAfter is the number of failures in a row after which each further guess has to wait: for Delay after that
	// failure, and twice as long after each further one, up to DelayMax (zero: one hour; NIST SP 800-63B-4 3.2.2 names 30
	// seconds to one hour). Zero means no delays.
	DelayAfter      int
	Delay, DelayMax time.Duration
	// Ceiling is how many failures in a row, whatever locks, unlocks and re-issues come between, disable the credential
	// until [Gate.Rebind]. Zero means 100, which is also the most ([MaxCeiling]). Known devices take their part of it.
	Ceiling int
	// Devices is how many known devices of one subject (see [Gate.RememberDevice]) have a lane each, which strangers cannot
	// lock; at most 10. Zero means none. It is for a pin.Policy and for gates of your own: packages otp and recovery remember no
	// device, refuse Devices, and use Reserve. NIST SP 800-63B-4 3.2.2 counts the failures on a credential, so the lanes share
	// Ceiling. The lane of each device has Ceiling/(2*(Devices+1)) of it, but at least Limit. There is one such share more than
	// Devices, for a device that replaces another one. The open lane has the rest, which must be at least Limit: a policy with
	// Limit*(Devices+2) above Ceiling is refused. With a Ceiling of 100, 3 devices have 12 each and the open lane has 52.
	Devices int
	// DeviceValid is how long a device stays known after RememberDevice. Zero means 180 days if Devices is set.
	DeviceValid time.Duration
	// Reserve is the share of Ceiling, in failures, that is kept for callers who have shown a login ([civicpin.Source].Shown),
	// and a second share of that size for callers who have shown a known device of another service. Strangers cannot lock or
	// use up either share. When a share is locked or used up, its callers use the open lane. The open lane has
	// Ceiling-2*Reserve, at least Limit. Zero means one lane for all callers. Reserve and Devices exclude each other.
	Reserve int
	// Source limits the wrong guesses that come from one source address: by different subjects, and by failures. It holds for the
	// open lane: the lanes of known devices and of Reserve pass. A guess at a locked subject counts, too. Zero means no
	// limit; [Policy.WithRates] has those of the ready policies.
	Source SourceLimits
	// Global limits the failures of all subjects together: what many addresses try on everybody. It is counted in parts, after
	// the fact, and so holds approximately. While it is exceeded, guesses in the open lane need a challenge
	// ([civicpin.Source].Challenged), and those in other lanes pass. Zero means no limit; [Policy.WithRates] has that of the
	// ready policies. At a portal without a challenge a botnet that reaches Global shuts the open lane for everybody: set it to
	// zero there, after WithRates.
	Global civicpin.Rate
	// Timeout bounds one verification. Zero means 30 seconds. A guess whose outcome was not stored 15 seconds after that
	// is a failure: its process died.
	Timeout time.Duration
	// Forget is how long after the last failure all that visitors are shown is forgotten, of known and unknown subjects alike.
	// Zero means 30 days. A lock that does not end by time shows for 400 days. Forget, times the rate of failures that Global and
	// Source let through, bounds what strangers can make the store keep. What a guess leaves that was given back goes after an
	// hour. The failures of known subjects towards Ceiling, and locks until unlocked, are kept: a guess that only these refuse is
	// refused as wrong, and not compared ([Status].Hidden).
	Forget time.Duration
	// ShowLeft tells visitors how many wrong guesses are left before the next lock ([RefusedError].Left). The number also tells
	// that others have guessed. Known devices have it told in any case.
	ShowLeft bool

	private bool // of a lane that strangers have no way into: a device's
}

// withDefaults returns the policy with its zero fields filled in.
func (p Policy) withDefaults() Policy {
	if p.Ceiling == 0 {
		p.Ceiling = MaxCeiling
	}
	if p.Max == 0 {
		p.Max = p.For
	}
	if p.DelayAfter > 0 && p.DelayMax == 0 {
		p.DelayMax = max(time.Hour, p.Delay)
	}
	if p.Timeout == 0 {
		p.Timeout = defaultTimeout
	}
	if p.Forget == 0 {
		p.Forget = defaultForget
	}
	if p.Devices > 0 && p.DeviceValid == 0 {
		p.DeviceValid = defaultDevice
	}
	return p
}

// forgiveEvery is the time without a failure after which one failure is forgiven.
func (p Policy) forgiveEvery() time.Duration {
	return min(24*time.Hour, p.Forget/time.Duration(p.Limit))
}

// deadline is when a guess fails by itself that is taken at now.
func (p Policy) deadline(now time.Time) time.Time { return now.Add(p.Timeout + settleTime) }

// openLane is the policy of the open lane: the ceiling without the devices' shares.
func (p Policy) openLane() Policy {
	if p.Devices > 0 {
		p.Ceiling -= (p.Devices + 1) * p.deviceLane().Ceiling
	}
	p.Ceiling -= reserves * p.Reserve
	return p
}

// deviceLane is the policy of a known device's lane.
func (p Policy) deviceLane() Policy {
	p.private = true
	p.Ceiling = max(p.Limit, p.Ceiling/(2*(p.Devices+1)))
	return p
}

// shownLane is the policy of a lane for callers who have shown something.
func (p Policy) shownLane() Policy {
	p.private = true
	p.Ceiling, p.Limit = p.Reserve, min(p.Limit, p.Reserve)
	return p
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong: a field is missing or out of range,
// or the policy allows more failures than NIST does.
func (p Policy) Validate() error {
	p = p.withDefaults()
	switch {
	case p.Ceiling < 1 || p.Ceiling > MaxCeiling:
		return bad("Ceiling is not 1 to %d", MaxCeiling)
	case p.Limit < 1 || p.Limit > p.Ceiling:
		return bad("Limit is not 1 to the ceiling of %d", p.Ceiling)
	case p.Lock != Timed && p.Lock != UntilUnlocked:
		return bad("Lock is neither Timed nor UntilUnlocked")
	case p.Lock == UntilUnlocked && (p.For != 0 || p.Max != 0):
		return bad("For and Max belong to Timed locks")
	case p.Lock == Timed && (p.For < time.Second || p.For > p.Max || p.Max > year):
		return bad("For is not 1 second to Max, or Max is over 366 days")
	case p.DelayAfter < 0 || p.DelayAfter > p.Ceiling:
		return bad("DelayAfter is not 0 to the ceiling")
	case p.DelayAfter == 0 && (p.Delay != 0 || p.DelayMax != 0):
		return bad("Delay and DelayMax need DelayAfter")
	case p.DelayAfter > 0 && (p.Delay < time.Second || p.Delay > p.DelayMax || p.DelayMax > year):
		return bad("Delay is not 1 second to DelayMax, or DelayMax is over 366 days")
	case p.Timeout < time.Second || p.Timeout > maxTimeout:
		return bad("Timeout is not 1 second to 10 minutes")
	case p.Forget < time.Hour || p.Forget > 10*year:
		return bad("Forget is not 1 hour to 10 years")
	}
	if err := p.validateLanes(); err != nil {
		return err
	}
	if err := p.Source.validate(); err != nil {
		return err
	}
	if err := p.Global.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	return nil
}

// ValidateWithoutDevices is Validate for a service that remembers no device. It refuses Devices too, which would take half of
// the Ceiling for lanes without callers. Errors match [ErrInvalidPolicy].
func (p Policy) ValidateWithoutDevices() error {
	if p.Devices != 0 {
		return bad("Devices is %d, and this service remembers no device: it is for a pin.Policy; set Reserve here", p.Devices)
	}
	return p.Validate()
}

// validateLanes checks what lanes beside the open one a policy has, and whether their shares of the ceiling fit.
func (p Policy) validateLanes() error {
	switch {
	case p.Devices < 0 || p.Devices > maxDevices:
		return bad("Devices is not 0 to %d", maxDevices)
	case p.Devices == 0 && p.DeviceValid != 0:
		return bad("DeviceValid needs Devices")
	case p.Devices > 0 && (p.DeviceValid < time.Hour || p.DeviceValid > 2*year):
		return bad("DeviceValid is not 1 hour to 732 days")
	case p.Devices > 0 && p.Limit*(p.Devices+2) > p.Ceiling:
		return bad("Limit*(Devices+2) is over the ceiling of %d: %d known devices do not fit", p.Ceiling, p.Devices)
	case p.Reserve < 0 || p.Limit+reserves*p.Reserve > p.Ceiling:
		return bad("Reserve is below 0, or Limit+%d*Reserve is over the ceiling of %d", reserves, p.Ceiling)
	case p.Reserve > 0 && p.Devices > 0:
		return bad("Reserve and Devices are not for one policy")
	}
	return nil
}
