package civicpin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
)

func TestRecorders(t *testing.T) {
	var got []string
	named := func(name string) civicpin.Recorder {
		return civicpin.RecorderFunc(func(ctx context.Context, e civicpin.Event) {
			assert.Equal(t, "request", ctx.Value(contextKey{}))
			got = append(got, name+" "+string(e.Code))
		})
	}
	ctx := context.WithValue(t.Context(), contextKey{}, "request")

	list := []civicpin.Recorder{nil, named("a"), nil, named("b"), nil}
	r := civicpin.Recorders(list...)
	assert.NotNil(t, list[1], "the caller's slice is not changed")
	assert.Nil(t, list[4])
	list[1] = named("late")
	r.Record(ctx, civicpin.Event{Code: "pin.verified"})
	r.Record(ctx, civicpin.Event{Code: "pin.refused"})
	assert.Equal(t, []string{"a pin.verified", "b pin.verified", "a pin.refused", "b pin.refused"}, got)

	civicpin.Recorders().Record(ctx, civicpin.Event{})
	civicpin.Recorders(nil).Record(ctx, civicpin.Event{})
}

// The keys are an interface: alarms and reports of the callers are built on them.
func TestSlogRecorder(t *testing.T) {
	var out bytes.Buffer
	strip := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	r := civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: strip})))
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	r.Record(t.Context(), civicpin.Event{
		At: at, Code: "pin.attested", Subject: "RSSMRA85T10A562S", By: civicpin.Operator("7"),
		Source: civicpin.Source{Address: "192.0.2.1", Device: civicpin.NewSecret("signed-device-value")},
		Ref:    "issue-1", Level: civicpin.High, Reason: "seen at the desk",
	})
	r.Record(t.Context(), civicpin.Event{At: at, Code: "pin.refused"})
	assert.Equal(t, `level=INFO msg=pin.attested at=2026-03-01T09:30:00.000Z subject=RSSMRA85T10A562S by=operator:7 `+
		`address=192.0.2.1 device=true ref=issue-1 assurance=high reason="seen at the desk"`+"\n"+
		`level=INFO msg=pin.refused at=2026-03-01T09:30:00.000Z`+"\n", out.String())
	assert.NotContains(t, out.String(), "signed-device-value", "it opens a lane of its own")
}

// A hostile value must not begin a record of its own, and no attribute may take the place of one of slog's.
func TestSlogRecorderJSON(t *testing.T) {
	var out bytes.Buffer
	civicpin.SlogRecorder(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{AddSource: true}))).Record(t.Context(), civicpin.Event{
		Code: "pin.refused", Subject: "x\n{\"msg\":\"pin.verified\"}", By: civicpin.Citizen, Ref: "r",
		Source: civicpin.Source{Address: "192.0.2.1", Device: civicpin.NewSecret("d")}, Level: civicpin.Low, Reason: "\r\n\u2028",
	})
	var got map[string]any
	assert.NoError(t, json.Unmarshal(out.Bytes(), &got), "one record an event: %s", &out)
	assert.Equal(t, "pin.refused", got["msg"])
	assert.Equal(t, "INFO", got["level"], "a second key of that name: %s", &out)
	assert.Len(t, got, 12, "4 of slog's keys and 8 of ours: %s", &out)
}

func TestSlogRecorderDefault(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	civicpin.SlogRecorder(nil).Record(t.Context(), civicpin.Event{Code: "pin.verified"})
	assert.Contains(t, out.String(), "msg=pin.verified")
}
