package main

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// newPortal starts a portal on an empty file, as the program does with these flags, in which BASE is its address.
func newPortal(t *testing.T, flags ...string) *portal {
	t.Helper()
	return newPortalOn(t, nil, flags...)
}

// newPortalOn starts a portal as newPortal does. Its store is what wrap makes of it, unless that is nil.
func newPortalOn(t *testing.T, wrap func(store.Lister) store.Lister, flags ...string) *portal {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "portal.db")
	base := "http://" + listener.Addr().String()
	flags = append([]string{"-db", file, "-keys", file + ".keys", "-base", base}, flags...)
	for i := range flags {
		flags[i] = strings.ReplaceAll(flags[i], "BASE", base)
	}
	c, err := readConfig(flags, io.Discard)
	require.NoError(t, err)
	c.wrap = wrap
	ctx, stop := context.WithCancel(context.Background())
	p, err := open(ctx, c)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, listener, false) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		require.NoError(t, p.close())
	})
	return p
}

var (
	alertLine = regexp.MustCompile(`(?s)<p class="alert" role="alert">(.*?)</p>`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

func (b *browser) alert() string {
	return strings.TrimSpace(tags.ReplaceAllString(strings.Join(alertLine.FindAllString(b.body, -1), " "), ""))
}

// lastWord is the code of three characters, which stands behind the colon of a text message's first line.
func lastWord(m mail) string {
	for line := range strings.Lines(m.Text) {
		if _, code, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			fields := strings.Fields(code)
			if last := strings.Trim(fields[len(fields)-1], "."); len(last) == 3 {
				return last
			}
		}
	}
	return ""
}
