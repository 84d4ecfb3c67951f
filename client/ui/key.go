package ui

import (
	"strings"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// showKey asks for the passphrase of a room that has one.
func showKey(c *client, conv *conversation.Room) {
	key := kit.NewField(lang.T("key.field"), "", c.shortcut)
	problem := kit.NewProblem(causeSentence(session.CauseNeedsKey))
	why := kit.NewText(causeSentence(conv.Status.Cause), kit.FontSmall, kit.RoleMuted)
	if conv.Status.Cause == session.CauseWrongKey {
		why.Role = kit.RoleError
	}
	var o *kit.Overlay
	enter := func() {
		if key.Entry.Text == "" {
			problem.Say(o, causeSentence(session.CauseNeedsKey))
			c.window.Canvas().Focus(key.Entry)
			return
		}
		o.Close()
		conv.Session.Unlock(key.Entry.Text)
	}
	key.Entry.OnChanged = func(string) { problem.Say(o, "") }
	key.Entry.OnSubmitted = func(string) { enter() }
	o = kit.ShowForm(c.window.Canvas(), conv.Title(), why, key, problem.Text, kit.NewPrimary(lang.T("key.enter"), enter))
	c.window.Canvas().Focus(key.Entry)
}

// showLock asks for the name of a new room, and for its passphrase, which a room with a
// host can do without.
func showLock(c *client, name string) {
	room := kit.NewField(lang.T("rooms.name"), "", c.shortcut)
	room.Entry.SetText(name)
	key := kit.NewField(lang.T("key.field"), "", c.shortcut)
	var o opening
	problem := kit.NewProblem(keyProblem(""), keyProblem("\x00\x00\x00\x00\x00\x00\x00\x00"),
		roomProblem(""), roomProblem("/"), roomProblem(strings.Repeat("x", shared.MaxRoom+1)), roomProblem("\x00"))
	var panel *kit.Overlay
	wrong := func() (string, *kit.Field) {
		if sentence := roomProblem(strings.TrimSpace(room.Entry.Text)); sentence != "" {
			return sentence, room
		}
		if key.Entry.Text == "" && o.host && !o.hidden { // nothing hides a room without one
			return "", nil
		}
		return keyProblem(key.Entry.Text), key
	}
	enter := func() {
		if sentence, at := wrong(); sentence != "" {
			problem.Say(panel, sentence)
			c.window.Canvas().Focus(at.Entry)
			return
		}
		panel.Close()
		o.key = key.Entry.Text
		c.ways.enterAs(strings.TrimSpace(room.Entry.Text), o)
	}
	mended := func(string) {
		if sentence, _ := wrong(); sentence != problem.Text.Text {
			problem.Say(panel, "")
		}
	}
	room.Entry.OnChanged, key.Entry.OnChanged = mended, mended
	room.Entry.OnSubmitted = func(string) { c.window.Canvas().Focus(key.Entry) }
	key.Entry.OnSubmitted = func(string) { enter() }
	panel = kit.ShowForm(c.window.Canvas(), lang.T("lock.title"), kit.NewText(lang.T("lock.why"), kit.FontSmall, kit.RoleMuted),
		room, key, kit.NewToggle(lang.T("lock.hidden"), &o.hidden, func() { mended("") }),
		kit.NewToggle(lang.T("host.ask"), &o.host, func() { mended("") }), problem.Text, kit.NewPrimary(lang.T("key.enter"), enter))
	focus := room.Entry
	if name != "" {
		focus = key.Entry
	}
	c.window.Canvas().Focus(focus)
}
