package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/conversation"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

// Up to four times the limit there is room to shorten a text; what is more is
// refused whole, at once and with a sentence.
func TestTooLongIsRefused(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	e := p.composer.Entry
	paste := func(s string) {
		w.app.Clipboard().SetContent(s)
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	}
	full := lang.T("text.full", "limit", "16384")
	e.SetText("begun ")
	paste(strings.Repeat("x", conversation.MaxDraft))
	if e.Text != "begun " || uitest.Sentence(p.typing) != full || !p.typing.Visible() {
		t.Errorf("after pasting too much the entry has %.20q, the page says %q", e.Text, uitest.Sentence(p.typing))
	}
	test.Type(e, "a")
	if p.typing.Visible() {
		t.Errorf("the complaint stays: %q", uitest.Sentence(p.typing))
	}
	e.SetText("")
	paste(strings.Repeat("x", conversation.MaxDraft))
	if len(e.Text) != conversation.MaxDraft || uitest.Sentence(p.typing) != lang.Plural("room.excess", conversation.MaxDraft-conv.Session.Limit()) {
		t.Errorf("%d characters are in the entry, and the page says %q", len(e.Text), uitest.Sentence(p.typing))
	}
	test.Type(e, "y")
	if len(e.Text) != conversation.MaxDraft || uitest.Sentence(p.typing) != full {
		t.Errorf("a letter too many: %d characters, and the page says %q", len(e.Text), uitest.Sentence(p.typing))
	}
	press(e, fyne.KeyReturn)
	if e.Text == "" {
		t.Fatal("a text over the limit was sent")
	}
	e.SetText(e.Text[:conv.Session.Limit()])
	if p.typing.Visible() {
		t.Errorf("it fits now, and the page says %q", uitest.Sentence(p.typing))
	}
	press(e, fyne.KeyReturn)
	if e.Text != "" {
		t.Error("a text of the limit was not sent")
	}
}
