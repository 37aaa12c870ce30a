package civicpin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
)

func TestLevelText(t *testing.T) {
	levels := []civicpin.Level{civicpin.NoLevel, civicpin.Low, civicpin.Substantial, civicpin.High}
	for i, want := range []string{"none", "low", "substantial", "high"} {
		l := levels[i]
		assert.Equal(t, want, l.String())
		text, err := l.MarshalText()
		assert.NoError(t, err)
		assert.Equal(t, want, string(text))
		back := civicpin.Level(77)
		assert.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, l, back)
		if i > 0 {
			assert.Greater(t, l, levels[i-1], "levels are ordered")
		}
	}
	var zero civicpin.Level
	assert.Equal(t, civicpin.NoLevel, zero)
}

func TestLevelInvalid(t *testing.T) {
	for _, l := range []civicpin.Level{4, 5, 255} {
		assert.Equal(t, "invalid", l.String())
		_, err := l.MarshalText()
		assert.ErrorIs(t, err, civicpin.ErrInvalid)
		_, err = json.Marshal(l)
		assert.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	for _, text := range []string{"", "Low", "LOW", " low", "low ", "invalid", "1", "medium", "high\x00"} {
		l := civicpin.Substantial
		assert.ErrorIs(t, l.UnmarshalText([]byte(text)), civicpin.ErrInvalid, text)
		assert.Equal(t, civicpin.Substantial, l, "%q changed the level", text)
	}
	l := civicpin.Low
	assert.Error(t, json.Unmarshal([]byte("3"), &l), "a number is no level")
	assert.Equal(t, civicpin.Low, l)
}

func TestEvidenceValidate(t *testing.T) {
	operator := civicpin.Operator("7")
	for name, tc := range map[string]struct {
		evidence civicpin.Evidence
		invalid  bool
	}{
		"in person":                     {civicpin.Evidence{Method: civicpin.InPerson, By: operator}, false},
		"with a document":               {civicpin.Evidence{Method: civicpin.Video, By: operator, Document: "CIE CA00000AA"}, false},
		"uploaded, checked":             {civicpin.Evidence{Method: civicpin.UploadedDocument, By: operator}, false},
		"a caller's own method":         {civicpin.Evidence{Method: "notary", By: operator}, false},
		"certificate, by a machine":     {civicpin.Evidence{Method: civicpin.Certificate, By: civicpin.Citizen}, false},
		"letter code, by a machine":     {civicpin.Evidence{Method: civicpin.LetterCode, By: civicpin.Citizen}, false},
		"video that no person reviewed": {civicpin.Evidence{Method: civicpin.AutomatedVideo, By: civicpin.Citizen}, false},
		"64 bytes of method":            {civicpin.Evidence{Method: civicpin.Method(strings.Repeat("m", 64)), By: operator}, false},
		"256 bytes of document":         {civicpin.Evidence{Method: civicpin.InPerson, By: operator, Document: strings.Repeat("d", 256)}, false},

		"zero":                            {civicpin.Evidence{}, true},
		"no method":                       {civicpin.Evidence{By: operator}, true},
		"nobody":                          {civicpin.Evidence{Method: civicpin.Certificate}, true},
		"operator without an id":          {civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator("")}, true},
		"in person, attested by oneself":  {civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Citizen}, true},
		"video, attested by oneself":      {civicpin.Evidence{Method: civicpin.Video, By: civicpin.Citizen}, true},
		"upload, attested by oneself":     {civicpin.Evidence{Method: civicpin.UploadedDocument, By: civicpin.Citizen}, true},
		"own method, attested by oneself": {civicpin.Evidence{Method: "notary", By: civicpin.Citizen}, true},
		"65 bytes of method":              {civicpin.Evidence{Method: civicpin.Method(strings.Repeat("m", 65)), By: operator}, true},
		"257 bytes of document":           {civicpin.Evidence{Method: civicpin.InPerson, By: operator, Document: strings.Repeat("d", 257)}, true},
	} {
		refused(t, tc.evidence.Validate(), tc.invalid, name)
	}
	for name, text := range unprintable {
		refused(t, civicpin.Evidence{Method: civicpin.Method(text), By: operator}.Validate(), true, name)
		refused(t, civicpin.Evidence{Method: civicpin.InPerson, By: operator, Document: text}.Validate(), true, name)
		refused(t, civicpin.Evidence{Method: civicpin.InPerson, By: civicpin.Operator(text)}.Validate(), true, name)
	}
}
