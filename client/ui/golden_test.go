package ui

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

var update = flag.Bool("update", false, "write the goldens of this run")

// views are how every page is drawn: in each look, and as small and large as it gets.
var views = []struct {
	name     string
	look     kit.Look
	percent  int
	language string
	size     fyne.Size
}{
	{"light", kit.LookLight, 100, "en", uitest.Phone},
	{"dark", kit.LookDark, 100, "en", uitest.Phone},
	{"narrow", kit.LookLight, 200, "de", fyne.NewSize(320, 700)},
	{"wide", kit.LookDark, 100, "en", fyne.NewSize(1100, 760)},
}

// Every page as it is drawn, in all views. After a change that is meant: go test ./client/ui -run Golden -update, and
// read the difference.
func TestGoldens(t *testing.T) {
	for _, v := range views {
		for _, s := range scenes {
			t.Run(s.name+"-"+v.name, func(t *testing.T) {
				w := newWorld(t, v.size, func(p prefs) { p.setLook(v.look); p.setPercent(v.percent); p.setLanguage(v.language) })
				s.show(w)
				golden(t, s.name+"-"+v.name, test.RenderToMarkup(w.window.Canvas()))
			})
		}
	}
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
}

// systemFont matches what a font of the system is needed for: its measures
// differ from one computer to the next.
var systemFont = regexp.MustCompile(`[\x{2190}-\x{2bff}\x{3000}-\x{10ffff}]`)

func golden(t *testing.T, name, markup string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(markup) {
		if !systemFont.MatchString(line) {
			lines = append(lines, line)
		}
	}
	got := strings.Join(lines, "")
	path := filepath.Join("testdata", name+".xml")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is drawn differently:\n%s", name, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "-" + strings.TrimSpace(a[i]) + "\n+" + strings.TrimSpace(b[i])
		}
	}
	return "one has more lines"
}
