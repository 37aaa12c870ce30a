//go:build ignore

// Command make writes the list of common values to its standard output. Its arguments are the folders of the unpacked
// packages that data/SOURCES.md names: language-common, language-es-es, language-it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// own are values of the services that this library is for, which no general list has.
const own = `agenziaentrate benvenuto cambiame cambiami ciudadano clavepin claveunica codicefiscale contrasena
contrasenia contrasenya cartaidentita cedula certificado cittadino ecuador ecuatoriano espana forzajuve forzainter
forzamilan forzanapoli forzaroma guayaquil identidad iessclave iessecuador inpspin italia lamiaclave lamiapassword
micontrasena miclave mipassword miopin parolachiave parolasegreta passwordinps pensionato pensionista pincode
pinsegreto previdenza quito sanremo segreta segretissimo seguridad seguridadsocial seguro sicurezza spidinps
tesoreria tuseguridadsocial unoduetre vivaespana vivaecuador vivaitalia`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: make COMMON SPANISH ITALIAN")
	}
	passwords := read(os.Args[1], "passwords.json")
	values := map[string]bool{}
	add := func(s string) {
		if s = fold(s); s != "" && !strings.Contains(s, "%") {
			values[s] = true
		}
	}
	// The list is in order of frequency. Short values matter less, since they are only reached by taking an ending off.
	for rank, p := range passwords {
		switch digits := strings.Trim(p, "0123456789") == ""; {
		case digits && len(p) >= 4 && (len(p) != 8 || rank < 15000), // the others of eight are dates, refused by rule
			!digits && len(p) >= 8,
			!digits && len(p) >= 6 && rank < 10000,
			!digits && len(p) >= 4 && rank < 4000:
			add(p)
		}
	}
	// What is another value with digits or signs at its end is found without being listed.
	for v := range maps.Clone(values) {
		base := strings.TrimRight(v, "0123456789!?.,;:*+-_#$@&/ ")
		if len(base) >= 3 && base != v && len(v)-len(base) <= 4 && values[base] {
			delete(values, v)
		}
	}
	// The Italian first names are in alphabetical order and many are rare: those count that are also words in use.
	used := map[string]bool{}
	for _, w := range read(os.Args[3], "commonWords.json") {
		used[w] = true
	}
	for _, n := range read(os.Args[3], "firstnames.json") {
		if used[n] && len(n) >= 4 {
			add(joined(n))
		}
	}
	for _, n := range read(os.Args[3], "lastnames.json") {
		add(joined(n))
	}
	for _, n := range read(os.Args[2], "firstnames.json") {
		if len(n) >= 4 {
			add(joined(n))
		}
	}
	for _, n := range read(os.Args[2], "lastnames.json")[:1500] {
		if len(n) >= 5 {
			add(joined(n))
		}
	}
	for w := range strings.FieldsSeq(own) {
		add(w)
	}
	for _, v := range slices.Sorted(maps.Keys(values)) {
		fmt.Println(v)
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

// joined drops what is neither letter nor digit: d'angelo is typed dangelo.
func joined(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, s)
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
