package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/recovery"
)

// desk is the way for who is abroad: documents, which two people at the remote desk look at.
func (t *tale) desk(ctx context.Context) error {
	t.Step("The remote desk: Diego is in Madrid, and sends documents")
	if err := t.keyAtCounter(ctx, t.diego, "cédula "+string(diegoID), "cinco delfines rosados"); err != nil {
		return err
	}
	if err := t.lockUp(ctx, t.diego); err != nil {
		return err
	}
	v, err := t.known(ctx, byDesk, t.diego)
	if err != nil {
		return err
	}
	if err := t.send(ctx, v); err != nil {
		return err
	}
	if err := t.approve(ctx, v.ID); err != nil {
		return err
	}
	return t.login(ctx, t.diego)
}

const (
	noFile  = refusal("There is no such file on this telephone.")
	badFile = refusal("JPEG or PDF, please, and 1 MB each at most.")
)

// send is the page with the files. The first suggestions are those that the page turns down.
func (t *tale) send(ctx context.Context, v *visit) error {
	files, err := telephone()
	if err != nil {
		return err
	}
	tries := [][]string{{"scan.pdf", "notes.txt", "face.jpg"}, {"front.jpg", "back.jpg", "face.jpg"}}
	for i := range play.Answers {
		a := recovery.Answers{Documents: make(map[string]string)}
		for j, kind := range v.Next.Documents {
			err := t.ask(kind, tries[min(i, len(tries)-1)][j:j+1], func(typed string) error {
				content, ok := files[typed]
				if !ok {
					return noFile
				}
				a.Documents[kind] = t.files.Add(v.subject, content)
				return nil
			})
			if err != nil {
				return err
			}
		}
		err := t.submit(ctx, v, a)
		if err == nil {
			t.Says("Thank you. Our %s will look at it.", v.Next.Approval)
			return nil
		}
		if !errors.Is(err, civicpin.ErrInvalid) {
			return err
		}
		t.Refuses(badFile)
	}
	return play.ErrAnswers
}

// approve is the remote desk: one looks at the case and approves, and then another one.
func (t *tale) approve(ctx context.Context, id string) error {
	c, err := t.rec.ShowCase(ctx, id, checker)
	if err != nil {
		return err
	}
	t.Say("At the desk there is a case for %s, with %d documents. One of the two approves.", c.Subject, len(c.Documents))
	verdict := recovery.Verdict{Approve: true, Reason: "cédula and face compared", Source: operators}
	if _, err := t.rec.Decide(ctx, id, checker, verdict); err != nil {
		return err
	}
	_, err = t.rec.Decide(ctx, id, checker, verdict)
	t.Refuses(err)
	if err := play.Wanted(err, recovery.ErrNotAllowed, "one person's approval, twice"); err != nil {
		return err
	}
	if _, err := t.rec.Decide(ctx, id, colleague, verdict); err != nil {
		return err
	}
	t.Say("A colleague approves, too, and the key is unlocked.")
	return nil
}

// telephone returns the files that Diego has at hand.
func telephone() (map[string][]byte, error) {
	files := map[string][]byte{
		"scan.pdf":  append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte(" "), 2<<20)...),
		"notes.txt": []byte(strings.Repeat("milk, bread, cédula\n", 20)),
	}
	for i, name := range []string{"front.jpg", "back.jpg", "face.jpg"} {
		picture := image.NewGray(image.Rect(0, 0, 64, 40))
		for p := range picture.Pix {
			picture.Pix[p] = uint8(80 * i)
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, picture, nil); err != nil {
			return nil, fmt.Errorf("the camera: %w", err)
		}
		files[name] = file.Bytes()
	}
	return files, nil
}
