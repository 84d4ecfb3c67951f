package text

import (
	"strings"
	"testing"
)

// A name in a sentence moves nothing around it, whatever script it is in, and whatever
// isolates somebody has written into it.
func TestIsolates(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return float32(len([]rune(s))) })
	seen := func(s string) (drawn string, rtl bool) {
		var b strings.Builder
		lines := w.Lay(CleanSentence(s), 100)
		for _, run := range lines[0].Runs {
			b.WriteString(run.Text)
		}
		if want := float32(len([]rune(b.String()))); lines[0].Width != want {
			t.Errorf("%q is %v wide, not %v", s, lines[0].Width, want)
		}
		return b.String(), lines[0].RTL
	}
	for _, tc := range []struct {
		sentence, want string
		rtl            bool
	}{
		{Isolate("Bob") + " removed " + Isolate("Cleo") + ".", "Bob removed Cleo.", false},
		{Isolate("אבג") + " removed " + Isolate("דהו") + ".", "אבג removed דהו.", false},
		{Isolate("אבג") + ", " + Isolate("דהו") + " (2)", "אבג, דהו (2)", false},
		{Isolate("אבג!") + " is typing…", "!אבג is typing…", false},
		{Isolate("אבג (2)") + " is here", "(2) אבג is here", false},
		{"שלום " + Isolate("Bob (א)") + "!", "!Bob (א) שלום", true},
		{Isolate("א\u2069ב\u2068ג") + " is here", "אבג is here", false},
		{"אבג removed דהו.", ".דהו removed אבג", true}, // without
		{"\u2068a\u2069\u2069\u2068", "a", false},
	} {
		if got, rtl := seen(tc.sentence); got != tc.want || rtl != tc.rtl {
			t.Errorf("%q is drawn as %q, from the right: %v", tc.sentence, got, rtl)
		}
	}
	if e := w.Measure(Isolate("אבג"), 100); e.Widest != 3 {
		t.Errorf("an isolate is %v wide", e.Widest)
	}
	if s := Isolate("Bob"); s != "Bob" {
		t.Errorf("what moves nothing becomes %q", s)
	}
	if s := Clean("a" + Isolate("א") + "b"); s != "aאb" {
		t.Errorf("of a message, %q is left", s)
	}
}

// The end of a text reads in the direction of the whole.
func TestEndOf(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return float32(len([]rune(s))) })
	for _, tc := range []struct {
		whole string
		from  int
		rtl   bool
	}{
		{"See אבג here", len("See "), false},
		{"אבג see דהו", len("אבג "), true},
		{"See you here", len("See "), false},
		{"אבג דהו", len("אבג "), true},
	} {
		part := EndOf(tc.whole, tc.from)
		if line := w.Lay("…"+part, 100)[0]; line.RTL != tc.rtl || !strings.HasSuffix(part, tc.whole[tc.from:]) {
			t.Errorf("the end of %q is %q, from the right: %v", tc.whole, part, line.RTL)
		}
	}
}
