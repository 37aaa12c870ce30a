package play_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play"
)

func TestAskUntil(t *testing.T) {
	errWrong, errDown := errors.New("wrong"), errors.New("down")
	var typed []string
	again := func(err error) error {
		if errors.Is(err, errWrong) {
			return nil
		}
		return err
	}
	_, err := run(t, func(_ context.Context, s *play.Stage) error {
		answers := []error{errWrong, errWrong, nil}
		if err := s.AskUntil("PIN", []string{" a ", "b"}, func(text string) error {
			typed = append(typed, text)
			return answers[len(typed)-1]
		}, again); err != nil {
			return err
		}
		if err := s.AskUntil("PIN", []string{"c"}, func(string) error { return errDown }, again); !errors.Is(err, errDown) {
			t.Errorf("%v, want the error that ends it", err)
		}
		asked := 0
		err := s.AskUntil("PIN", []string{"d"}, func(string) error { asked++; return errWrong }, again)
		if !errors.Is(err, play.ErrAnswers) || asked != play.Answers {
			t.Errorf("%v after %d answers", err, asked)
		}
		return nil
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "b"}; !slices.Equal(typed, want) {
		t.Errorf("typed %q, want %q", typed, want)
	}
}

func TestWanted(t *testing.T) {
	errWrong := errors.New("wrong")
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("page: %w", errWrong), ""},
		{nil, "it was accepted"},
		{play.ErrNoAnswer, "it: " + play.ErrNoAnswer.Error()},
	} {
		got := play.Wanted(c.err, errWrong, "it")
		if (got == nil) != (c.want == "") || got != nil && got.Error() != c.want {
			t.Errorf("%v: %v, want %q", c.err, got, c.want)
		}
	}
}
