package ui

import (
	"errors"
	"fmt"
	"image/color"
	"net/url"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/text"
	"parley/shared"
)

// roomPage is a conversation.
type roomPage struct {
	conv     *conversation
	root     *filled
	header   fyne.CanvasObject
	back     *tile
	lock     *picture // while the room has a passphrase
	sub      *textBlock
	banner   *banner
	list     *messageList
	silence  fyne.CanvasObject // while nothing has been said
	typing   *note             // who is writing, or what is wrong with the text
	composer *composer
	complain string // what is wrong with the text
}

func newRoomPage(conv *conversation) *roomPage {
	p := &roomPage{conv: conv, list: newMessageList(conv.timeline)}
	c := conv.client
	p.back = newIconButton("back", func() { c.back(false) })
	p.lock = newPicture("lock", roleMuted, 16)
	p.sub = newText("", fontSmall, roleMuted).lines(2)
	about := newTile(aboutRoom(conv, p.lock, p.sub), p.showPeople)
	about.inset = insets{0, unit, 0, unit}
	var more *tile
	more = newIconButton("more", func() {
		p.menu(fyne.CurrentApp().Driver().AbsolutePositionForObject(more).AddXY(more.Size().Width/2, more.Size().Height))
	})
	p.banner = newBanner(conv)
	p.silence = newEmptyState("🤫", tr("room.empty"), tr("room.empty.break"))
	p.typing = newNote()
	p.composer = newComposer(c.shortcut, p.send, p.typed, func(limit int) { p.complainOf(tr("text.full", "limit", fmt.Sprint(limit))) })
	p.composer.grown = func() { p.root.Refresh() }
	p.composer.restore(conv.room.Draft())
	p.composer.entry.leaf = func(pages float32) { p.list.scrollBy(pages * 0.9 * p.list.Size().Height) }

	p.list.seek(conv.place)
	conv.place = session.Place{}
	p.list.onPlace = conv.room.SetPlace
	p.list.onOlder = conv.room.LoadOlder
	p.list.onHit = p.tapped
	p.list.onMenu = p.menuFor
	ground := newFill(func(p *palette) color.NRGBA { return p.Ground })
	p.header = newHeader(p.back, about, more)
	p.root = newFilled(2, p.header, p.banner,
		over(ground, p.list, p.silence, p.typing), newFooter(p.composer))
	p.root.sized = p.squeeze
	p.state()
	return p
}

// aboutRoom is the room's name and the line on it, with the avatar where there
// is room for it.
func aboutRoom(conv *conversation, lock *picture, sub *textBlock) *hrow {
	title := newColumn(1, newHRow(unit, 1, lock, newText(conv.title(), fontTitle, roleText).lines(2)), sub)
	if textScale() > largeText {
		return newHRow(0, 0, title)
	}
	return newHRow(3*unit, 1, newRoomAvatar(conv.name, 40), title)
}

func (p *roomPage) object() fyne.CanvasObject { return p.root }
func (p *roomPage) title() string             { return p.conv.title() }

func (p *roomPage) entered() {
	c := p.conv
	c.page = p
	c.used = now()
	c.room.Show(true)
	c.visit()
	p.banner.start()
	p.state()
	if c.timeline.fresh != "" {
		p.list.showRow(c.timeline.fresh)
	}
}

// beside leaves the way back to the rooms out where they are in sight.
func (p *roomPage) beside(main bool) { p.back.Hidden = main }

func (p *roomPage) focus() { p.conv.client.window.Canvas().Focus(p.composer.entry) }

func (p *roomPage) left() {
	if p.conv.page == p {
		p.conv.page = nil
	}
	if !p.conv.client.nav.has(p) { // another page may lie over it
		p.conv.room.Show(false)
	}
	p.banner.end()
	p.conv.client.roomsChanged()
}

// change applies a batch of changes and draws what they touched.
func (p *roomPage) change(batch []session.Change) {
	p.list.change(batch)
	p.state()
	for _, change := range batch {
		if change.Kind == session.StatusChanged {
			p.askKey()
		}
	}
}

// askKey asks for the passphrase that the room waits for.
func (p *roomPage) askKey() {
	c := p.conv.client
	if asksForKey(p.conv.status) && c.nav.top() == page(p) && c.window.Canvas().Overlays().Top() == nil {
		c.showKey(p.conv)
	}
}

// state draws everything around the list.
func (p *roomPage) state() {
	c := p.conv
	sub, r := p.subtitle()
	moved := sub != p.sub.text || p.lock.Hidden == c.locked // it may take another line
	p.lock.Hidden = !c.locked
	p.sub.role = r
	p.sub.setText(sub)
	p.sub.Refresh()
	p.silence.Hide()
	if len(c.timeline.rows) == 0 && c.status.State == session.Connected {
		p.silence.Show()
	}
	if p.complain != "" {
		p.typing.say(p.complain, roleError)
	} else {
		p.typing.say(typingLine(c.typing), roleMuted)
	}
	p.list.setFoot(p.typing.height(p.list.Size().Width))
	if p.banner.update() || moved {
		p.root.Refresh()
	}
}

// subtitle says who is here, or how the connection is.
func (p *roomPage) subtitle() (string, role) {
	c := p.conv
	switch c.status.State {
	case session.Connected:
		return plural("people.here", c.count), roleMuted
	case session.Connecting:
		return tr("room.connecting"), roleWarning
	}
	return tr("room.offline"), roleWarning
}

func typingLine(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return tr("room.typing.one", "name", text.OneLine(names[0]))
	case 2:
		return tr("room.typing.two", "name", text.OneLine(names[0]), "other", text.OneLine(names[1]))
	}
	return tr("room.typing.several")
}

// send takes a text out of the composer.
func (p *roomPage) send(s string) bool {
	if shared.Blank(s) {
		return false
	}
	_, err := p.conv.room.Send(s)
	switch {
	case errors.Is(err, session.ErrTooLong):
		p.complain = p.excess(s)
	case err != nil:
		p.complain = tr("failed.refused")
	default:
		p.complain = ""
		c := p.conv.client
		c.bridge.post(c.askToNotify) // after the keyboard is up again
	}
	p.list.sought = session.Place{}
	p.list.toBottom()
	p.conv.timeline.setFresh("")
	p.state()
	return err == nil
}

// excess says by how much a text is too long for a message, or "".
func (p *roomPage) excess(s string) string {
	if n := utf8.RuneCountInString(s) - p.conv.room.Limit(); n > 0 {
		return plural("room.excess", n)
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
	p.conv.room.SetDraft(s)
	if s != "" {
		p.conv.room.Typing()
	}
	p.complainOf(p.excess(s))
}

// tapped does what a tap on a row asks for.
func (p *roomPage) tapped(h hit) {
	switch h.kind {
	case hitLink:
		if u, err := url.Parse(h.link); err == nil {
			if err := fyne.CurrentApp().OpenURL(u); err != nil {
				fyne.LogError("The link could not be opened", err)
			}
		}
	case hitFailed:
		p.menuFor(h, fyne.CurrentApp().Driver().AbsolutePositionForObject(p.list).AddXY(p.list.Size().Width/2, 0))
	case hitGap:
		p.conv.room.LoadGap(h.row.item.ID)
	}
}

// menuFor shows what can be done with a message.
func (p *roomPage) menuFor(h hit, at fyne.Position) {
	if h.row == nil || h.row.item.Kind != session.KindMessage {
		return
	}
	item, room := h.row.item, p.conv.room
	var actions []action
	if item.Delivery == session.Failed {
		actions = append(actions,
			action{icon: "retry", label: tr("menu.retry"), do: func() { room.Retry(item.ID) }},
			action{icon: "edit", label: tr("menu.edit"), do: func() {
				room.Discard(item.ID)
				p.composer.entry.SetText(item.Text)
				p.conv.client.window.Canvas().Focus(p.composer.entry)
			}})
	}
	actions = append(actions, action{icon: "copy", label: tr("menu.copy"), do: func() { p.conv.client.copy(item.Text) }})
	actions = append(actions, action{icon: "select", label: tr("menu.select"), do: func() { p.conv.client.showSelect(item.Text) }})
	if h.link != "" {
		actions = append(actions, action{icon: "link", label: tr("menu.copy.link"), do: func() { p.conv.client.copy(h.link) }})
	}
	if item.Delivery == session.Failed {
		actions = append(actions, action{icon: "trash", label: tr("menu.discard"), danger: true, do: func() { room.Discard(item.ID) }})
	}
	about := float32(0)
	if v := h.row.view; v != nil { // under the bubble, which stays in sight
		bubble := v.hits[0]
		about = bubble.size.Height
		at.Y = fyne.CurrentApp().Driver().AbsolutePositionForObject(p.list).Y +
			min(v.root.Position().Y+bubble.at.Y+about, p.list.Size().Height)
	}
	showMenu(p.conv.client.window.Canvas(), at, about, actions...)
}

// menu shows what can be done with the room.
func (p *roomPage) menu(at fyne.Position) {
	c := p.conv.client
	showMenu(c.window.Canvas(), at, 0,
		action{icon: "people", label: tr("room.people"), do: p.showPeople},
		action{icon: "settings", label: tr("settings.title"), do: c.showSettings},
		action{icon: "leave", label: tr("room.leave"), danger: true, do: func() { c.askToLeave(p.conv.name) }})
}
