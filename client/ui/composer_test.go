package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"
)

func press(e *composerEntry, names ...fyne.KeyName) {
	for _, n := range names {
		e.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

// newTestComposer shows a composer that keeps what it sends.
func newTestComposer(t *testing.T) (*composer, *[]string) {
	w := newWorld(t, phone, nil)
	var sent []string
	c := newComposer(w.client.shortcut, func(s string) bool {
		sent = append(sent, s)
		return true
	}, func(string) {}, func(int) {})
	w.window.SetContent(newFilled(0, newColumn(0), c))
	w.window.Resize(phone)
	w.window.Canvas().Focus(c.entry)
	return c, &sent
}

func TestReturnSends(t *testing.T) {
	c, sent := newTestComposer(t)
	test.Type(c.entry, "hello")
	press(c.entry, fyne.KeyReturn)
	if len(*sent) != 1 || (*sent)[0] != "hello" || c.entry.Text != "" {
		t.Fatalf("sent %q, left %q", *sent, c.entry.Text)
	}
	test.Type(c.entry, "two")
	c.entry.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	press(c.entry, fyne.KeyReturn)
	c.entry.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	test.Type(c.entry, "lines")
	press(c.entry, fyne.KeyEnter)
	if len(*sent) != 2 || (*sent)[1] != "two\nlines" {
		t.Errorf("sent %q", *sent)
	}
	if c.entry.Keyboard() != mobile.SingleLineKeyboard {
		t.Error("a phone's Return would break the line")
	}
}

// The send button is inside the entry and takes nothing but taps, so that the
// entry keeps the focus and the phone its keyboard.
func TestSendButtonKeepsTheFocus(t *testing.T) {
	c, sent := newTestComposer(t)
	if at := c.send.Position().X + c.send.Size().Width; at > c.entry.Position().X+c.entry.Size().Width {
		t.Fatal("the button is not inside the entry")
	}
	if _, ok := any(c.send).(fyne.Focusable); ok {
		t.Error("the button takes the focus")
	}
	if _, ok := any(c.send).(mobile.Touchable); ok {
		t.Error("the button takes touches")
	}
	test.Type(c.entry, "tap")
	if !c.send.active {
		t.Error("the button does not show that there is something to send")
	}
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.send)
	test.TapCanvas(canvas, at.AddXY(c.send.Size().Width/2, c.send.Size().Height-10))
	if len(*sent) != 1 || canvas.Focused() != fyne.Focusable(c.entry) {
		t.Errorf("sent %q; the focus is on %T", *sent, canvas.Focused())
	}
	if c.send.active {
		t.Error("the button stays active over an empty entry")
	}
}

func TestComposerGrowsToFiveRows(t *testing.T) {
	c, _ := newTestComposer(t)
	height := func(text string) float32 {
		c.entry.SetText(text)
		return c.fit(412)
	}
	last := height("one")
	for rows := 2; rows <= maxRows; rows++ {
		h := height(strings.TrimSuffix(strings.Repeat("x\n", rows), "\n"))
		if h <= last {
			t.Errorf("%d rows are %v high, one less %v", rows, h, last)
		}
		last = h
	}
	if h := height(strings.Repeat("x\n", 20)); h != last {
		t.Errorf("twenty rows are %v high, five %v", h, last)
	}
	if h := height(strings.Repeat("wrapped words ", 8)); h <= height("one") || h >= last {
		t.Errorf("wrapped text is %v high", h)
	}
	grown := 0
	c.entry.SetText("")
	c.Refresh()
	c.grown = func() { grown++ }
	test.Type(c.entry, "short")
	if grown != 0 {
		t.Error("the page is laid out at every letter")
	}
	c.entry.SetText("a\nb")
	if grown != 1 {
		t.Error("the page does not make room for a second row")
	}
}

func TestBackspaceOverEmoji(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		halves     bool
		presses    int
		want       string
	}{
		{"phone: two deletions of one emoji", "a😀", true, 2, "a"},
		{"phone: two emoji", "a😀😀", true, 4, "a"},
		{"phone: then the letter", "a😀", true, 3, ""},
		{"phone: a letter is one", "ab", true, 1, "a"},
		{"phone: four units of a flag", "x🇵🇱", true, 4, "x"},
		{"desktop: one for a letter", "ab", false, 1, "a"},
		{"desktop: one for a whole sequence", "a👩‍🚀", false, 1, "a"},
		{"desktop: one for a flag", "a🇵🇱", false, 1, "a"},
		{"desktop: empty", "", false, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := newTestComposer(t)
			c.entry.halves = tc.halves
			test.Type(c.entry, tc.text)
			for range tc.presses {
				press(c.entry, fyne.KeyBackspace)
			}
			if c.entry.Text != tc.want {
				t.Errorf("%q is left, want %q", c.entry.Text, tc.want)
			}
		})
	}
	t.Run("phone: typing in between", func(t *testing.T) {
		c, _ := newTestComposer(t)
		c.entry.halves = true
		test.Type(c.entry, "a😀")
		press(c.entry, fyne.KeyBackspace)
		test.Type(c.entry, "b")
		press(c.entry, fyne.KeyBackspace)
		if c.entry.Text != "a" {
			t.Errorf("%q is left", c.entry.Text)
		}
	})
}
