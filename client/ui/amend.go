package ui

import (
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// What a person does to messages of a room that are there already.

// begin makes the composer one for a task; nil for a message by itself.
func (p *roomPage) begin(t *conversation.Task) {
	p.composer.Begin(t)
	p.complainOf("")
	p.focus()
}

func (p *roomPage) beginEdit(item session.Item) {
	p.begin(&conversation.Task{Edit: true, Of: item, Written: item.Text})
}

// editLast edits the person's last message.
func (p *roomPage) editLast() {
	if item, ok := p.conv.Timeline.LastOwn(); ok && p.conv.Status.CanChange {
		p.beginEdit(item)
	}
}

// Unwritten takes the text of an edit that came to nothing: into the composer, or if
// something is written there, into a panel.
func (p *roomPage) Unwritten(s string) {
	if p.composer.Entry.Text == "" && p.composer.Task() == nil {
		p.composer.Entry.SetText(s)
		return
	}
	showSelect(p.client, s)
}

// react sets the person's reaction to a message, or takes it back.
func (p *roomPage) react(item session.Item, emoji string) {
	if emoji == item.Reacted {
		emoji = ""
	}
	if p.conv.Status.CanChange {
		p.conv.Session.React(item.ID, emoji)
	}
}

// askToDelete asks whether a message is to be deleted.
func askToDelete(c *client, conv *conversation.Room, item session.Item) {
	var o *kit.Overlay
	o = kit.ShowForm(c.window.Canvas(), lang.T("delete.ask"), kit.NewText(conversation.Said(item), kit.FontSmall, kit.RoleMuted).Lines(4),
		kit.NewDanger(lang.T("menu.delete"), func() {
			o.Close()
			conv.Session.Delete(item.ID)
		}),
		kit.NewSecondary(lang.T("composer.cancel"), func() { o.Close() }))
}
