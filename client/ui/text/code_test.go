package text

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// The app finds the code that the page finds.
func TestParts(t *testing.T) {
	data, err := os.ReadFile("../../../shared/testdata/text/code.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases [][2]json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 10 {
		t.Fatalf("%d cases", len(file.Cases))
	}
	for _, c := range file.Cases {
		var s string
		var listed []any
		if err := json.Unmarshal(c[0], &s); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c[1], &listed); err != nil {
			t.Fatal(err)
		}
		var want []Part
		for _, p := range listed {
			switch p := p.(type) {
			case string:
				want = append(want, Part{Text: p})
			case []any:
				want = append(want, Part{Code: true, Text: p[0].(string)})
			}
		}
		if got := Parts(s); !slices.Equal(got, want) {
			t.Errorf("Parts(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return float32(len([]rune(s))) })
	for _, tc := range []struct {
		line  string
		width float32
		want  string
	}{
		{"short", 5, "short"},
		{"longer line", 7, "longer…"},
		{"    indented far", 8, "    ind…"},
		{"anything", 0, "…"},
	} {
		if got := w.Cut(tc.line, tc.width); got != tc.want {
			t.Errorf("Cut(%q, %v) = %q, want %q", tc.line, tc.width, got, tc.want)
		}
	}
}
