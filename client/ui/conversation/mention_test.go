package conversation

import "testing"

func TestMentions(t *testing.T) {
	for _, tc := range []struct {
		text, name string
		want       bool
	}{
		{"hi ann!", "Ann", true}, {"@Ann", "Ann", true}, {"annual", "Ann", false}, {"Joann", "Ann", false}, {"annual ann", "Ann", true},
		{"田中さん", "田中", true}, {"x", "", false}, {"łukaszu", "Łukasz", false}, {"ŁUKASZ", "Łukasz", true},
	} {
		if got := Mentions(tc.text, tc.name); got != tc.want {
			t.Errorf("%q names %q: %v", tc.text, tc.name, got)
		}
	}
}
