package ui

import (
	"testing"

	"parley/client/session"
	"parley/client/ui/lang"
)

// Every cause has a sentence (lang's tests compare the languages); a cause that a
// later version adds says that the connection was lost.
func TestCausesHaveSentences(t *testing.T) {
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
	for _, cause := range session.Causes() {
		if !lang.Has("cause." + string(cause)) {
			t.Errorf("cause %q has no sentence", cause)
		}
	}
	if got, want := causeSentence("of a later version"), lang.T("cause.lost"); got != want {
		t.Errorf("an unknown cause says %q", got)
	}
}

// Two servers of one host are told apart.
func TestHostOf(t *testing.T) {
	for base, want := range map[string]string{
		"http://192.0.2.1:8000":        "192.0.2.1:8000",
		"http://192.0.2.1:8000/":       "192.0.2.1:8000",
		"https://chat.example/parley":  "chat.example/parley",
		"https://chat.example/parley/": "chat.example/parley",
		"no address":                   "no address",
	} {
		if got := hostOf(base); got != want {
			t.Errorf("%q is %q, want %q", base, got, want)
		}
	}
}
