package lang

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"golang.org/x/text/language"

	"parley/client/ui/uitest"
	shared "parley/shared/lang"
)

// begin starts an app that speaks English.
func begin(t *testing.T) {
	t.Helper()
	uitest.NewApp()
	if err := Use("en"); err != nil {
		t.Fatal(err)
	}
}

// translation is all that the app can say in a language: its own sentences and
// the shared ones.
func translation(t *testing.T, code string) map[string]string {
	t.Helper()
	m, err := shared.Sentences(code)
	if err != nil {
		t.Fatal(err)
	}
	for key, sentence := range ownTranslation(t, code) {
		if m[key] != "" {
			t.Errorf("%s: %q is both the app's own and shared", code, key)
		}
		m[key] = sentence
	}
	return m
}

func ownTranslation(t *testing.T, code string) map[string]string {
	t.Helper()
	data, err := translations.ReadFile(code + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return m
}

// forms are the plural forms that whole numbers need in a language.
func forms(code string) []string {
	seen := make(map[string]bool)
	tag := language.Make(code)
	for n := range 2_000_001 {
		if n > 200 && n%100_000 != 0 {
			continue
		}
		seen[pluralForm(tag, n)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

var pluralKey = regexp.MustCompile(`^(.+)\.(zero|one|two|few|many|other)$`)

// plurals are the keys of a translation that come in plural forms.
func plurals(m map[string]string) map[string]bool {
	out := make(map[string]bool)
	for key := range m {
		if p := pluralKey.FindStringSubmatch(key); p != nil && m[p[1]+".other"] != "" {
			out[p[1]] = true
		}
	}
	return out
}

func TestTranslationsAreComplete(t *testing.T) {
	english := translation(t, "en")
	for _, l := range Languages {
		m := translation(t, l.Code)
		want := make(map[string]bool)
		counted := plurals(english)
		for key := range english {
			if p := pluralKey.FindStringSubmatch(key); p == nil || !counted[p[1]] {
				want[key] = true
			}
		}
		for key := range counted {
			for _, f := range append(forms(l.Code), "other") {
				want[key+"."+f] = true
			}
		}
		for key := range want {
			if strings.TrimSpace(m[key]) == "" {
				t.Errorf("%s: %q is missing", l.Code, key)
			}
		}
		for key := range m {
			if !want[key] {
				t.Errorf("%s: %q is not a key of the app", l.Code, key)
			}
		}
	}
	files, err := translations.ReadDir(".")
	if err != nil || len(files) != len(Languages) {
		t.Errorf("%d files for %d languages (%v)", len(files), len(Languages), err)
	}
}

// What is put into a sentence is put in by every translation.
func TestTranslationsHaveTheSameValues(t *testing.T) {
	value := regexp.MustCompile(`\{\w+\}`)
	english := translation(t, "en")
	optional := map[string]bool{"day.date": true, "day.date.year": true, "people.here.one": true, "people.one": true}
	for _, l := range Languages {
		for key, s := range translation(t, l.Code) {
			base := english[key]
			if p := pluralKey.FindStringSubmatch(key); base == "" && p != nil {
				base = english[p[1]+".other"]
			}
			got, want := value.FindAllString(s, -1), value.FindAllString(base, -1)
			slices.Sort(got)
			slices.Sort(want)
			if !optional[key] && !slices.Equal(got, want) {
				t.Errorf("%s: %q has %v, English has %v", l.Code, key, got, want)
			}
		}
	}
}

// Every key that the code asks for exists, and every key is asked for.
func TestKeysOfTheCode(t *testing.T) {
	sources, err := filepath.Glob("../*/*.go")
	pages, err2 := filepath.Glob("../*.go")
	if sources = append(sources, pages...); err != nil || err2 != nil || len(pages) == 0 {
		t.Fatal(err, err2)
	}
	call := regexp.MustCompile(`\b(T|Plural|listed)\("([^"]+)"(\s*\+)?`)
	english := translation(t, "en")
	counted := plurals(english)
	used := make(map[string]bool)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(data), -1) {
			switch {
			case m[3] != "": // a prefix: cause., failed. and store.
				for key := range english {
					if strings.HasPrefix(key, m[2]) {
						used[key] = true
					}
				}
			case m[1] == "Plural":
				if !counted[m[2]] {
					t.Errorf("%s: plural %q does not exist", name, m[2])
				}
				for key := range english {
					if strings.HasPrefix(key, m[2]+".") {
						used[key] = true
					}
				}
			default:
				if english[m[2]] == "" {
					t.Errorf("%s: %q does not exist", name, m[2])
				}
				used[m[2]] = true
			}
		}
		for _, m := range regexp.MustCompile("(?:key :?= |`\\), )\"([a-z._]+)\"").FindAllStringSubmatch(string(data), -1) {
			used[m[1]] = true
		}
	}
	for key := range ownTranslation(t, "en") {
		fynes := key[0] >= 'A' && key[0] <= 'Z'
		if !used[key] && !fynes {
			t.Errorf("%q is asked for nowhere", key)
		}
	}
}

func TestUseLanguage(t *testing.T) {
	begin(t)
	for code, want := range map[string]string{"de": "Räume", "ja": "ルーム", "pl": "Pokoje", "en": "Rooms"} {
		if err := Use(code); err != nil {
			t.Fatal(err)
		}
		if got := T("rooms.title"); got != want {
			t.Errorf("%s: the title is %q", code, got)
		}
	}
	if err := Use("pl"); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "1 osoba tutaj", 2: "2 osoby tutaj", 5: "5 osób tutaj", 22: "22 osoby tutaj", 25: "25 osób tutaj"} {
		if got := Plural("people.here", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if err := Use("xx"); err == nil {
		t.Error("an unknown language is no error")
	}
	if err := Use("en"); err != nil {
		t.Fatal(err)
	}
	// A value from the network is never a template nor a place for another value.
	if got := T("room.typing.two", "name", "{other}", "other", "{{.X}}"); got != "{other} and {{.X}} are typing…" {
		t.Errorf("values were read: %q", got)
	}
}

func TestSystemLanguage(t *testing.T) {
	for locale, want := range map[string]string{"de-AT": "de", "pl": "pl", "fr-CA": "fr", "ja-JP": "ja", "sv-SE": "en", "": "en", "es-419": "es"} {
		if got := systemLanguage(fyne.Locale(locale)); got != want {
			t.Errorf("%q speaks %q, want %q", locale, got, want)
		}
	}
}
