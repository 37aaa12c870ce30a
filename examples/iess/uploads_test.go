package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/recovery"
)

// TestDescribe: the type is found out from the bytes, and nobody is told of somebody else's file.
func TestDescribe(t *testing.T) {
	files, err := telephone()
	if err != nil {
		t.Fatal(err)
	}
	virus := append([]byte("%PDF-1.7\n"), "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"...)
	var u agency.Uploads
	for name, c := range map[string]struct {
		content []byte
		want    recovery.Document
	}{
		"photograph":     {files["front.jpg"], recovery.Document{Type: "image/jpeg", Clean: true}},
		"scan":           {files["scan.pdf"], recovery.Document{Type: "application/pdf", Clean: true}},
		"text":           {files["notes.txt"], recovery.Document{Type: "text/plain; charset=utf-8", Clean: true}},
		"named a JPEG":   {[]byte("<html><script>"), recovery.Document{Type: "text/html; charset=utf-8", Clean: true}},
		"with a virus":   {virus, recovery.Document{Type: "application/pdf"}},
		"nothing at all": {nil, recovery.Document{Type: "text/plain; charset=utf-8", Clean: true}},
	} {
		c.want.Size, c.want.Digest = int64(len(c.content)), fmt.Sprintf("%x", sha256.Sum256(c.content))
		ref := u.Add("diego", c.content)
		got, err := u.Describe(t.Context(), "diego", ref)
		if got != c.want || err != nil || len(ref) != 26 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for _, other := range []struct{ subject, ref string }{{"lucia", ref}, {"diego", ref + "A"}, {"diego", ""}} {
			got, err := u.Describe(t.Context(), civicpin.Subject(other.subject), other.ref)
			if got != (recovery.Document{}) || !errors.Is(err, civicpin.ErrInvalid) {
				t.Errorf("%s, as %+v: %+v, %v", name, other, got, err)
			}
		}
	}
}

// TestUploadsAreCopied: what is changed after it was taken in was not taken in.
func TestUploadsAreCopied(t *testing.T) {
	var u agency.Uploads
	content := []byte("%PDF-1.7\n")
	ref := u.Add("diego", content)
	copy(content, bytes.Repeat([]byte("x"), len(content)))
	if got, err := u.Describe(t.Context(), "diego", ref); got.Type != "application/pdf" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
