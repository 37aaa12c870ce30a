package main

import "context"

// joined adds four characters of Ana's own, which she chooses when she asks and types in front of the three: who reads those
// three on her screen has less than half of it.
func (t *tale) joined(ctx context.Context) error {
	t.Step("Four of her own in front of the three")
	f := t.ana.form(workingLife(t.ana))
	err := t.ask("Her own four characters", []string{"gato7", "7GAT"}, func(typed string) error {
		if !plainOwn(typed) {
			return refusal("Four letters and digits, please.")
		}
		f.own = typed
		return nil
	})
	if err != nil {
		return err
	}
	u, err := t.confirm(ctx, t.ana, f, t.at(t.ana.app), func(code string) []string {
		return []string{code, f.own + " " + code} // without them first
	})
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed)
}

// plainOwn reports whether these are the four characters of one's own. The library refuses others as well.
func plainOwn(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; !(c >= 'a' && c <= 'z') && !(s[i] >= '0' && s[i] <= '9') {
			return false
		}
	}
	return len(s) == 4
}
