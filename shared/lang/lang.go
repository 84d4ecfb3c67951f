// Package lang has the sentences that both ends show: causes, refusals, states.
// Each is written once here, for the app and the page. What only one of them
// says is in client/ui/lang and server/web/lang.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Languages are the translations, each by its own name. The first one is used
// if no other fits.
var Languages = []struct{ Code, Name string }{
	{"en", "English"}, {"de", "Deutsch"}, {"fr", "Français"}, {"es", "Español"}, {"pl", "Polski"}, {"ja", "日本語"},
}

// File returns a language's sentences as JSON, by key. A key that counts comes
// in the language's plural forms (CLDR): key.one, key.few, key.many, key.other.
// A value is put in for its name in braces: {name}.
func File(code string) ([]byte, error) {
	data, err := files.ReadFile(code + ".json")
	if err != nil {
		return nil, fmt.Errorf("no translation %q: %w", code, err)
	}
	return data, nil
}

// Sentences returns a language's sentences by key.
func Sentences(code string) (map[string]string, error) {
	data, err := File(code)
	if err != nil {
		return nil, err
	}
	var sentences map[string]string
	if err := json.Unmarshal(data, &sentences); err != nil {
		return nil, fmt.Errorf("the translation %q is damaged: %w", code, err)
	}
	return sentences, nil
}
