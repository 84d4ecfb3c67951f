package conversation

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

func typeKeys(e *Entry, names ...fyne.KeyName) {
	for _, n := range names {
		e.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

// newTestComposer shows a composer that keeps what it sends.
func newTestComposer(t *testing.T) (*Composer, *[]string) {
	var sent []string
	newLightApp()
	c := NewComposer(func(fyne.Shortcut) bool { return false }, func(s string) bool {
		sent = append(sent, s)
		return true
	}, func(string) {}, func(int) {})
	stage, _ := show(t, kit.NewFilled(0, kit.NewColumn(0), c), uitest.Phone)
	stage.Canvas().Focus(c.Entry)
	return c, &sent
}

func TestReturnSends(t *testing.T) {
	c, sent := newTestComposer(t)
	test.Type(c.Entry, "hello")
	typeKeys(c.Entry, fyne.KeyReturn)
	if len(*sent) != 1 || (*sent)[0] != "hello" || c.Entry.Text != "" {
		t.Fatalf("sent %q, left %q", *sent, c.Entry.Text)
	}
	test.Type(c.Entry, "two")
	c.Entry.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	typeKeys(c.Entry, fyne.KeyReturn)
	c.Entry.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	test.Type(c.Entry, "lines")
	typeKeys(c.Entry, fyne.KeyEnter)
	if len(*sent) != 2 || (*sent)[1] != "two\nlines" {
		t.Errorf("sent %q", *sent)
	}
	if c.Entry.Keyboard() != mobile.SingleLineKeyboard {
		t.Error("a phone's Return would break the line")
	}
}

// The send button is inside the entry and takes only taps, so that the entry keeps
// the focus and the phone its keyboard.
func TestSendButtonKeepsTheFocus(t *testing.T) {
	c, sent := newTestComposer(t)
	if at := c.send.Position().X + c.send.Size().Width; at > c.Entry.Position().X+c.Entry.Size().Width {
		t.Fatal("the button is not inside the entry")
	}
	if _, ok := any(c.send).(fyne.Focusable); ok {
		t.Error("the button takes the focus")
	}
	if _, ok := any(c.send).(mobile.Touchable); ok {
		t.Error("the button takes touches")
	}
	test.Type(c.Entry, "tap")
	if !c.send.active {
		t.Error("the button does not show that there is something to send")
	}
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.send)
	test.TapCanvas(canvas, at.AddXY(c.send.Size().Width/2, c.send.Size().Height-10))
	if len(*sent) != 1 || canvas.Focused() != fyne.Focusable(c.Entry) {
		t.Errorf("sent %q; the focus is on %T", *sent, canvas.Focused())
	}
	if c.send.active {
		t.Error("the button stays active over an empty entry")
	}
}

func TestComposerGrowsToFiveRows(t *testing.T) {
	c, _ := newTestComposer(t)
	height := func(text string) float32 {
		c.Entry.SetText(text)
		return c.Fit(412)
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
	c.Entry.SetText("")
	c.Refresh()
	c.Grown = func() { grown++ }
	test.Type(c.Entry, "short")
	if grown != 0 {
		t.Error("the page is laid out at every letter")
	}
	c.Entry.SetText("a\nb")
	if grown != 1 {
		t.Error("the page does not make room for a second row")
	}
}

// The button shows the finger, which the entry feels for it.
func TestSendButtonIsPressed(t *testing.T) {
	c, _ := newTestComposer(t)
	free := test.WidgetRenderer(c.send).Objects()[0].(*canvas.Rectangle).FillColor
	at := fyne.NewPos(c.Entry.Size().Width-10, 20)
	c.Entry.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: at}})
	if test.WidgetRenderer(c.send).Objects()[0].(*canvas.Rectangle).FillColor == free {
		t.Error("the send button looks the same under a finger")
	}
	c.Entry.TouchCancel(&mobile.TouchEvent{})
	if test.WidgetRenderer(c.send).Objects()[0].(*canvas.Rectangle).FillColor != free {
		t.Error("the send button stays pressed")
	}
}

// On a phone, whose Return sends, a button breaks the line; on a desktop Shift
// and Return do.
func TestPhoneBreaksALine(t *testing.T) {
	c, _ := newTestComposer(t)
	if c.newline.Visible() {
		t.Error("a desktop has the button")
	}
	uitest.OnPhone(t, true)
	c, sent := newTestComposer(t)
	test.Type(c.Entry, "onetwo")
	c.Entry.MoveCaret(3)
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.newline)
	test.TapCanvas(canvas, at.AddXY(c.newline.Size().Width/2, c.newline.Size().Height-10))
	if c.Entry.Text != "one\ntwo" || len(*sent) != 0 || canvas.Focused() != fyne.Focusable(c.Entry) {
		t.Errorf("the entry has %q, sent is %q, the focus is on %T", c.Entry.Text, *sent, canvas.Focused())
	}
	if c.newline.Position().X+c.newline.Size().Width > c.send.Position().X {
		t.Error("the buttons lie above each other")
	}
}
