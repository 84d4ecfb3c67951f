package ui

import (
	"errors"
	"fmt"
	"image/color"
	"net/url"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// roomPage is a conversation.
type roomPage struct {
	client   *client
	conv     *conversation.Room
	root     *kit.Filled
	header   fyne.CanvasObject
	back     *kit.Tile
	lock     *kit.Picture // while the room has a passphrase
	sub      *kit.Text
	banner   *banner
	waiting  *waiting
	pinned   *pinned
	list     *conversation.List
	silence  fyne.CanvasObject  // while nothing has been said
	typing   *conversation.Note // who is writing, or what is wrong with the text
	composer *conversation.Composer
	quiet    *conversation.Quiet // in the composer's place while one may not write
	complain string              // what is wrong with the text
	sheet    *sheet              // the files that were picked last; nil before the first
	whole    *whole              // the picture that was shown last; nil before the first
	person   *personSheet        // that was opened last; nil before the first
	hosts    *hostSheet          // the same
	search   *search             // nil before the first
	excerpt  *excerpt            // that was shown last; nil before the first
	who      string              // id of the message whose reactions the person asked about
}

func newRoomPage(c *client, conv *conversation.Room) *roomPage {
	p := &roomPage{client: c, conv: conv, list: conversation.NewList(conv.Timeline)}
	p.back = kit.NewIconButton("back", func() { c.ways.back(false) })
	p.lock = kit.NewPicture("lock", kit.RoleMuted, 16)
	p.sub = kit.NewText("", kit.FontSmall, kit.RoleMuted).Lines(2)
	about := kit.NewTile(aboutRoom(conv, p.lock, p.sub), func() { showPeople(p) })
	about.Inset = kit.Sides(0, kit.Unit, 0, kit.Unit)
	var more *kit.Tile
	more = kit.NewIconButton("more", func() {
		p.menu(fyne.CurrentApp().Driver().AbsolutePositionForObject(more).AddXY(more.Size().Width/2, more.Size().Height))
	})
	p.banner = newBanner(c, conv, func() { p.root.Refresh() })
	p.silence = kit.NewEmptyState("🤫", lang.T("room.empty"), lang.T("room.empty.break"))
	p.typing = conversation.NewNote()
	p.composer = conversation.NewComposer(c.shortcut, p.send, p.typed, func(limit int) { p.complainOf(lang.T("text.full", "limit", fmt.Sprint(limit))) })
	p.composer.Grown = func() { p.root.Refresh() }
	p.composer.Restore(conv.Session.Draft())
	p.composer.Draft = conv.Session.Draft
	p.composer.Names = p.othersNames
	p.composer.EditLast = p.editLast
	p.composer.List = p.list
	p.composer.OnTask = conv.SetTask
	c.showThumbs(conv.Session, p.list)
	conv.Timeline.SetNames(conv.Names(c.prefs.name()))
	p.composer.Entry.Leaf = func(pages float32) { p.list.ScrollBy(pages * 0.9 * p.list.Size().Height) }
	p.quiet = conversation.NewQuiet(c.shortcut)
	p.quiet.List, p.quiet.Leaf = p.list, p.composer.Entry.Leaf
	p.pinned = newPinned(p.lead)
	p.waiting = newWaiting(p)

	p.list.Seek(conv.Place)
	conv.Place = session.Place{}
	p.list.OnPlace = conv.Session.SetPlace
	p.list.OnOlder = conv.Session.LoadOlder
	p.list.OnHit = p.tapped
	p.list.OnMenu = p.menuFor
	p.list.OnSwipe = c.nav.swipe
	ground := kit.NewFill(func(p *kit.Palette) color.NRGBA { return p.Ground })
	p.header = kit.NewHeader(p.back, about, more)
	p.root = kit.NewFilled(4, p.header, p.banner, p.waiting, p.pinned,
		kit.Over(ground, p.list, p.silence, p.typing), kit.NewFooter(p.composer, p.quiet))
	p.root.Sized = p.squeeze
	if t := conv.Task; t != nil {
		p.composer.Begin(t)
	}
	p.state()
	return p
}

// aboutRoom is the room's name and the line about it, with the avatar if there is
// room for it.
func aboutRoom(conv *conversation.Room, lock *kit.Picture, sub *kit.Text) *kit.Row {
	title := kit.NewColumn(1, kit.NewRow(kit.Unit, 1, lock, kit.NewText(conv.Title(), kit.FontTitle, kit.RoleText).Lines(2)), sub)
	if kit.TextScale() > kit.LargeText {
		return kit.NewRow(0, 0, title)
	}
	return kit.NewRow(3*kit.Unit, 1, kit.NewRoomAvatar(conv.Name, 40), title)
}

func (p *roomPage) object() fyne.CanvasObject        { return p.root }
func (p *roomPage) title() string                    { return p.conv.Title() }
func (p *roomPage) conversation() *conversation.Room { return p.conv }
func (p *roomPage) Settle()                          { p.list.Settle() }

func (p *roomPage) entered() {
	c := p.conv
	c.Page = p
	c.Used = c.Clock()
	c.Session.Show(true)
	c.Visit()
	p.banner.start(p.countDown)
	p.state()
	if c.Timeline.Fresh != "" {
		p.list.ShowRow(c.Timeline.Fresh)
	}
	p.restoreSheet()
}

// beside hides the way back to the rooms while they are in sight.
func (p *roomPage) beside(main bool) { p.back.Hidden = main }

// input is where what is typed goes: the composer or, while one may not write, what
// stands in its place.
func (p *roomPage) input() input {
	if p.composer.Hidden {
		return p.quiet
	}
	return p.composer.Entry
}

func (p *roomPage) focus() { p.client.window.Canvas().Focus(p.input()) }

func (p *roomPage) left() {
	if p.conv.Page == conversation.View(p) {
		p.conv.Page = nil
	}
	if !p.client.nav.has(p) { // another page may lie over it
		p.conv.Session.Show(false)
	}
	p.banner.end()
	p.client.roomsChanged()
}

// Change applies a batch of changes and draws what they touched.
func (p *roomPage) Change(batch []session.Change) {
	p.list.Change(batch)
	if p.composer.Renew(); p.conv.Task != p.composer.Task() { // that of the app's last life
		p.composer.Begin(p.conv.Task)
	}
	p.state()
	p.restoreSheet()
	p.hosting(batch)
	for _, change := range batch {
		if p.search != nil {
			p.search.renew(change.Items)
		}
		if p.excerpt != nil {
			p.excerpt.renew(change.Items)
		}
		switch change.Kind {
		case session.StatusChanged:
			p.askKey()
			if change.Status.State == session.Connected {
				p.client.thumbs.again()
				p.list.Refresh()
			}
		case session.Found:
			p.found(*change.Search)
		case session.Reached:
			p.reached(*change.Excerpt)
		case session.Reactors:
			p.tellWho(*change.Who)
		}
	}
}

// askKey asks for the passphrase that the room waits for.
func (p *roomPage) askKey() {
	c := p.client
	if p.conv.Status.AsksForKey() && c.nav.top() == page(p) && c.window.Canvas().Overlays().Top() == nil {
		showKey(c, p.conv)
	}
}

// state draws everything around the list.
func (p *roomPage) state() {
	c := p.conv
	sub, r := p.subtitle()
	moved := sub != p.sub.Text || p.lock.Hidden == c.Locked // it may take another line
	p.lock.Hidden = !c.Locked
	p.sub.Role = r
	p.sub.SetText(sub)
	p.sub.Refresh()
	p.silence.Hide()
	if c.Timeline.Len() == 0 && c.Status.State == session.Connected {
		p.silence.Show()
	}
	if p.complain != "" {
		p.typing.Say(p.complain, kit.RoleError)
	} else {
		p.typing.Say(typingLine(c.Typing), kit.RoleMuted)
	}
	var attach func()
	if p.canAttach() {
		attach = p.attach
	}
	p.composer.SetAttach(attach)
	p.countDown()
	p.list.SetFoot(p.typing.Height(p.list.Size().Width))
	moved = p.waiting.update() || moved
	moved = p.quieten() || moved
	if !p.list.Dense {
		moved = p.pinned.show(c.Hosting.Pin) || moved
	}
	if p.banner.update() || moved {
		p.root.Refresh()
	}
}

// countDown shows how long a message waits in slow mode.
func (p *roomPage) countDown() {
	p.composer.Wait(p.conv.Hosting.Next.Sub(p.conv.Clock()))
}

// subtitle says who is here, or how the connection is.
func (p *roomPage) subtitle() (string, kit.Role) {
	c := p.conv
	switch c.Status.State {
	case session.Connected:
		return lang.Plural("people.here", c.Count), kit.RoleMuted
	case session.Connecting:
		return lang.T("room.connecting"), kit.RoleWarning
	}
	return lang.T("room.offline"), kit.RoleWarning
}

func typingLine(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return lang.T("room.typing.one", "name", text.OneLine(names[0]))
	case 2:
		return lang.T("room.typing.two", "name", text.OneLine(names[0]), "other", text.OneLine(names[1]))
	}
	return lang.T("room.typing.several")
}

// send takes a text out of the composer.
func (p *roomPage) send(s string) bool {
	if shared.Blank(s) {
		return false
	}
	t := p.composer.Task()
	if t != nil && t.Edit {
		return p.edit(*t, s)
	}
	of := ""
	if t != nil {
		of = t.Of.ID
	}
	_, err := p.conv.Session.SendReply(s, of)
	if p.refused(err, s); err == nil {
		c := p.client
		c.bridge.Post(func() { askToNotify(c) }) // after the keyboard is up again
	}
	p.list.Follow()
	p.conv.Timeline.SetFresh("")
	p.state()
	return err == nil
}

// edit gives one of the person's messages another text.
func (p *roomPage) edit(t conversation.Task, s string) bool {
	item, ok := p.conv.Timeline.Message(t.Of.ID)
	if !ok {
		item = t.Of // its row has left the timeline
	}
	if !item.Changeable() { // neither the text nor the draft is lost
		p.composer.End()
		p.Unwritten(s)
		p.complainOf(lang.T("failed.not_found"))
		return false
	}
	if p.complain = p.excess(s); p.complain != "" {
		p.state()
		return false
	}
	var err error
	if !ok || s != item.Text {
		err = p.conv.Session.Edit(item.ID, s)
	}
	p.refused(err, s)
	p.state()
	return err == nil
}

// refused notes why a text could not be sent; nil if it could.
func (p *roomPage) refused(err error, s string) {
	switch {
	case errors.Is(err, session.ErrTooLong):
		p.complain = p.excess(s)
	case err != nil:
		p.complain = lang.T("failed.refused")
	default:
		p.complain = ""
	}
}

// excess says by how much a text is too long for a message, or "".
func (p *roomPage) excess(s string) string {
	limit := p.conv.Session.Limit()
	if t := p.composer.Task(); t != nil && t.Edit && t.Of.File != nil {
		limit = min(limit, shared.MaxCaption)
	}
	if n := utf8.RuneCountInString(s) - limit; n > 0 {
		return lang.Plural("room.excess", n)
	}
	return ""
}

// complainOf says what is wrong with the text, or nothing.
func (p *roomPage) complainOf(sentence string) {
	if sentence != p.complain {
		p.complain = sentence
		p.state()
	}
}

func (p *roomPage) typed(s string) {
	edits := p.composer.Task() != nil && p.composer.Task().Edit
	if edits {
		p.conv.KeepTask()
	} else {
		p.conv.Session.SetDraft(s)
	}
	if s != "" && !edits {
		p.conv.Session.Typing()
	}
	p.complainOf(p.excess(s))
}

// tapped does what a tap on a row asks for.
func (p *roomPage) tapped(h conversation.Hit) {
	switch h.Kind {
	case conversation.HitLink:
		if u, err := url.Parse(h.Link); err == nil {
			if err := fyne.CurrentApp().OpenURL(u); err != nil {
				fyne.LogError("The link could not be opened", err)
			}
		}
	case conversation.HitFailed:
		p.menuFor(h, fyne.CurrentApp().Driver().AbsolutePositionForObject(p.list).AddXY(p.list.Size().Width/2, 0))
	case conversation.HitGap:
		p.conv.Session.LoadGap(h.RowID())
	case conversation.HitCode:
		p.client.copy(h.Text)
	case conversation.HitFile:
		if item, ok := h.Message(); ok {
			p.openFile(item)
		}
	case conversation.HitCancel:
		p.conv.Session.Delete(h.RowID())
	case conversation.HitQuote:
		p.lead(h.Offset)
	case conversation.HitReaction:
		if item, ok := h.Message(); ok {
			p.react(item, h.Text)
		}
	}
}

// menuFor shows what can be done with a message; for one of its reactions, who
// reacted.
func (p *roomPage) menuFor(h conversation.Hit, at fyne.Position) {
	item, ok := h.Message()
	if !ok {
		return
	}
	if h.Kind == conversation.HitReaction {
		p.askWho(item)
		return
	}
	about := float32(0)
	if bubble, size, ok := h.Bubble(); ok { // under the bubble, which stays in sight
		about = size.Height
		at.Y = fyne.CurrentApp().Driver().AbsolutePositionForObject(p.list).Y + min(bubble.Y+about, p.list.Size().Height)
	}
	var picks *kit.Picks
	if p.conv.Status.CanChange && item.Addressable() && p.conv.Hosting.MayReact() {
		picks = &kit.Picks{Labels: shared.Emojis, Chosen: item.Reacted, Do: func(emoji string) { p.react(item, emoji) }}
	}
	kit.ShowMenu(p.client.window.Canvas(), at, about, picks, p.actions(item, h.Link)...)
}

// actions are what can be done with a message, and with a link in it.
func (p *roomPage) actions(item session.Item, link string) (actions []kit.Action) {
	room, failed := p.conv.Session, item.Delivery == session.Failed
	add := func(when bool, a kit.Action) {
		if when {
			actions = append(actions, a)
		}
	}
	changes, writes := p.conv.Status.CanChange, p.conv.Hosting.MayWrite()
	add(failed, kit.Action{Icon: "retry", Label: lang.T("menu.retry"), Do: func() { room.Retry(item.ID) }})
	actions = append(actions, p.fileActions(item)...)
	said := item.Text != "" || item.File == nil
	add(failed && item.File == nil, kit.Action{Icon: "edit", Label: lang.T("menu.edit"), Do: func() {
		room.Discard(item.ID)
		p.begin(nil)
		p.composer.Entry.SetText(item.Text)
	}})
	add(changes && writes && item.Addressable(), kit.Action{Icon: "reply", Label: lang.T("menu.reply"), Do: func() {
		p.begin(&conversation.Task{Of: item})
	}})
	add(changes && writes && item.Changeable(), kit.Action{Icon: "edit", Label: lang.T("menu.edit"), Do: func() { p.beginEdit(item) }})
	add(said, kit.Action{Icon: "copy", Label: lang.T("menu.copy"), Do: func() { p.client.copy(item.Text) }})
	add(said, kit.Action{Icon: "select", Label: lang.T("menu.select"), Do: func() { showSelect(p.client, item.Text) }})
	add(link != "", kit.Action{Icon: "link", Label: lang.T("menu.copy.link"), Do: func() { p.client.copy(link) }})
	add(changes && len(item.Reactions) > 0, kit.Action{Icon: "people", Label: lang.T("menu.who"), Do: func() { p.askWho(item) }})
	add(failed, kit.Action{Icon: "trash", Label: lang.T("menu.discard"), Danger: true, Do: func() { room.Discard(item.ID) }})
	uploads := item.File != nil && item.Delivery == session.Pending // that is cancelled
	add(changes && item.Changeable() && !uploads, kit.Action{Icon: "trash", Label: lang.T("menu.delete"), Danger: true, Do: func() {
		askToDelete(p.client, p.conv, item)
	}})
	return append(actions, p.hostActions(item)...)
}

// menu shows what can be done with the room.
func (p *roomPage) menu(at fyne.Position) {
	c := p.client
	actions := []kit.Action{{Icon: "people", Label: lang.T("room.people"), Do: func() { showPeople(p) }}}
	if p.conv.Status.CanSearch {
		actions = append(actions, kit.Action{Icon: "search", Label: lang.T("find.title"), Do: p.showFind})
	}
	if p.canAttach() {
		actions = append(actions, kit.Action{Icon: "attach", Label: lang.T("file.send"), Do: p.attach})
	}
	if p.conv.Hosting.Host {
		actions = append(actions, kit.Action{Icon: "host", Label: lang.T("host.title"), Do: func() { showHostSheet(p) }})
	}
	actions = append(actions,
		kit.Action{Icon: "invite", Label: lang.T("invite.title"), Do: func() { showInvite(c, p.conv) }},
		kit.Action{Icon: "settings", Label: lang.T("settings.title"), Do: func() { c.ways.showSettings() }},
		kit.Action{Icon: "leave", Label: lang.T("room.leave"), Danger: true, Do: func() { askToLeave(c, p.conv.Name) }})
	kit.ShowMenu(c.window.Canvas(), at, 0, nil, actions...)
}

// squeeze makes the most of little height: the header goes, and rows and the
// composer take less.
func (p *roomPage) squeeze(size fyne.Size) {
	dense := kit.IsPhone() && size.Height < denseHeight
	if dense == p.list.Dense {
		return
	}
	p.list.Dense, p.composer.Dense = dense, dense
	if dense {
		p.header.Hide()
		p.pinned.Hide()
	} else {
		p.pinned.show(p.conv.Hosting.Pin)
		p.header.Show()
	}
}
