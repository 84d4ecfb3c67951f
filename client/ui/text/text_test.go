package text

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// cells is a font in which every code point is ten wide, and a mark nothing.
func cells(s string) float32 {
	n := 0
	for _, r := range s {
		if r != 0x301 && r != 0xfe0f && r != 0x200d {
			n++
		}
	}
	return float32(10 * n)
}

func seen(l Line) string {
	var b strings.Builder
	for _, r := range l.Runs {
		b.WriteString(r.Text)
	}
	return b.String()
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		width      float32
		want       []string
	}{
		{"one line", "hello world", 200, []string{"hello world"}},
		{"at a blank", "hello world", 60, []string{"hello", "world"}},
		{"exactly full", "hello world", 110, []string{"hello world"}},
		{"line breaks stay", "a\n\nb", 100, []string{"a", "", "b"}},
		{"a word wider than the line", "abcdefgh ij", 30, []string{"abc", "def", "gh", "ij"}},
		{"a long word after a short one", "a bcdefg", 40, []string{"a", "bcde", "fg"}},
		{"after a hyphen", "well-known", 60, []string{"well-", "known"}},
		{"not before a number", "-12", 20, []string{"-1", "2"}},
		{"Japanese breaks between characters", "こんにちは、世界。", 50, []string{"こんにち", "は、世界。"}},
		{"an emoji stays whole", "👩‍🚀👩‍🚀", 30, []string{"👩‍🚀", "👩‍🚀"}},
		{"empty", "", 50, []string{""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := NewWrapper(cells)
			lines := w.Lay(tc.text, tc.width)
			var got []string
			widest := float32(0)
			for _, l := range lines {
				got = append(got, seen(l))
				widest = max(widest, l.Width)
			}
			if strings.Join(got, "|") != strings.Join(tc.want, "|") {
				t.Errorf("lines are %q, want %q", got, tc.want)
			}
			e := w.Measure(tc.text, tc.width)
			if e.Lines != len(lines) || e.Widest != widest {
				t.Errorf("Measure says %+v, Lay made %d lines, the widest %v", e, len(lines), widest)
			}
		})
	}
}

func TestBidiOrder(t *testing.T) {
	for _, tc := range []struct {
		name, text, want string
		rtl              bool
	}{
		{"Latin", "abc def", "abc def", false},
		{"Hebrew words go right to left", "שלום עולם", "עולם שלום", true},
		{"a number in Hebrew keeps its order", "יש 123 אנשים", "אנשים 123 יש", true},
		{"number, bracket and Latin in Hebrew", "שלום (Parley 2) עולם", "עולם (Parley 2) שלום", true},
		{"a bracket around Hebrew is mirrored", "זה (טוב) מאוד", "מאוד (טוב) זה", true},
		{"Hebrew and a number in Latin", "see שלום 42 now", "see 42 שלום now", false},
		{"a pair of brackets goes one way", "x שלום (עולם) y", "x (עולם) שלום y", false},
		{"two Hebrew words in Latin", "a שלום עולם b", "a עולם שלום b", false},
		{"a full stop ends a Hebrew line on the left", "שלום.", ".שלום", true},
		{"Arabic with Latin digits", "عندي 15 تفاحة", "تفاحة 15 عندي", true},
		{"a price", "המחיר 50$ היום", "היום 50$ המחיר", true},
		{"a phone number", "טלפון 03-1234567", "03-1234567 טלפון", true},
		{"an emoji between Hebrew words", "שלום 👩‍🚀 עולם", "עולם 👩‍🚀 שלום", true},
		{"Hebrew next to Arabic", "שלום—مرحبا", "مرحبا—שלום", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := NewWrapper(cells)
			lines := w.Lay(tc.text, 10_000)
			if len(lines) != 1 {
				t.Fatalf("%d lines", len(lines))
			}
			if got := seen(lines[0]); got != tc.want {
				t.Errorf("seen from the left: %q, want %q", got, tc.want)
			}
			if lines[0].RTL != tc.rtl {
				t.Errorf("RTL is %v", lines[0].RTL)
			}
			if e := w.Measure(tc.text, 10_000); e.RTL != tc.rtl {
				t.Errorf("Measure says RTL is %v", e.RTL)
			}
			x := float32(0)
			for _, r := range lines[0].Runs {
				if r.X != x {
					t.Errorf("run %q begins at %v, want %v", r.Text, r.X, x)
				}
				x += r.Width
			}
		})
	}
}

// A word of a right to left script is shaped by the toolkit, which turns it
// around; what is not such a word must not be in the same run.
func TestRTLRunsAreSingleWords(t *testing.T) {
	w := NewWrapper(cells)
	for _, l := range w.Lay("שלום, עולם! (אחד) שְׁתַּיִם", 10_000) {
		for _, r := range l.Runs {
			if strong(r.Text) && strings.ContainsAny(r.Text, " ,!()") {
				t.Errorf("run %q mixes a word with what stands around it", r.Text)
			}
		}
	}
}

// The page's test reads the same vectors.
func TestLinks(t *testing.T) {
	var vectors struct {
		Cases [][2]json.RawMessage // a text, its links
	}
	data, err := os.ReadFile("../../../shared/testdata/text/links.json")
	if err == nil {
		err = json.Unmarshal(data, &vectors)
	}
	if err != nil || len(vectors.Cases) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, c := range vectors.Cases {
		var text string
		var want []string
		if err := errors.Join(json.Unmarshal(c[0], &text), json.Unmarshal(c[1], &want)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range Links(text) {
			if !strings.HasSuffix(l.URL, text[l.From:l.To]) {
				t.Errorf("%q: the range of %+v is another one's", text, l)
			}
			got = append(got, l.URL)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: links %q, want %q", text, got, want)
		}
	}
}

func TestLinkRuns(t *testing.T) {
	w := NewWrapper(cells)
	l := w.Lay("go https://a.b now", 1000)[0]
	if len(l.Runs) != 3 || l.Runs[1].Link != "https://a.b" || l.Runs[1].X != 30 || l.Runs[2].X != 140 {
		t.Errorf("runs are %+v", l.Runs)
	}
	long := w.Lay("https://example.org/a/very/long/path", 100)
	for i, l := range long {
		if len(l.Runs) != 1 || l.Runs[0].Link != "https://example.org/a/very/long/path" {
			t.Errorf("line %d of a broken link: %+v", i, l.Runs)
		}
	}
}

// Emoji are drawn in a font of their own.
func TestEmojiAreRunsOfTheirOwn(t *testing.T) {
	w := NewWrapper(cells)
	for text, want := range map[string]string{
		"so❤️!":       "so|❤️|!",
		"👍👩‍🚀 1️⃣":    "👍👩‍🚀| |1️⃣",
		"12️⃣3#⃣a⃣":   "1|2️⃣|3|#⃣|a⃣",
		"שלום❤️ עולם": "עולם| |❤️|שלום",
		"Բարեւ🎉":      "Բարեւ|🎉",
	} {
		l := w.Lay(text, 1000)[0]
		var runs []string
		x := float32(0)
		for _, r := range l.Runs {
			runs = append(runs, r.Text)
			if r.X != x || text[r.From:r.To] != r.Text {
				t.Errorf("%q: the run %q is at %v and shows %q", text, r.Text, r.X, text[r.From:r.To])
			}
			x += r.Width
		}
		if got := strings.Join(runs, "|"); got != want {
			t.Errorf("%q has the runs %q, want %q", text, got, want)
		}
	}
}

func TestWordsBesideEmojiAreRunsOfTheirOwn(t *testing.T) {
	w := NewWrapper(cells)
	l := w.Lay("well 🎉  🎉 done", 1000)[0]
	if seen(l) != "well 🎉  🎉 done" || len(l.Runs) != 7 || l.Runs[4].X != 80 || l.Width != 140 {
		t.Errorf("runs are %+v", l.Runs)
	}
}

func TestClean(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"plain", "plain"},
		{"a\x1b[31mred", "a[31mred"},
		{"nul\x00byte", "nulbyte"},
		{"over\u202eride\u2066x", "overridex"},
		{"tab\tbed", "tab    bed"},
		{"end \r\n\n", "end"},
		{"a\r\nb", "a\nb"},
		{"z" + strings.Repeat("\u0301", 4000), "z" + strings.Repeat("\u0301", maxMarks)},
		{"👩‍👩‍👧", "👩‍👩‍👧"},
	} {
		if got := Clean(tc.in); got != tc.want {
			t.Errorf("Clean(%.20q) = %.40q, want %.40q", tc.in, got, tc.want)
		}
	}
	if got := OneLine(" a\n b\tc "); got != "a b c" {
		t.Errorf("OneLine gives %q", got)
	}
}

func TestJumbo(t *testing.T) {
	for s, want := range map[string]bool{
		"🎉": true, "👩‍🚀🥰": true, "❤️": true, "👍🏽": true, "🇵🇱": true, "1️⃣#️⃣*⃣": true,
		"": false, "ok 🎉": false, "🎉🎉🎉🎉": false, "1": false, "é": false, "a⃣": false, "1\u0301\u20e3": false, "\u20e3": false,
	} {
		if Jumbo(s) != want {
			t.Errorf("Jumbo(%q) is not %v", s, want)
		}
	}
}

func FuzzLay(f *testing.F) {
	for _, s := range []string{"hello", "שלום (abc 12) עולם", "https://a.b", "👩‍🚀 x", "a\n\nb", "مرحبا 123"} {
		f.Add(s, float32(60))
	}
	f.Fuzz(func(t *testing.T, s string, width float32) {
		if !utf8.ValidString(s) || width < 10 || width > 10_000 || width != width {
			return
		}
		s = Clean(s)
		w := NewWrapper(cells)
		lines := w.Lay(s, width)
		if e := w.Measure(s, width); e.Lines != len(lines) {
			t.Fatalf("Measure says %d lines, Lay made %d", e.Lines, len(lines))
		}
		blank := strings.NewReplacer(" ", "", "\n", "")
		n := 0
		for _, l := range lines {
			n += utf8.RuneCountInString(blank.Replace(seen(l)))
		}
		if want := utf8.RuneCountInString(blank.Replace(s)); n != want {
			t.Fatalf("%d code points were laid out of %d", n, want)
		}
	})
}

// Every byte of a text is found at the place that it is drawn at, in either
// direction.
func TestPick(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return 10 * float32(len([]rune(s))) })
	for _, s := range []string{"one two three", "until שלום ten", "שלום עולם 12 (x)", "e\u0301a 👩‍🚀 b", "a\n\nbc d", "see https://example.org/a now", "مرحبا بالعالم"} {
		s = Clean(s)
		for _, width := range []float32{1e6, 70} {
			seen := make(map[int]bool)
			for _, l := range w.Lay(s, width) {
				for _, r := range l.Runs {
					at := r.From
					for _, g := range Graphemes(s[r.From:r.To]) {
						seen[at] = true
						spans := w.Spans(s, l, at, at+len(g))
						if len(spans) != 1 {
							t.Fatalf("%q: %q is drawn at %v", s, g, spans)
						}
						if spans[0].Width > 0 {
							begin, end := spans[0].X+0.1, spans[0].X+spans[0].Width-0.1
							if r.RTL {
								begin, end = end, begin
							}
							if a, b := w.At(s, l, begin), w.At(s, l, end); a != at || b != at+len(g) {
								t.Errorf("%q at %v: %q is found at %d to %d, not %d", s, width, g, a, b, at)
							}
						}
						at += len(g)
					}
				}
			}
			at := 0
			for _, g := range Graphemes(s) {
				if g != "\n" && g != " " && !seen[at] {
					t.Errorf("%q at %v: %q is not drawn", s, width, g)
				}
				at += len(g)
			}
		}
	}
	if from, to := Word("one two\nthree", 5); from != 4 || to != 7 {
		t.Errorf("the word is %d to %d", from, to)
	}
}
