package strangers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Scene is a vault and an outbox with the default limits, and what arrives from it. Make one with [Open].
type Scene struct {
	T     testing.TB
	Clock *testkit.Clock
	Vault *store.Vault
	Out   *outbox.Outbox

	fork *fork
	mu   sync.Mutex
	got  map[string][]civicpin.Message // by address, until they are read
}

// Open sets a scene at a time.
func Open(t testing.TB, at time.Time) *Scene {
	t.Helper()
	password.CheapDefault()
	s := &Scene{T: t, Clock: testkit.NewClock(at), fork: newFork(), got: make(map[string][]civicpin.Message)}
	s.Vault = testkit.Vault(t, s.fork, s.Clock, nil)
	s.Out = testkit.Outbox(t, s.Vault, civicpin.NotifierFunc(s.notify), outbox.Limits{})
	return s
}

func (s *Scene) notify(_ context.Context, m civicpin.Message) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[m.To.Address] = append(s.got[m.To.Address], m)
	return "", nil
}

// Read sends what is due, and returns the last message of a kind that arrived at an address. What arrived before is forgotten.
func (s *Scene) Read(address string, kind civicpin.MessageKind) (last civicpin.Message) {
	s.T.Helper()
	if err := s.Out.Flush(s.T.Context()); err != nil {
		s.T.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.got[address] {
		if m.Kind == kind {
			last = m
		}
	}
	clear(s.got)
	return last
}

// Stored purges the vault, and returns how many records of kinds that begin with prefix are kept, and their bytes with keys.
func (s *Scene) Stored(prefix string) (records, bytes int) {
	s.T.Helper()
	if _, err := s.Vault.Purge(s.T.Context(), store.Pass{}); err != nil {
		s.T.Fatal(err)
	}
	for item, err := range s.fork.List(s.T.Context(), prefix, "") {
		if err != nil {
			s.T.Fatal(err)
		}
		records, bytes = records+1, bytes+len(item.Key)+len(item.Value)
	}
	return records, bytes
}

// LoggedIn returns the value of a login of the subject just now.
func (s *Scene) LoggedIn(subject civicpin.Subject) civicpin.Secret {
	return shown.New(s.Vault, subject, shown.Value{Kind: shown.Login})
}

// FromDevice returns the value of a device of the subject that was known just now.
func (s *Scene) FromDevice(subject civicpin.Subject) civicpin.Secret {
	return shown.New(s.Vault, subject, shown.Value{Kind: shown.Device, ID: "telephone"})
}

// A Means is what the owner has.
type Means string

// The means.
const (
	Nothing Means = "nothing"
	Device  Means = "a known device"
	Login   Means = "a login"
)

// A Door is what the owner wants of a portal, and what strangers can do there.
type Door struct {
	Name string
	// Owner gets through the door, by what the owner has. It returns nil if so. What is not there means nothing at this door.
	Owner map[Means]func() error
	// Strangers are what attackers do, for a captcha each. An error means that it was refused.
	Strangers map[string]func(civicpin.Source) error
}

// An Attack is how many captchas are solved in a day, from how many source addresses.
type Attack struct {
	Captchas, Sources int
}

// day is how long an attack lasts, in minutes.
const day = 24 * 60

// Siege plays an attack on the door that open makes anew, once for each thing that strangers do and once for all of them, and
// returns the most minutes on end in which the owner was kept out. The attackers are as quick as can be: in each minute they
// come first, and a refusal costs them no captcha.
func Siege(t testing.TB, open func() (*Scene, Door), a Attack) map[Means]int {
	t.Helper()
	s, d := open()
	for means, try := range d.Owner {
		s.fork.try(func() {
			if err := try(); err != nil {
				t.Fatalf("%s, with %s, and no attacker: %v", d.Name, means, err)
			}
		})
	}
	worst := make(map[Means]int)
	besiege(t, open, "", a, worst)
	for only := range d.Strangers {
		if len(d.Strangers) > 1 && slices.Min(slices.Collect(maps.Values(worst))) < day { // or nothing can be worse
			besiege(t, open, only, a, worst)
		}
	}
	return worst
}

// besiege is one attack, with all that strangers do if only is empty.
func besiege(t testing.TB, open func() (*Scene, Door), only string, a Attack, worst map[Means]int) {
	t.Helper()
	s, d := open()
	crowd := newCrowd(s, &d, only, a)
	out := make(map[Means]int)
	in := make(map[Means]bool) // since the attackers last did something: time alone locks no door
	for range day {
		if crowd.act() {
			clear(in)
		}
		s.Read("", "")
		for means, try := range d.Owner {
			if in[means] {
				continue
			}
			s.fork.try(func() {
				if in[means] = try() == nil; in[means] {
					out[means] = 0
				} else {
					out[means]++
				}
			})
			worst[means] = max(worst[means], out[means])
		}
		s.Clock.Add(time.Minute)
	}
}

// A crowd are the attackers.
type crowd struct {
	scene    *Scene
	moves    map[string]func(civicpin.Source) error
	captchas int
	sources  []civicpin.Source
	rest     map[string]time.Time // until when a move from a source is refused, as the portal said
}

func newCrowd(s *Scene, d *Door, only string, a Attack) *crowd {
	c := &crowd{scene: s, captchas: a.Captchas, rest: make(map[string]time.Time)}
	c.moves = make(map[string]func(civicpin.Source) error)
	for name, move := range d.Strangers {
		if only == "" || only == name {
			c.moves[name] = move
		}
	}
	for i := range a.Sources {
		c.sources = append(c.sources, civicpin.Source{Address: fmt.Sprintf("2001:db8:%x::1", i)})
	}
	return c
}

// act does each move from each source until it is refused, and reports whether one was not.
func (c *crowd) act() bool {
	before := c.captchas
	for _, name := range slices.Sorted(maps.Keys(c.moves)) {
		for _, source := range c.sources {
			for c.captchas > 0 && !c.scene.Clock.Now().Before(c.rest[name+source.Address]) {
				if !c.do(name, c.moves[name], source) {
					break
				}
			}
		}
	}
	return c.captchas < before
}

// do does one move, and reports whether to go on.
func (c *crowd) do(name string, move func(civicpin.Source) error, source civicpin.Source) bool {
	err := move(source)
	locked, ok := errors.AsType[*lockout.LockedError](err)
	switch {
	case err == nil:
		c.captchas--
		return true
	case !ok:
		c.scene.T.Fatalf("%s: %v", name, err)
	case locked.New: // this guess was counted, and was the last one
		c.captchas--
	}
	c.rest[name+source.Address] = locked.Until
	if locked.Until.IsZero() {
		c.rest[name+source.Address] = c.scene.Clock.Now().Add(time.Hour)
	}
	return false
}
