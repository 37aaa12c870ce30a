package main

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sumIn finds the sum on a page, and returns its two words, and the words for all numbers.
func sumIn(p *portal, page string) []string {
	for _, words := range p.words {
		asks := regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(words["captcha.sum"]), "%s", `(\pL+)`))
		if found := asks.FindStringSubmatch(html.UnescapeString(page)); found != nil {
			return append(found[1:], words["captcha.numbers"])
		}
	}
	return nil
}

// solved returns the answer to it.
func solved(t *testing.T, p *portal, page string) string {
	t.Helper()
	sum := sumIn(p, page)
	require.Len(t, sum, 3, "no sum on the page: %s", page)
	numbers := strings.Fields(sum[2])
	return fmt.Sprint(slices.Index(numbers, sum[0]) + slices.Index(numbers, sum[1]) + 2)
}

// size is the length of the page, without the words of a sum: those differ at random.
func (b *browser) size() int {
	if sum := sumIn(b.p, b.body); sum != nil {
		return len(b.body) - len(sum[0]) - len(sum[1])
	}
	return len(b.body)
}

func (b *browser) sum() string { return "captcha=" + solved(b.t, b.p, b.body) }

// solve answers the step of a recovery that is a challenge.
func (b *browser) solve(path string) *browser {
	b.t.Helper()
	return b.send(path, "act=answer", b.sum())
}
