package kit

import (
	"encoding/json"
	"os"
	"testing"
)

// The page's test reads the same vectors.
func TestInitials(t *testing.T) {
	var vectors struct{ Cases [][2]string }
	data, err := os.ReadFile("../../../shared/testdata/text/initials.json")
	if err == nil {
		err = json.Unmarshal(data, &vectors)
	}
	if err != nil || len(vectors.Cases) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, c := range vectors.Cases {
		if got := initials(c[0]); got != c[1] {
			t.Errorf("%q has the initials %q, want %q", c[0], got, c[1])
		}
	}
}
