package lockout_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// A deviceModel is the open lane and those of known devices, each as [model] has it.
type deviceModel struct {
	policy    lockout.Policy
	open      *model
	known     []*modelDevice // the one made last at the end
	forgotten int
	closed    bool // by an operator's lock
	flying    []modelFlight
}

type modelDevice struct {
	value string
	until time.Time
	lane  *model
}

// A modelFlight is a guess that is being verified, and where it was taken: a nil device is the open lane.
type modelFlight struct {
	h          *held
	device     *modelDevice
	deadline   time.Time
	forgotten  int
	generation int
}

// find returns the device that a value opens at now, nil if none.
func (m *deviceModel) find(value string, now time.Time) *modelDevice {
	for _, d := range m.known {
		if d.value == value && now.Before(d.until) {
			return d
		}
	}
	return nil
}

// first returns what is told of two lanes that are both locked: when the first one lets a guess in.
func first(a, b *lockout.LockedError, compared bool) string {
	return describe(lockout.Sooner(a, b), compared, start)
}

// begin says what a guess that shows a value is told at once, "" if it is verified, and in which device's lane.
func (m *deviceModel) begin(value string, now time.Time) (told string, d *modelDevice) {
	if d = m.find(value, now); d == nil {
		return m.open.begin(now), nil
	}
	told = d.lane.begin(now)
	if told == "" || told == "busy" {
		return told, d
	}
	told = m.open.begin(now)
	if strings.HasPrefix(told, "locked") {
		told = first(d.lane.Refusal(now), m.open.Refusal(now), false)
	}
	return told, nil
}

// end says what Do returns after the verification of a guess.
func (m *deviceModel) end(f modelFlight, outcome string, now time.Time) string {
	if f.device == nil {
		return m.open.end(f.h, outcome, now)
	}
	if d := m.find(f.device.value, now); d != nil {
		told := d.lane.end(f.h, outcome, now)
		locked := d.lane.Answers(now)
		if locked == nil || outcome != "wrong" {
			return told
		}
		if st := m.open.status(now); st.Locked == nil {
			return fmt.Sprintf("left %d", max(1, st.Left))
		} else {
			return first(locked, st.Locked, true)
		}
	}
	switch {
	case outcome == "broken":
		return "broken"
	case outcome == "wrong":
		return "left 1"
	case f.forgotten != m.forgotten || !now.Before(f.deadline):
		return "timeout"
	}
	return "ok"
}

// remember makes a device known in place of the one shown.
func (m *deviceModel) remember(shown, value string, now time.Time) {
	m.known = slices.DeleteFunc(m.known, func(d *modelDevice) bool { return d.value == shown || !now.Before(d.until) })
	lane := &model{Tally: testkit.Tally{Policy: m.policy, Device: true}}
	lane.Policy.Ceiling = max(m.policy.Limit, m.policy.Ceiling/(2*(m.policy.Devices+1)))
	m.known = append(m.known, &modelDevice{value, now.Add(m.policy.DeviceValid), lane})
	m.known = m.known[max(0, len(m.known)-m.policy.Devices):]
}

func (m *deviceModel) forget() { m.known, m.forgotten = nil, m.forgotten+1 }

// TestDeviceModel does random acts with devices and without, several guesses in flight at once, and compares every answer with
// the model's. Beside it, it counts what was compared since the last right guess, in all lanes.
func TestDeviceModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := newClock()
		policy := drawPolicy(rt)
		policy.Devices = rapid.IntRange(1, 3).Draw(rt, "devices")
		policy.Ceiling = policy.Limit*(policy.Devices+2) + rapid.IntRange(0, 12).Draw(rt, "more for the ceiling of all")
		policy.DeviceValid = 3 * hour
		vault := memoryVault(t, clock.Now, nil)
		gates := []*lockout.Gate{newGate(t, vault, policy), newGate(t, vault, policy)}
		share := max(policy.Limit, policy.Ceiling/(2*(policy.Devices+1)))
		m := &deviceModel{policy: policy, open: &model{Tally: testkit.NewTally(policy)}}
		m.open.Policy.Ceiling -= (policy.Devices + 1) * share
		ctx := context.Background()
		defer func() {
			for _, f := range m.flying {
				_ = f.h.end(false, errBroken)
			}
		}()
		values := []string{"", "garbage", remember(t, gates[0], "ANOTHER", "")}
		// A generation ends with a right guess, or a new binding; inRow is what was compared of those begun in this one.
		generation, inRow := 0, 0
		mayRemember := true
		gate := func() *lockout.Gate { return gates[rapid.IntRange(0, 1).Draw(rt, "gate")] }
		value := func() string { return values[rapid.IntRange(0, len(values)-1).Draw(rt, "value")] }
		check := func(want, got string) {
			if want != got {
				rt.Fatalf("at %s: want %q, got %q", clock.Now().Sub(start), want, got)
			}
		}
		next := func() { generation, inRow = generation+1, 0 }
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				if len(m.flying) >= 6 {
					rt.Skip("enough in flight")
				}
				shown, now := value(), clock.Now()
				want, d := m.begin(shown, now)
				h, err := hold(ctx, gate(), showing("CITIZEN", shown))
				if h == nil {
					check(want, describe(err, false, start))
					return
				}
				check(want, "")
				lane := m.open
				if d != nil {
					lane = d.lane
				}
				lane.begun(h, now)
				g := lane.guesses[len(lane.guesses)-1]
				m.flying = append(m.flying, modelFlight{h, d, g.deadline, m.forgotten, generation})
				inRow++
			},
			"end": func(rt *rapid.T) {
				if len(m.flying) == 0 {
					rt.Skip("none in flight")
				}
				i := rapid.IntRange(0, len(m.flying)-1).Draw(rt, "which")
				f := m.flying[i]
				m.flying = slices.Delete(m.flying, i, i+1)
				outcome := rapid.SampledFrom([]string{"right", "wrong", "wrong", "wrong", "broken"}).Draw(rt, "outcome")
				want := m.end(f, outcome, clock.Now())
				var err error
				if outcome == "broken" {
					err = errBroken
				}
				got := describe(f.h.end(outcome == "right", err), true, start)
				check(want, got)
				switch {
				case got == "ok":
					next()
					mayRemember = true
				case outcome == "broken" && f.generation == generation && clock.Now().Before(f.deadline):
					inRow-- // given back
				}
			},
			"remember": func(rt *rapid.T) {
				if !mayRemember {
					rt.Skip("nobody guessed right")
				}
				shown := value()
				if m.closed {
					_, err := gate().RememberDevice(ctx, showing("CITIZEN", shown))
					require.ErrorIs(rt, err, lockout.ErrLocked)
					return
				}
				mayRemember = false
				fresh := remember(t, gate(), "CITIZEN", shown)
				m.remember(shown, fresh, clock.Now())
				values = append(values, fresh)
			},
			"forget": func(*rapid.T) {
				require.NoError(rt, gate().ForgetDevices(ctx, "CITIZEN", operator))
				m.forget()
			},
			"unlock": func(*rapid.T) {
				want := m.open.unlock(clock.Now())
				m.closed = m.closed && want != "ok"
				check(want, describe(gate().Unlock(ctx, key("CITIZEN"), operator), true, start))
			},
			"lock": func(*rapid.T) {
				m.forget()
				m.open.bury(clock.Now())
				m.open.Lock(clock.Now())
				m.closed = true
				require.NoError(rt, gate().Lock(ctx, key("CITIZEN"), operator))
			},
			"rebind": func(*rapid.T) {
				m.forget()
				m.open.bury(clock.Now())
				m.open.Rebind(clock.Now())
				m.closed = false
				next()
				require.NoError(rt, gate().Rebind(ctx, key("CITIZEN"), operator))
			},
			"time passes": func(rt *rapid.T) {
				clock.Add(rapid.SampledFrom([]time.Duration{
					1, second, 15 * second, 30 * second, minute, 10 * minute, hour, day,
				}).Draw(rt, "how long"))
			},
			"": func(rt *rapid.T) {
				now := clock.Now()
				st, err := gates[0].Status(ctx, key("CITIZEN"))
				require.NoError(rt, err)
				sum, known := 0, 0
				open := m.open.copy()
				open.bury(now)
				sum += open.Kept
				for _, d := range m.known {
					if now.Before(d.until) {
						known++
						lane := d.lane.copy()
						lane.bury(now)
						sum += lane.Kept
					}
				}
				require.Equal(rt, known, st.Devices)
				require.Equal(rt, open.Kept, st.Failures)
				require.LessOrEqual(rt, sum, policy.Ceiling, "counted in all lanes")
				require.LessOrEqual(rt, inRow, policy.Ceiling, "compared since the last right guess")
			},
		})
	})
}
