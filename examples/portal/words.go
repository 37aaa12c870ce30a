package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/civicpin/civicpin/texts"
)

//go:embed words/*.json
var wordFiles embed.FS

// languages are those of the portal, the first for visitors that want none of them.
var languages = []string{"en", "es", "it"}

// words are the portal's own words by language and key. What the library refuses is worded by package texts.
type words map[string]map[string]string

func readWords() (words, error) {
	all := make(words)
	for _, lang := range languages {
		var own map[string]string
		text, err := wordFiles.ReadFile("words/" + lang + ".json")
		if err = errors.Join(err, json.Unmarshal(text, &own)); err != nil {
			return nil, fmt.Errorf("portal: words/%s.json: %w", lang, err)
		}
		all[lang] = own
	}
	return all, nil
}

// T returns a word in the visitor's language; one that is missing shows, and fails the tests.
func (v *visit) T(key string, args ...any) string {
	word, ok := v.p.words[v.lang][key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	if len(args) > 0 {
		return fmt.Sprintf(word, args...)
	}
	return word
}

// time writes a moment as the clocks of the system's country show it, as its messages do.
func (v *visit) time(t time.Time, layout string) string {
	if v.sys != nil {
		t = t.In(v.sys.clock)
	}
	return t.Format(layout)
}

// say returns paragraphs.
func (v *visit) say(keys ...string) []string {
	var all []string
	for _, key := range keys {
		all = append(all, v.T(key))
	}
	return all
}

// refusal returns the words for a code of package web.
func (v *visit) refusal(code string) string {
	if word, ok := texts.Refusal(v.lang, code); ok {
		return word
	}
	return v.T("error")
}

// matcher knows languages, as the readers of their neighbours do.
var matcher = language.NewMatcher([]language.Tag{language.English, language.Spanish, language.Italian})

// languageOf returns the visitor's: the one that was chosen, or else the first of the browser's that there is.
func languageOf(r *http.Request) string {
	chosen := ""
	if c, err := r.Cookie("language"); err == nil {
		chosen = c.Value
	}
	_, i := language.MatchStrings(matcher, chosen, r.Header.Get("Accept-Language"))
	return languages[i]
}

// chooseLanguage keeps the language for a year, and leads back to the page.
func (p *portal) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	if to := r.PostFormValue("to"); slices.Contains(languages, to) {
		http.SetCookie(w, &http.Cookie{
			Name: "language", Value: to, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true,
			SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.base, "https:"),
		})
	}
	back := r.PostFormValue("back")
	if !p.pages[back] { // never another site's
		back = "/"
	}
	http.Redirect(w, r, p.path+back, http.StatusSeeOther)
}
