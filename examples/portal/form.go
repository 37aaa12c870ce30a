package main

import (
	"errors"
	"html/template"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/web"
)

// A view is one page: what the template page.html shows. Title, and Say and Facts where it says so, are words in the visitor's
// language already, or keys of words.
type view struct {
	Title  string // a key
	Say    []string
	Facts  [][2]string
	Forms  []form
	Links  []link
	Tables []table
	Mails  []mail
	Bars   []bar
	Form   template.HTML // of web.LinkPage
	How    how
	Alert  string
	Status int
}

// how says how a page is done.
type how struct{ File, Call string }

// A link leads to a page: a path, and the key of a word.
type link struct{ Path, Word string }

type table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// A bar is one row of a chart.
type bar struct {
	Name  string
	Value int
	Of    int
}

// Width is the length of the bar in the chart's units.
func (b bar) Width() int { return min(300, 300*b.Value/max(b.Of, 1)) }

// A form is sent to its page by POST. Act tells the forms of one page apart.
type form struct {
	Act    string
	Legend string
	Fields []field
	Button string // a key
	Files  bool
}

// simple returns a page of one form, whose words are name.title and name.say.
func (v *visit) simple(name string, done how, button string, fields ...field) view {
	return view{Title: name + ".title", Say: v.say(name + ".say"), How: done, Forms: []form{{Fields: fields, Button: button}}}
}

// nothing has a page say that there is nothing to do on it, and where that begins.
func (v *visit) nothing(w view, say string, begin link) view {
	w.Say, w.Links = v.say(say), []link{begin}
	return w
}

// A field is one entry of a form. Its label and hint are words already.
type field struct {
	Name, Label, Hint string
	Type              string // text, email, tel, password, checkbox, file; empty means text
	Auto              string // autocomplete
	Value, Error      string
	Optional          bool
	Keep              bool     // after a refusal, though browsers are not to fill it in: it is no secret
	Digits            bool     // a keyboard of digits
	Options           []option // radio buttons, or a list if Type is select
}

type option struct {
	Value, Label string
	Chosen       bool
}

// choices are options, whose words have the prefix and the value as their key.
func (v *visit) choices(prefix string, values ...string) (all []option) {
	for _, value := range values {
		all = append(all, option{Value: value, Label: v.T(prefix + value)})
	}
	return all
}

// A refused entry: what is wrong with which field, as a key of a word. The page shows it beside the field.
type refusal struct{ field, word string }

func (r refusal) Error() string        { return "portal: " + r.field + ": " + r.word }
func (r refusal) Is(target error) bool { return target == civicpin.ErrInvalid }

// refuse has the page say what an error is about: beside the field that is to blame if it is known, otherwise above the form.
func (v *visit) refuse(w *view, err error) {
	answer := web.Status(err)
	w.Status = answer.Status
	answer.Header(v.w.Header())
	if answer.Code == "challenge" || v.human != nil && *v.human { // after a wrong guess behind one, the next needs one, too
		v.challenged(w)
	}
	if r, ok := errors.AsType[refusal](err); ok {
		w.Status = 422
		v.blame(w, r.field, v.T(r.word))
		return
	}
	words := v.refusal(answer.Code)
	if answer.Status == 422 && len(answer.Code) > 6 && answer.Code[:6] == "choice" {
		v.blame(w, "new", words)
		return
	}
	w.Alert = words
	if lock, ok := errors.AsType[*lockout.LockedError](err); ok && !lock.Until.IsZero() {
		w.Alert += " " + v.T("locked.until", v.time(lock.Until, "2006-01-02 15:04"))
	}
	if refused, ok := errors.AsType[*lockout.RefusedError](err); ok && refused.Left >= 0 {
		w.Alert += " " + v.T("tries.left", refused.Left)
	}
}

func (v *visit) blame(w *view, name, words string) {
	w.Alert = words
	for i := range w.Forms {
		for j := range w.Forms[i].Fields {
			if f := &w.Forms[i].Fields[j]; f.Name == name {
				f.Error, w.Alert = words, v.T("form.look")
				return
			}
		}
	}
}

// keep fills in again what was typed, but no secret.
func (v *visit) keep(w *view) {
	for i := range w.Forms {
		if w.Forms[i].Act != v.typed("act") {
			continue
		}
		for j := range w.Forms[i].Fields {
			f := &w.Forms[i].Fields[j]
			switch {
			case f.Type == "password" || f.Type == "file" || f.Auto == "one-time-code" || f.Auto == "off" && !f.Keep,
				f.Type == "checkbox" && !f.Optional: // what is agreed to is agreed to with what is sent
			case len(f.Options) > 0:
				for k := range f.Options {
					f.Options[k].Chosen = f.Options[k].Value == v.typed(f.Name)
				}
			default:
				f.Value = v.typed(f.Name)
			}
		}
	}
}
