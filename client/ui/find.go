package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
	"parley/shared/find"
)

// searchPause is how long after the last key a search begins by itself.
const searchPause = 250 * time.Millisecond

// search is the panel that searches a room. It stays with the page, and opens again with
// what was found last.
type search struct {
	page    *roomPage
	overlay *kit.Overlay
	entry   *kit.Entry
	state   *kit.Text // what is wrong, or that nothing is found; it keeps its line
	list    *kit.Scroller
	hits    *kit.Column
	items   []session.Item // that the hits show
	more    *kit.Tile
	keys    int     // how often the text was changed
	by      string  // the text that they were found by
	asked   string  // the text that was searched for last
	from    int64   // where that search began
	next    int64   // where it goes on
	high    float32 // the height of the panel, which does not get less
}

// showFind opens the panel that searches the room (Ctrl+F).
func (p *roomPage) showFind() {
	c := p.client
	if !p.conv.Status.CanSearch || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	if p.search == nil {
		p.search = newSearch(p)
	}
	p.search.open()
}

func newSearch(p *roomPage) *search {
	f := &search{page: p, hits: kit.NewColumn(0)}
	f.entry = kit.NewEntry(lang.T("find.field"), p.client.shortcut)
	f.entry.OnSubmitted = func(string) { f.begin() }
	f.entry.OnChanged = func(string) { f.typed() }
	f.state = kit.NewText("", kit.FontSmall, kit.RoleMuted)
	f.more = kit.NewSecondary(lang.T("find.more"), func() { f.ask(f.asked, f.next) })
	f.more.Hide()
	f.list = kit.NewScroller(kit.NewColumn(2*kit.Unit, f.hits, f.more).Padded(kit.Sides(0, 4*kit.Unit, 4*kit.Unit, 4*kit.Unit)))
	return f
}

// open shows the panel. What was typed last is selected, so that the next text takes its
// place.
func (f *search) open() {
	canvas := f.page.client.window.Canvas()
	field := kit.NewRow(kit.Unit, 0, kit.NewEntryBox(f.entry), kit.NewIconButton("search", f.begin))
	head := kit.NewColumn(2*kit.Unit, kit.NewText(lang.T("find.title"), kit.FontTitle, kit.RoleText), field, f.state).Padded(kit.Sides(4*kit.Unit, 4*kit.Unit, 2*kit.Unit, 4*kit.Unit))
	f.high = 0
	f.overlay = kit.ShowOverlay(canvas, kit.NewCard(kit.NewFilled(1, head, f.list), kit.Around(0)), func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-6*kit.Unit, 400*min(kit.TextScale(), kit.LargeText))
		margin := min(6*kit.Unit, float32(int(size.Height/30)))
		most := size.Height - 2*margin
		f.high = min(max(f.high, head.Fit(w)+f.list.Fit(w)), most)
		return fyne.NewPos(float32(int((size.Width-w)/2)), margin), fyne.NewSize(w, f.high)
	})
	canvas.Focus(f.entry)
	if f.entry.Text != "" {
		f.entry.TypedShortcut(&fyne.ShortcutSelectAll{})
		f.begin() // for what was said meanwhile
	}
}

// typed begins a search after a pause.
func (f *search) typed() {
	f.keys++
	keys := f.keys
	f.page.client.bridge.Later(searchPause, func() {
		if keys == f.keys {
			f.begin()
		}
	})
}

// begin searches for what is written.
func (f *search) begin() {
	f.keys++
	f.ask(strings.TrimSpace(f.entry.Text), 0)
}

// ask searches for a text from an offset backwards; 0 is the newest message. The hits of
// before stay until the answer comes.
func (f *search) ask(typed string, from int64) {
	f.asked, f.from = typed, from
	f.more.Hide()
	err := f.page.conv.Session.Search(typed, from)
	if err != nil || typed == "" {
		f.show("", nil)
	}
	switch {
	case errors.Is(err, session.ErrTooLong):
		f.say(lang.T("find.long", "limit", fmt.Sprint(shared.MaxSearch)), kit.RoleError)
	case err != nil || typed == "":
		f.say("", kit.RoleMuted)
	case f.page.conv.Status.State != session.Connected:
		f.say(lang.T("find.offline"), kit.RoleWarning)
	case len(f.items) == 0 || from > 0:
		f.say(lang.T("find.asked"), kit.RoleMuted)
	default:
		f.say("", kit.RoleMuted)
	}
}

func (f *search) say(s string, r kit.Role) {
	f.state.Role = r
	f.state.SetText(s)
	f.overlay.Refresh()
}

// found shows the answer to a search, if it is to the last one.
func (p *roomPage) found(s session.Search) {
	f := p.search
	if f == nil || s.Text != f.asked || s.From != f.from {
		return
	}
	if s.Err != nil {
		if s.From == 0 {
			f.show("", nil)
		}
		f.say(questionProblem(s.Err), kit.RoleError)
		return
	}
	hits := s.Hits
	if s.From > 0 {
		hits = append(f.items, hits...)
	}
	f.show(s.Text, hits)
	f.next, f.more.Hidden = s.Next, !s.More
	none := ""
	if len(f.items) == 0 {
		none = lang.T("find.none")
	}
	f.say(none, kit.RoleMuted)
}

// show makes these the hits, which were found by a text.
func (f *search) show(by string, items []session.Item) {
	if by != f.by {
		f.list.ToTop()
	}
	f.by, f.items = by, items
	f.hits.Objects = nil
	for _, item := range items {
		f.hits.Objects = append(f.hits.Objects, f.hit(item))
	}
}

// renew shows hits as their messages are now, and takes those away that are deleted.
func (f *search) renew(by []session.Item) {
	if items, changed := renewed(f.items, by); changed {
		f.show(f.by, slices.DeleteFunc(items, func(hit session.Item) bool { return hit.Deleted }))
		f.overlay.Refresh()
	}
}

// hit is a message that was found: a tap leads to it.
func (f *search) hit(item session.Item) fyne.CanvasObject {
	when := f.page.conv.Clock.When(item.Time)
	head := kit.NewRow(2*kit.Unit, 0, kit.NewText(text.OneLine(item.User), kit.FontLabel, kit.RoleAccent).Lines(1), kit.NewText(when, kit.FontTiny, kit.RoleMuted).Lines(1))
	head.MinFlex = 80
	sought := find.New(f.by)
	said := kit.NewText(excerptOf(soughtIn(item), sought), kit.FontBody, kit.RoleText).Lines(3)
	said.Mark(sought.Spans(said.Text))
	return kit.NewTile(kit.NewColumn(1, head, said), func() {
		f.overlay.Close()
		f.page.lead(item.Offset)
	})
}

// soughtIn is what a search looks for a text in.
func soughtIn(item session.Item) string {
	if item.Text == "" {
		return conversation.Said(item)
	}
	if item.File == nil {
		return item.Text
	}
	return item.Text + " · " + conversation.FileLabel(item.File)
}

// around is how many characters of a message stand before a hit.
const around = 40

// excerptOf is a part of a message in which a text that was searched for can be seen.
func excerptOf(message string, sought *find.Text) string {
	body := text.OneLine(message)
	spans := sought.Spans(body)
	if len(spans) == 0 {
		return body
	}
	before := []rune(body[:spans[0][0]])
	if len(before) <= around {
		return body
	}
	from := len(before) - around
	for i := from; i < len(before); i++ { // at the beginning of a word, if there is one
		if unicode.IsSpace(before[i]) {
			from = i + 1
			break
		}
	}
	return "…" + text.EndOf(body, len(string(before[:from])))
}

// questionProblem says why a question has no answer.
func questionProblem(err error) string {
	if errors.Is(err, session.ErrGone) {
		return lang.T("failed.not_found")
	}
	return lang.T("find.refused")
}
