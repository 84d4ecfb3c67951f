package ui

import (
	"fmt"
	"image/color"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/shared"
)

// asksForKey reports whether a room waits for its passphrase.
func asksForKey(s session.Status) bool {
	return s.State == session.Closed && (s.Cause == session.CauseNeedsKey || s.Cause == session.CauseWrongKey)
}

// showKey asks for the passphrase of a room that has one.
func (c *client) showKey(conv *conversation) {
	key := newField(tr("key.field"), "", c.shortcut)
	problem := newProblem(causeSentence(session.CauseNeedsKey))
	why := newText(causeSentence(conv.status.Cause), fontSmall, roleMuted)
	if conv.status.Cause == session.CauseWrongKey {
		why.role = roleError
	}
	var o *overlay
	enter := func() {
		if key.entry.Text == "" {
			problem.say(o, causeSentence(session.CauseNeedsKey))
			c.window.Canvas().Focus(key.entry)
			return
		}
		o.close()
		conv.room.Unlock(key.entry.Text)
	}
	key.entry.OnChanged = func(string) { problem.say(o, "") }
	key.entry.OnSubmitted = func(string) { enter() }
	o = c.showForm(conv.title(), why, key, problem.text, newPrimary(tr("key.enter"), enter))
	c.window.Canvas().Focus(key.entry)
}

// showLock asks for the name and the passphrase of a new room.
func (c *client) showLock(name string) {
	room := newField(tr("rooms.name"), "", c.shortcut)
	room.entry.SetText(name)
	key := newField(tr("key.field"), "", c.shortcut)
	hidden := false
	problem := newProblem(keyProblem(""), keyProblem("\x00\x00\x00\x00\x00\x00\x00\x00"),
		roomProblem(""), roomProblem("/"), roomProblem(strings.Repeat("x", shared.MaxRoom+1)), roomProblem("\x00"))
	var o *overlay
	wrong := func() (string, *field) {
		if sentence := roomProblem(strings.TrimSpace(room.entry.Text)); sentence != "" {
			return sentence, room
		}
		return keyProblem(key.entry.Text), key
	}
	enter := func() {
		if sentence, at := wrong(); sentence != "" {
			problem.say(o, sentence)
			c.window.Canvas().Focus(at.entry)
			return
		}
		o.close()
		c.enterLocked(strings.TrimSpace(room.entry.Text), key.entry.Text, hidden)
	}
	mended := func(string) {
		if sentence, _ := wrong(); sentence != problem.text.text {
			problem.say(o, "")
		}
	}
	room.entry.OnChanged, key.entry.OnChanged = mended, mended
	room.entry.OnSubmitted = func(string) { c.window.Canvas().Focus(key.entry) }
	key.entry.OnSubmitted = func(string) { enter() }
	o = c.showForm(tr("lock.title"), newText(tr("lock.why"), fontSmall, roleMuted),
		room, key, newToggle(tr("lock.hidden"), &hidden), problem.text, newPrimary(tr("lock.go"), enter))
	focus := room.entry
	if name != "" {
		focus = key.entry
	}
	c.window.Canvas().Focus(focus)
}

// showForm shows a panel with a title, a line on it, and what is to be filled in.
func (c *client) showForm(title string, why *textBlock, objects ...fyne.CanvasObject) *overlay {
	head := newColumn(unit, newText(title, fontTitle, roleText).lines(2), why)
	return showPanel(c.window.Canvas(), newColumn(3*unit, append([]fyne.CanvasObject{head}, objects...)...).padded(around(4*unit)))
}

// newToggle is a line that a tap turns on and off.
func newToggle(label string, on *bool) *tile {
	mark := newPicture("check", roleMuted, 20)
	var t *tile
	draw := func() {
		r, ground := roleMuted, role(func(p *palette) color.NRGBA { return p.Raised })
		if *on {
			r, ground = roleAccent, func(p *palette) color.NRGBA { return p.AccentSoft }
		}
		t.ground, t.hover = ground, ground
		mark.Hidden = !*on
		mark.set("check", r)
	}
	t = newTile(newHRow(3*unit, 0, newText(label, fontBody, roleText), mark), func() {
		*on = !*on
		draw()
		t.Refresh()
	})
	t.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
	draw()
	return t
}

// problem says what is wrong with what was filled in. It has the room for that,
// so that no button moves away when it does.
type problem struct{ text *textBlock }

func newProblem(sentences ...string) problem {
	return problem{newText("", fontSmall, roleError).roomFor(sentences...)}
}

func (p problem) say(o *overlay, sentence string) {
	if p.text.text != sentence {
		p.text.setText(sentence)
		o.Refresh()
	}
}

// keyProblem says what is wrong with the passphrase of a new room, or "".
func keyProblem(key string) string {
	if _, err := shared.CheckKey(key); err == nil {
		return ""
	}
	if n := utf8.RuneCountInString(key); n < shared.MinKey || n > shared.MaxKey {
		return tr("key.length", "least", fmt.Sprint(shared.MinKey), "most", fmt.Sprint(shared.MaxKey))
	}
	return tr("key.bad")
}
