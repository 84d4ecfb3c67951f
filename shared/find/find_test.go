package find_test

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"parley/shared/find"
)

func TestIn(t *testing.T) {
	for _, c := range []struct {
		text, in string
		want     bool
	}{
		{"gate", "The GATE is open", true},
		{"GATE 4", "at gate\n4", true},
		{"gate 4", "gate\u00a04", true},
		{"gates", "gate s", false},
		{"4", "gate 4", true},
		{"cafe", "Café", true},
		{"café", "CAFE\u0301", true},
		{"CAFÉ", "cafe", true},
		{"strasse", "Straße", true},
		{"straße", "STRASSE", true},
		{"uber", "ÜBER", true},
		{"ü", "u", true},
		{"øl", "ol", false}, // a letter of its own
		{"ΟΔΟΣ", "οδός", true},
		{"οδος", "ΟΔΌΣ ", true},
		{"istanbul", "İSTANBUL", true},
		{"ёлка", "Елка", true},
		{"ЙОД", "йод", true},
		{"ﬁle", "FILE", true},
		{"ｇａｔｅ", "Gate", true},
		{"①", "1", true},
		{"한", "한국", true},
		{"東京", "新東京駅", true},
		{"京", "東京", true},
		{"שלום", "שָׁלוֹם", true},
		{"محمد", "مُحَمَّد", true},
		{"हिन्दी", "हिन्दी में", true},
		{"❤", "❤️", true},
		{"❤️", "I ❤ it", true},
		{"👍", "👍🏽", true},
		{"nonbreaking", "non\u00adbreaking", true},
		{"\u0301", "e\u0301", false},
		{"", "anything", false},
		{"\xff", "a\xff", true},
		{"abc", "a\xffbc", false},
		{strings.Repeat("ß", 64), strings.Repeat("S", 128), true},
	} {
		if got := find.New(c.text).In(c.in); got != c.want {
			t.Errorf("%q in %q: %v (%q in %q)", c.text, c.in, got, find.Fold(c.text), find.Fold(c.in))
		}
	}
}

// A text is found in what surrounds it, in upper and lower case, composed and
// decomposed; and what a text finds does not depend on what it looked at before.
func TestAnyForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ éÉßñÅåЖжйΣςσ한가İıﬁ東👍🏽❤️\u0301\t")), 1, 64, -1).Draw(t, "text")
		before := rapid.StringMatching(`[a-z é]{0,20}`).Draw(t, "before")
		if find.Fold(text) == "" {
			t.Skip("nothing to see")
		}
		needle := find.New(text)
		for _, form := range []string{text, norm.NFC.String(text), norm.NFD.String(text)} {
			if !needle.In(before + " " + form + " end") {
				t.Errorf("%q is not found as %q", text, form)
			}
			if fold := find.Fold(form); find.Fold(fold) != fold {
				t.Errorf("%q is folded to %q and then to %q", form, fold, find.Fold(fold))
			}
		}
		if needle.In("something else entirely, 0123456789") && !strings.Contains("something else entirely, 0123456789", find.Fold(text)) {
			t.Errorf("%q is found", text)
		}
	})
}

func BenchmarkIn(b *testing.B) {
	for name, s := range map[string]string{
		"ascii":  strings.Repeat("Where is gate five? ", 5),
		"german": strings.Repeat("Wo ist die Tür fünf? ", 5),
		"greek":  strings.Repeat("Πού είναι η πύλη; ", 5),
	} {
		b.Run(name, func(b *testing.B) {
			t := find.New("gate 4")
			for b.Loop() {
				t.In(s)
			}
		})
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ text, in, want string }{
		{"gate", "The GATE, the gate", "The [GATE], the [gate]"},
		{"cafe", "Un Cafe\u0301!", "Un [Cafe\u0301]!"},
		{"cafe", "café", "[café]"},
		{"gate 4", "gate\n4", "[gate\n4]"},
		{"s", "Straße", "[S]tra[ß]e"},
		{"aa", "aaaaa", "[aa][aa]a"},
		{"❤", "I ❤️ it", "I [❤️] it"},
		{"x", "nothing", "nothing"},
		{"\u0301", "e\u0301", "e\u0301"},
	} {
		got, end := "", 0
		for _, s := range find.New(c.text).Spans(c.in) {
			got += c.in[end:s[0]] + "[" + c.in[s[0]:s[1]] + "]"
			end = s[1]
		}
		if got += c.in[end:]; got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.text, c.in, got, c.want)
		}
	}
}

// There is a span if the text is in the other, each shows the text, and none lies over
// another.
func TestSpansAreIn(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("aAbéÉe\u0301ßsﬁ ❤\ufe0f\u200d京")), 0, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		text, in := letters.Draw(t, "text"), letters.Draw(t, "in")
		if n := rapid.IntRange(0, 3).Draw(t, "letters"); len([]rune(text)) > n {
			text = string([]rune(text)[:n])
		}
		x := find.New(text)
		spans := x.Spans(in)
		if x.In(in) != (len(spans) > 0) {
			t.Fatalf("%q in %q: %v", text, in, spans)
		}
		end := 0
		for _, s := range spans {
			if s[0] < end || s[1] > len(in) || !x.In(in[s[0]:s[1]]) {
				t.Fatalf("%q in %q: %v", text, in, spans)
			}
			end = s[1]
		}
	})
}
