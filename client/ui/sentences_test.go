package ui

import (
	"testing"

	"parley/client/ui/lang"
)

// Every cause has a sentence in every language (lang's tests compare those).
func TestCausesHaveSentences(t *testing.T) {
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
	for cause := range causeKeys {
		if key := "cause." + string(cause); lang.T(key) == key {
			t.Errorf("cause %q has no sentence", cause)
		}
	}
}
