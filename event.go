package civicpin

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// An EventCode names what happened, "pin.verified". Codes are stable: a code never gets another meaning. Each package that
// records events returns the list of its codes from a function Events.
type EventCode string

// An EventInfo describes the events of one code.
type EventInfo struct {
	Code EventCode // that is described
	// Meaning says what happened, in one or two sentences for an operator.
	Meaning string
	// Reasons are what Event.Reason may be: fixed words as they are, other text as a description that begins with "the" or "a".
	// An empty Reason is not listed; nil means that Reason is always empty.
	Reasons []string
}

// An Event is one act, good or bad, as it is written to an audit log (OWASP ASVS 16.3.1). It never holds a secret.
type Event struct {
	// At is when it happened, by the vault's clock.
	At   time.Time
	Code EventCode // says what happened
	// Subject is the raw identifier of the subject: personal data, to be kept as such.
	Subject Subject
	// By is the actor; empty if no actor in particular caused it.
	By Actor
	// Source is where the request came from.
	Source Source
	// Ref is the id of the issue, message or code that the event is about; empty if there is none.
	Ref string
	// Level is the level of assurance after the event, where it matters.
	Level Level
	// Reason says why, in words for the log: a caller's reason for a revocation, a cause of a refusal.
	Reason string
}

// A Recorder is told every event. It must be safe for concurrent use.
type Recorder interface {
	// Record is called inline, so it must be quick. It returns no error: a recorder that can fail decides itself what follows.
	Record(ctx context.Context, e Event)
}

// RecorderFunc lets a function be a [Recorder].
type RecorderFunc func(ctx context.Context, e Event)

// Record calls f.
func (f RecorderFunc) Record(ctx context.Context, e Event) { f(ctx, e) }

// Recorders returns a Recorder that passes each event to all of the given ones, in order. Nil ones are left out.
func Recorders(rs ...Recorder) Recorder {
	rs = slices.DeleteFunc(slices.Clone(rs), func(r Recorder) bool { return r == nil })
	return RecorderFunc(func(ctx context.Context, e Event) {
		for _, r := range rs {
			r.Record(ctx, e)
		}
	})
}

// SlogRecorder returns a Recorder that writes each event as one record of level Info, its message the event's code, with
// the attributes at, subject, by, address, device, ref, assurance and reason; empty ones are left out. The keys are stable,
// and none is one of slog's own (the event's level is "assurance": a JSON log with two keys "level" would hide one). The
// device value is written as its presence only, since it opens a lane of its own. A nil logger means slog.Default().
func SlogRecorder(l *slog.Logger) Recorder {
	if l == nil {
		l = slog.Default()
	}
	return RecorderFunc(func(ctx context.Context, e Event) {
		attrs := make([]slog.Attr, 0, 8)
		add := func(key, value string) {
			if value != "" {
				attrs = append(attrs, slog.String(key, value))
			}
		}
		attrs = append(attrs, slog.Time("at", e.At))
		add("subject", string(e.Subject))
		add("by", string(e.By))
		add("address", e.Source.Address)
		if !e.Source.Device.IsZero() {
			attrs = append(attrs, slog.Bool("device", true))
		}
		add("ref", e.Ref)
		if e.Level != NoLevel {
			add("assurance", e.Level.String())
		}
		add("reason", e.Reason)
		l.LogAttrs(ctx, slog.LevelInfo, string(e.Code), attrs...)
	})
}
