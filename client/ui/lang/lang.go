// Package lang has the sentences that the app says, in six languages, and says
// days and ages in words.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	cldr "golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"parley/client/ui/text"
	shared "parley/shared/lang"
)

// translations are the sentences that only the app says; shared/lang has those
// that the page says too.
//
//go:embed *.json
var translations embed.FS

// Languages are the translations, each by its own name.
var Languages = shared.Languages

// spoken is the language of the translation in use, sentences are its texts by key.
var (
	spoken    = language.English
	sentences map[string]string
)

// Use makes the app speak a language; "" is the system's, or English if there is no
// translation. Fyne's lang speaks the system's language only, so Use gives it the
// chosen translation as that one's.
func Use(code string) error {
	if code == "" {
		code = systemLanguage(lang.SystemLocale())
	}
	data, err := translations.ReadFile(code + ".json")
	if err != nil {
		return fmt.Errorf("no translation %q: %w", code, err)
	}
	both, err := shared.File(code)
	if err != nil {
		return err
	}
	texts := make(map[string]string)
	for _, part := range [][]byte{both, data} {
		if err := json.Unmarshal(part, &texts); err != nil {
			return fmt.Errorf("the translation %q is damaged: %w", code, err)
		}
	}
	spoken, sentences = language.Make(code), texts
	system := fyne.Locale(lang.SystemLocale().LanguageString())
	if err := lang.AddTranslationsForLocale(both, system); err != nil {
		return err
	}
	return lang.AddTranslationsForLocale(data, system)
}

// systemLanguage is the translation nearest to a locale.
func systemLanguage(l fyne.Locale) string {
	tags := make([]language.Tag, len(Languages))
	for i, v := range Languages {
		tags[i] = language.Make(v.Code)
	}
	tag, err := language.Parse(l.LanguageString())
	if err != nil {
		return Languages[0].Code
	}
	_, i, confidence := language.NewMatcher(tags).Match(tag)
	if confidence == language.No {
		i = 0
	}
	return Languages[i].Code
}

// T is the text of a key in the language in use. Values are put in for their
// names in braces, name and value in turn; they are text from the network as
// often as not, and never read as a template. One that reads from the right moves nothing
// around it.
func T(key string, values ...string) string {
	s := lang.X(key, key)
	if len(values) == 0 {
		return s
	}
	pairs := make([]string, len(values))
	copy(pairs, values)
	for i := 0; i < len(pairs); i += 2 {
		pairs[i], pairs[i+1] = "{"+pairs[i]+"}", text.Isolate(pairs[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Decimal is a number that is written with a point, as the language writes it.
func Decimal(s string) string { return strings.Replace(s, ".", T("number.point"), 1) }

// Has reports whether there is a text of a key. Fyne is not asked: it logs each key that it
// does not know.
func Has(key string) bool { return sentences[key] != "" }

// Plural is the text of a key for a number of things, in the language's form
// for it: key.one, key.few, key.many or key.other.
func Plural(key string, n int) string {
	return T(key+"."+pluralForm(spoken, n), "n", fmt.Sprint(n))
}

var pluralForms = map[cldr.Form]string{
	cldr.Zero: "zero", cldr.One: "one", cldr.Two: "two", cldr.Few: "few", cldr.Many: "many", cldr.Other: "other",
}

// pluralForm is the form of a whole number (CLDR).
func pluralForm(tag language.Tag, n int) string {
	return pluralForms[cldr.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]
}
