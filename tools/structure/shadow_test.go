package main

import "testing"

func TestShadows(t *testing.T) {
	m := theModule(t)
	for _, p := range m.pkgs {
		for _, line := range shadows(m, p) {
			t.Error(line)
		}
	}
}

// The check itself, on a file with something of each sort.
func TestShadowsSees(t *testing.T) {
	m := small(t, map[string]string{
		"go.mod": "module " + modulePath + "\n\ngo 1.26.0\n",
		"p.go": `package strings
			import (
				"bytes"
				"errors"
				rand "crypto/rand"
				"strings"
			)
			var _, _, _, _ = bytes.Equal, errors.New, rand.Text, strings.Cut
			type T struct { bytes int }
			func (T) errors() {}
			func fine(string) (text string) { return }
			func param(bytes int) {}
			func result() (errors error) { return }
			func (rand T) receiver() {}
			func inside(x any) {
				strings := 1
				_ = strings
				const bytes = 1
				type errors int
				var f = func(rand int) {}
				_ = f
				switch rand := x.(type) { case int: _ = rand }
				for bytes := range 3 { _ = bytes }
			}
			func generic[bytes any](bytes) {}
			`,
		"other.go": `package strings
			func elsewhere(bytes int) {}
			`,
	})
	same(t, shadows(m, m.pkg(".")), []string{
		"p.go:12: bytes hides package bytes",
		"p.go:13: errors hides package errors",
		"p.go:14: rand hides package crypto/rand",
		"p.go:16: strings hides package strings",
		"p.go:18: bytes hides package bytes",
		"p.go:19: errors hides package errors",
		"p.go:20: rand hides package crypto/rand",
		"p.go:22: rand hides package crypto/rand",
		"p.go:23: bytes hides package bytes",
		"p.go:25: bytes hides package bytes",
	})
}
