package ui

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// find is the panel that searches a room.
type find struct {
	page    *roomPage
	overlay *kit.Overlay
	entry   *kit.Entry
	state   *kit.Text // what is wrong, or that nothing is found
	hits    *kit.Column
	items   []session.Item // that the hits show
	more    *kit.Tile
	asked   string // the text that was searched for last
	next    int64  // where the search goes on
}

// showFind opens the panel that searches the room (Ctrl+F).
func (p *roomPage) showFind() {
	c := p.client
	if !p.conv.Status.CanSearch || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	f := &find{page: p, hits: kit.NewColumn(0)}
	p.find = f
	f.entry = kit.NewEntry(lang.T("find.field"), c.shortcut)
	f.entry.OnSubmitted = func(string) { f.search() }
	f.state = kit.NewText("", kit.FontBody, kit.RoleMuted)
	f.state.Hide()
	f.more = kit.NewSecondary(lang.T("find.more"), func() { f.ask(f.asked, f.next) })
	f.more.Hide()
	field := kit.NewRow(kit.Unit, 0, kit.NewEntryBox(f.entry), kit.NewIconButton("search", f.search))
	body := kit.NewColumn(2*kit.Unit, kit.NewText(lang.T("find.title"), kit.FontTitle, kit.RoleText), field, f.state, f.hits, f.more)
	f.overlay = kit.ShowPanel(c.window.Canvas(), body.Padded(kit.Around(4*kit.Unit)))
	c.window.Canvas().Focus(f.entry)
}

// search begins with what was typed.
func (f *find) search() {
	f.show(nil)
	f.ask(strings.TrimSpace(f.entry.Text), 0)
}

// ask searches for a text from an offset backwards; 0 is the newest message.
func (f *find) ask(typed string, from int64) {
	f.asked = typed
	f.more.Hide()
	err := f.page.conv.Session.Search(typed, from)
	switch {
	case errors.Is(err, session.ErrTooLong):
		f.say(lang.T("find.long", "limit", fmt.Sprint(shared.MaxSearch)), kit.RoleError)
	case err != nil || typed == "":
		f.say("", kit.RoleMuted)
	case f.page.conv.Status.State != session.Connected:
		f.say(lang.T("find.offline"), kit.RoleWarning)
	default:
		f.say(lang.T("find.asked"), kit.RoleMuted)
	}
}

func (f *find) say(s string, r kit.Role) {
	f.state.Role = r
	f.state.SetText(s)
	f.state.Hidden = s == ""
	f.overlay.Refresh()
}

// found shows the answer to a search, if it is to the last one.
func (p *roomPage) found(s session.Search) {
	f := p.find
	if f == nil || s.Text != f.asked {
		return
	}
	if s.Err != nil {
		f.say(questionProblem(s.Err), kit.RoleError)
		return
	}
	f.show(append(f.items, s.Hits...))
	f.next, f.more.Hidden = s.Next, !s.More
	none := ""
	if len(f.hits.Objects) == 0 {
		none = lang.T("find.none")
	}
	f.say(none, kit.RoleMuted)
}

// show makes these the hits.
func (f *find) show(items []session.Item) {
	f.items = items
	f.hits.Set()
	for _, item := range items {
		f.hits.Objects = append(f.hits.Objects, f.hit(item))
	}
}

// renew shows hits as their messages are now, and takes those away that are deleted.
func (f *find) renew(items []session.Item) {
	fresh := slices.Clone(f.items)
	for _, item := range items {
		if i := slices.IndexFunc(fresh, func(hit session.Item) bool { return hit.ID == item.ID }); i >= 0 {
			fresh[i] = item
		}
	}
	if slices.EqualFunc(fresh, f.items, func(a, b session.Item) bool { return a.Text == b.Text && a.User == b.User }) {
		return
	}
	f.show(slices.DeleteFunc(fresh, func(hit session.Item) bool { return hit.Deleted }))
	f.overlay.Refresh()
}

// hit is a message that was found: a tap leads to it.
func (f *find) hit(item session.Item) fyne.CanvasObject {
	when := f.page.conv.Clock.When(item.Time)
	head := kit.NewRow(2*kit.Unit, 0, kit.NewText(text.OneLine(item.User), kit.FontLabel, kit.RoleAccent).Lines(1), kit.NewText(when, kit.FontTiny, kit.RoleMuted).Lines(1))
	head.MinFlex = 80
	t := kit.NewTile(kit.NewColumn(1, head, kit.NewText(excerptOf(cmp.Or(item.Text, conversation.Said(item)), f.asked), kit.FontBody, kit.RoleText).Lines(3)), func() {
		f.overlay.Close()
		f.page.lead(item.Offset)
	})
	return t
}

// around is how many characters of a message stand before a hit.
const around = 40

// excerptOf is a part of a message in which a text that was searched for can be seen.
func excerptOf(message, sought string) string {
	body := []rune(text.OneLine(message))
	at := indexFold(body, []rune(text.OneLine(sought)))
	if at <= around {
		return string(body)
	}
	from := at - around
	for i := from; i < at; i++ { // at the beginning of a word, if there is one
		if unicode.IsSpace(body[i]) {
			from = i + 1
			break
		}
	}
	return "…" + string(body[from:])
}

// indexFold is where a text is in another in any case; -1 if it is not. The server
// finds it without its accents, too: then the message is shown from its beginning.
func indexFold(s, part []rune) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(string(s[i:i+len(part)]), string(part)) {
			return i
		}
	}
	return -1
}

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

// questionProblem says why a question has no answer.
func questionProblem(err error) string {
	if errors.Is(err, session.ErrGone) {
		return lang.T("failed.not_found")
	}
	return lang.T("find.refused")
}
