package main

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// forgotten is the way to another password: a form, the address confirmed, and a link that is good for three minutes. She is
// late by a second, and has to begin again.
func (t *tale) forgotten(ctx context.Context) error {
	t.Step("She forgets her password: three tries, and a link for three minutes")
	link, err := t.linkFor(ctx, t.lucia.mind.wrong(), t.lucia.mind)
	if err != nil {
		return err
	}
	if err := t.Later(3*time.Minute + time.Second); err != nil {
		return err
	}
	_, err = t.rec.Finish(ctx, link, t.lucia.source)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrExpired, "a link of three minutes and a second"); err != nil {
		return err
	}
	return t.again(ctx)
}

// again goes the whole way without a slip.
func (t *tale) again(ctx context.Context) error {
	link, err := t.linkFor(ctx, t.lucia.mind)
	if err != nil {
		return err
	}
	if err := t.scanned(ctx, link); err != nil {
		return err
	}
	// This is for the button on the page that the link opens: a POST.
	grant, err := t.rec.Finish(ctx, link, t.lucia.source)
	if err != nil {
		return err
	}
	return t.choose(ctx, t.lucia, grant, t.lucia.password, "una iguana duerme al sol")
}

// linkFor goes through the pages until the link comes.
func (t *tale) linkFor(ctx context.Context, suggestions ...memory) (civicpin.Secret, error) {
	v, err := t.visit(ctx, forgotten, t.lucia)
	if err != nil {
		return civicpin.Secret{}, err
	}
	if err := t.whoYouAre(ctx, v, suggestions...); err != nil {
		return civicpin.Secret{}, err
	}
	if err := t.confirm(ctx, v); err != nil {
		return civicpin.Secret{}, err
	}
	return t.news(ctx, "Lucía", v.email, recovery.ToRecover)
}

// scanned is what happens to a link before its reader sees it: mail servers open it, to look for malware. That is a GET, and
// changes nothing.
func (t *tale) scanned(ctx context.Context, link civicpin.Secret) error {
	for range 3 {
		look, err := t.rec.Inspect(ctx, link)
		if err != nil {
			return err
		}
		if look.Purpose != recovery.ToRecover || !look.Last {
			return errors.New("the link is for something else: " + string(look.Purpose))
		}
	}
	t.Say("(Mail scanners have opened the link three times before her. It is still good.)")
	return nil
}
