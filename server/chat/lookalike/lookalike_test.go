package lookalike

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name, like, script string
		mixed              bool
	}{
		{"Ann", "ann", "Latin", false},
		{"Zoë", "zoë", "Latin", false},
		{"Max", "rnax", "Latin", false},
		{"MAX", "rnax", "Latin", false},
		{"\u041c\u0410\u0425", "rnax", "Cyrillic", false}, // МАХ
		{"\u039c\u0391\u03a7", "rnax", "Greek", false},
		{"\u0410nn", "ann", "Cyrillic", true},
		{"B\u03c3b", "bob", "Greek", true},                                  // sigma
		{"\ua4d0\ua4f3\ua4d0", "bob", "Lisu", true},                         // ꓐꓳꓐ
		{"\ua4d0ob", "bob", "Lisu", true},                                   // ꓐob
		{"B\u2c9fb", "bob", "Coptic", true},                                 // Bⲟb
		{"\u2ca3\u2c9f\u2ca3", "pop", "Coptic", true},                       // ⲣⲟⲣ
		{"B\u1d0fb", "bob", "Latin", true},                                  // a small capital
		{"BiII", "bill", "Latin", false},                                    // two I
		{"B0b", "bob", "Latin", false},                                      // a zero
		{"Дима Smith", "", "Cyrillic", true},                                // two scripts that look alike
		{"Дима", "", "Cyrillic", false},                                     //
		{"Ali علي", "", "Arabic", false},                                    // words of their own
		{"Aliعلي", "", "Arabic", true},                                      //
		{"田中さんカナ", "", "Han", false},                                        //
		{"Tanaka 田中", "", "Han", false},                                     //
		{"K-팝 Fan", "", "Hangul", false},                                    //
		{"\u0d2a\u0d4d\u0d30", "", "Malayalam", false},                      //
		{"👩\U0001f3fd🚀 Ada", "", "Latin", false},                            //
		{"C# & Go! – 100 %", "", "Latin", false},                            //
		{"René’s", "", "Latin", false},                                      //
		{"Łukasz Şahin Müßig Ærø", "", "Latin", false},                      //
		{"\u05d3\u05e0\u05d9 \u0414\u0438\u043c\u0430", "", "Hebrew", true}, // דני Дима
	} {
		got := Of(c.name)
		if c.like != "" && got.Skeleton != norm.NFD.String(c.like) || got.Script != c.script || got.Mixed != c.mixed {
			t.Errorf("%q looks like %+v", c.name, got)
		}
	}
}

// Names that differ in nothing but one letter are not alike.
func TestUnlike(t *testing.T) {
	for _, names := range [][2]string{{"Ian", "Lan"}, {"Ali", "All"}, {"Ann", "Anna"}, {"Zoe", "Zoë"}, {"Mia", "Mla"}, {"Дима", "Дина"}, {"vina", "Nina"}} {
		if Of(names[0]).Skeleton == Of(names[1]).Skeleton {
			t.Errorf("%q are alike", names)
		}
	}
}

func TestHint(t *testing.T) {
	for _, c := range [][3]string{{"\u041c\u0410\u0425", "MAX", "Cyrillic"}, {"MAX", "\u041c\u0410\u0425", "Latin"}, {"BiII", "Bill", "look-alike"}} {
		if got := Of(c[0]).Hint(Of(c[1])); got != c[2] {
			t.Errorf("%q after %q gets %q", c[0], c[1], got)
		}
	}
}

// The table is of the Unicode that Go knows.
func TestTable(t *testing.T) {
	if !strings.Contains(source, "Unicode "+unicode.Version+",") {
		t.Errorf("Go has Unicode %s: make the table anew with generate.go", unicode.Version)
	}
	if n := len(table()); n < 2000 {
		t.Errorf("the table has %d characters", n)
	}
	if _, err := os.Stat("LICENSE"); err != nil {
		t.Error(err)
	}
}

func BenchmarkOf(b *testing.B) {
	for b.Loop() {
		Of("Donaudampfschifffahrtsgesellscha")
	}
}

// FuzzOf looks for a name that has no look.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"Ann", "\u0410nn", "m\u0301\u0327", "\ufdfa", "\xff", "ℵ", "🎉"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := Of(s)
		if len(l.Skeleton) > 32*len(s)+32 || l.Script == "" {
			t.Errorf("%q looks like %+v", s, l)
		}
	})
}
