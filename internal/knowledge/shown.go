package knowledge

import (
	"bytes"
	"slices"

	"github.com/civicpin/civicpin"
)

// ranked returns a list in the order of a keyed hash: the same whenever it is asked for.
func (c *Catalogue) ranked(list []string, purpose string, parts ...string) []string {
	type ranking struct {
		item string
		hash [32]byte
	}
	ranks := make([]ranking, 0, len(list))
	for _, item := range list {
		ranks = append(ranks, ranking{item, c.Hash(purpose, append(slices.Clone(parts), item)...)})
	}
	slices.SortFunc(ranks, func(a, b ranking) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	out := make([]string, 0, len(list))
	for _, r := range ranks {
		out = append(out, r.item)
	}
	return out
}

// Shown returns the images that are shown for a subject: all of a small catalogue, otherwise their own among others. Where
// there is none, a decoy stands in its place, and the others are chosen in the same way.
//
// The others depend on the own one. Were they the same for each of a subject's, who looks before and after another image
// was enrolled would see which one came in; if they were drawn anew each time, which one is always there.
func (c *Catalogue) Shown(subject civicpin.Subject, k *Knowledge) []string {
	if len(c.Images) == 0 {
		return nil
	}
	own := c.ranked(c.Images, "recovery.image.own", string(subject))[0] // also where it is not needed: it takes time
	if k.Image != "" {
		own = k.Image
	}
	shown := []string{own}
	for _, image := range c.ranked(c.Images, "recovery.image.others", string(subject), own) {
		if image != own && len(shown) < MaxShown {
			shown = append(shown, image)
		}
	}
	return c.ranked(shown, "recovery.image.order", string(subject))
}

// Pick returns which n questions a subject is asked: always the same ones, so that wrong answers bring no easier question
// (OWASP cheat sheet "Choosing and Using Security Questions"), and so that a visitor does not see that the secret was changed,
// as only a registered subject's can be. Decoys fill up what a subject has enrolled to the usual number. A catalogue that is
// too small gives fewer.
func (c *Catalogue) Pick(subject civicpin.Subject, k *Knowledge, n int) []string {
	own := k.Names()
	var decoys, rest []string // decoys: questions that the subject could have enrolled, so that as much is hashed for each
	for _, question := range c.ranked(c.Questions, "recovery.questions.own", string(subject)) {
		switch {
		case slices.Contains(own, question):
		case len(own)+len(decoys) < c.Usual:
			decoys = append(decoys, question)
		default:
			rest = append(rest, question)
		}
	}
	ask := func(list []string) []string {
		return c.ranked(list, "recovery.questions.ask", string(subject))
	}
	// In this order for any n: a plan that asks more asks the same ones first.
	picked := slices.Concat(ask(own), ask(decoys), rest)
	return picked[:min(len(picked), n)]
}
