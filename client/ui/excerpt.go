package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// The ways to a message that was found, quoted or pinned: in the list or, if it is far
// away, in an excerpt of the log.

// lead leads to the message at an offset of the log.
func (p *roomPage) lead(offset int64) {
	if id := p.conv.Timeline.OfOffset(offset); id != "" {
		p.list.Lead(id)
		return
	}
	p.sayOffline()
	p.conv.Session.Around(offset)
}

// sayOffline says that an answer has to wait for the connection.
func (p *roomPage) sayOffline() {
	if p.conv.Status.State != session.Connected {
		p.client.Say(lang.T("room.offline"))
	}
}

// reached goes to a message that was far away, or shows what was said around it.
func (p *roomPage) reached(e session.Excerpt) {
	switch {
	case e.Err != nil:
		p.client.Say(questionProblem(e.Err))
	case e.ID != "":
		p.list.Lead(e.ID)
	default:
		showExcerpt(p.client, p.conv, e)
	}
}

// showExcerpt shows what was said around a message that is too far back to scroll
// there.
func showExcerpt(c *client, conv *conversation.Room, e session.Excerpt) {
	id, day := "", ""
	for _, item := range e.Items {
		if item.Offset == e.Offset {
			id, day = item.ID, conv.Clock.Day(item.Time)
		}
	}
	list := conversation.NewExcerpt(conv.Clock, e.Items, id)
	c.showThumbs(conv.Session, list)
	page, shown := conv.Page.(*roomPage)
	if shown {
		page.excerpt = &excerpt{list, e.Items}
	}
	list.OnHit = func(h conversation.Hit) {
		item, ok := h.Message()
		switch {
		case h.Kind == conversation.HitCode:
			c.copy(h.Text)
		case h.Kind == conversation.HitFile && ok && shown:
			page.openFile(item)
		}
	}
	list.OnMenu = func(h conversation.Hit, _ fyne.Position) {
		if item, ok := h.Message(); ok && item.Text != "" {
			showSelect(c, item.Text)
		}
	}
	var o *kit.Overlay
	head := kit.NewRow(kit.Unit, 0, kit.NewText(day, kit.FontTitle, kit.RoleText).Lines(1), kit.NewIconButton("close", func() { o.Close() })).Padded(kit.Sides(kit.Unit, kit.Unit, kit.Unit, 4*kit.Unit))
	panel := kit.NewCard(kit.NewFilled(1, head, list), kit.Around(0))
	panel.Ground = kit.RoleGround
	o = kit.ShowOverlay(c.window.Canvas(), panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-4*kit.Unit, 640*min(kit.TextScale(), kit.LargeText))
		h := size.Height - 8*kit.Unit
		return fyne.NewPos(float32(int((size.Width-w)/2)), 4*kit.Unit), fyne.NewSize(w, h)
	})
}

// excerpt is what was said around a message.
type excerpt struct {
	list  *conversation.List
	items []session.Item
}

// renew shows its messages as they are now.
func (e *excerpt) renew(by []session.Item) {
	items, changed := renewed(e.items, by)
	if !changed {
		return
	}
	var batch []session.Change
	for i, item := range items {
		batch = append(batch, session.Change{Kind: session.Update, Index: i, Items: []session.Item{item}})
	}
	e.items = items
	e.list.Change(batch)
}

// renewed are messages outside of the timeline as they are after changes. It reports
// whether any is another one.
func renewed(items, by []session.Item) (fresh []session.Item, changed bool) {
	fresh = slices.Clone(items)
	for _, now := range by {
		i := slices.IndexFunc(fresh, func(item session.Item) bool {
			return now.ID == item.ID || now.ID == "" && now.Offset == item.Offset
		})
		if i < 0 {
			continue
		}
		was := fresh[i]
		switch {
		case now.ID != "":
			fresh[i] = now
		case now.Deleted:
			fresh[i] = session.Item{ID: was.ID, Offset: was.Offset, User: was.User, By: was.By, Time: was.Time, Mine: was.Mine, Deleted: true}
		default:
			fresh[i].Text, fresh[i].Edited = now.Text, now.Edited
		}
		changed = changed || was.Text != fresh[i].Text || was.User != fresh[i].User || was.Deleted != fresh[i].Deleted
	}
	return fresh, changed
}
