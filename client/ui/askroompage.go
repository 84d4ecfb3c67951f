package ui

import (
	"context"
	"fmt"
	"image/color"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// roomsInterval is the time between two questions for the server's active rooms while
// the page is on the screen.
const roomsInterval = 10 * time.Second

// askRoomPage asks for a room: by name, one of the person's own, or one with
// people in it.
type askRoomPage struct {
	client  *client
	root    *kit.Filled
	sub     *kit.Text
	room    *kit.Entry
	problem *kit.Text
	rooms   *kit.Column
	active  []session.RoomInfo
	recent  []store.Recent
	trouble error  // why the server does not answer
	asked   bool   // it has answered, or failed to
	answer  string // what it said last
	stop    context.CancelFunc
}

func newAskRoomPage(c *client) *askRoomPage {
	p := &askRoomPage{client: c, rooms: kit.NewColumn(0)}
	p.sub = kit.NewText(hostOf(c.prefs.server()), kit.FontSmall, kit.RoleMuted).Lines(1)
	p.room = kit.NewEntry(lang.T("rooms.name"), c.shortcut)
	p.room.OnSubmitted = func(string) { p.join() }
	p.room.OnChanged = func(string) { p.complain("") }
	p.problem = kit.NewText("", kit.FontSmall, kit.RoleError)
	p.problem.Hide()
	var back fyne.CanvasObject
	if !kit.IsPhone() { // there the rooms are what the app begins with, and the settings lead to another server
		back = kit.NewIconButton("back", func() { c.ways.back(false) })
	}
	header := kit.NewHeader(back,
		kit.NewTitle(kit.NewText(lang.T("rooms.title"), kit.FontTitle, kit.RoleText).Lines(2), p.sub),
		kit.NewIconButton("settings", func() { c.ways.showSettings() }))
	line := kit.NewRow(2*kit.Unit, 0, kit.NewEntryBox(p.room), kit.NewPrimary(lang.T("rooms.join"), p.join),
		kit.NewIconButton("lock", func() { showLock(c, strings.TrimSpace(p.room.Text)) }))
	line.MinFlex = 140
	ask := kit.NewColumn(kit.Unit, line, p.problem).
		Padded(kit.Sides(0, kit.Unit, kit.Unit, kit.Unit))
	body := kit.NewColumn(0, ask, p.rooms).Padded(kit.Sides(4*kit.Unit, 3*kit.Unit, 4*kit.Unit, 3*kit.Unit)).Limited(560)
	p.root = kit.NewFilled(1, header, kit.Over(kit.NewFill(func(p *kit.Palette) color.NRGBA { return p.Ground }), kit.NewScroller(body)))
	p.root.Sized = yields(header)
	p.list()
	return p
}

// isMain makes the page stand next to a room in a wide window.
func (p *askRoomPage) isMain() {}

func (p *askRoomPage) object() fyne.CanvasObject { return p.root }
func (p *askRoomPage) title() string             { return lang.T("rooms.title") }

func (p *askRoomPage) entered() {
	ctx, cancel := context.WithCancel(p.client.bridge.Context)
	p.stop, p.answer = cancel, ""
	p.ask(ctx)
	p.client.bridge.Every(ctx, roomsInterval, func() { p.ask(ctx) })
	p.remember()
}

// remember reads earlier rooms from the store, and draws the list again.
func (p *askRoomPage) remember() {
	p.recent = p.client.recent()
	p.list()
}

func (p *askRoomPage) focus() { p.client.window.Canvas().Focus(p.room) }

func (p *askRoomPage) left() { p.stop() }

func (p *askRoomPage) input() input { return p.room }

func (p *askRoomPage) listed() (rooms []string) {
	for _, r := range p.recent {
		rooms = append(rooms, r.Room)
	}
	for _, r := range p.active {
		rooms = append(rooms, r.Name)
	}
	return rooms
}

// ask gets the active rooms.
func (p *askRoomPage) ask(ctx context.Context) {
	base := p.client.prefs.server()
	p.client.bridge.Run(ctx, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		rooms, err := p.client.net.rooms(ctx, base, p.client.pins)
		answer := fmt.Sprint(rooms, err, p.client.clock().Truncate(time.Minute)) // ages are shown in minutes
		return func() {
			if answer == p.answer {
				return // nobody uses the app, and it draws nothing
			}
			if p.answer != "" { // else one has just come, and finds the server's order
				rooms = keepOrder(p.active, rooms)
			}
			p.answer = answer
			p.asked, p.trouble = true, err
			if err == nil {
				p.active = rooms
			}
			p.list()
		}
	})
}

func (p *askRoomPage) join() {
	name := strings.TrimSpace(p.room.Text)
	if problem := roomProblem(name); problem != "" {
		p.complain(problem)
		return
	}
	p.room.SetText("")
	p.client.ways.enter(name)
}

func (p *askRoomPage) complain(sentence string) {
	if sentence == p.problem.Text {
		return
	}
	p.problem.SetText(sentence)
	p.problem.Hidden = sentence == ""
	p.root.Refresh()
}

// list draws the rooms: the person's own, then the others with people in them,
// then those in which something was said.
func (p *askRoomPage) list() {
	mine, lively, quiet := gather(p.client, p.active, p.recent)
	var objects []fyne.CanvasObject
	warn := func(sentence string) {
		notice := kit.NewNotice(kit.NewText(sentence, kit.FontSmall, kit.RoleWarning), func(p *kit.Palette) color.NRGBA { return p.WarningSoft })
		objects = append(objects, kit.NewColumn(0, notice).Padded(kit.Sides(2*kit.Unit, kit.Unit, 0, kit.Unit)))
	}
	if p.client.storeProblem != "" {
		warn(lang.T("store." + p.client.storeProblem))
	}
	tap := func(sentence string, do func()) {
		t := kit.NewTile(kit.NewText(sentence, kit.FontSmall, kit.RoleWarning), do)
		t.Ground = func(p *kit.Palette) color.NRGBA { return p.WarningSoft }
		t.Hover = t.Ground
		objects = append(objects, kit.NewColumn(0, t).Padded(kit.Sides(2*kit.Unit, kit.Unit, 0, kit.Unit)))
	}
	switch words, moved := otherCertificate(p.trouble), p.client.offerSentence(); {
	case moved != "":
		tap(moved, func() { askToMove(p.client) })
	case words != "":
		tap(causeSentence(session.CauseCertChanged)+" "+lang.T("banner.cert"), func() {
			showCertificate(p.client, p.client.prefs.server(), words, func() { p.left(); p.entered() })
		})
	case p.trouble != nil:
		warn(causeSentence(causeOf(p.trouble)))
	}
	objects = append(objects, p.section(lang.T("rooms.mine"), mine)...)
	objects = append(objects, p.section(lang.T("rooms.active"), lively)...)
	objects = append(objects, p.section(lang.T("rooms.quiet"), quiet)...)
	if len(mine)+len(lively)+len(quiet) == 0 && p.asked && p.trouble == nil {
		first := lang.T("rooms.first")
		objects = append(objects, kit.NewColumn(4*kit.Unit, kit.NewColumn(2*kit.Unit,
			kit.NewText("👋", kit.Font{Size: 40}, kit.RoleText).Centered(),
			kit.NewText(lang.T("rooms.none"), kit.FontBody, kit.RoleMuted).Centered()),
			kit.NewPrimary(lang.T("switcher.open", "room", first), func() { p.client.ways.enter(first) })).Padded(kit.Sides(12*kit.Unit, 4*kit.Unit, 0, 4*kit.Unit)))
	}
	p.rooms.Set(objects...)
	p.root.Refresh()
}

func (p *askRoomPage) section(label string, lines []roomLine) []fyne.CanvasObject {
	if len(lines) == 0 {
		return nil
	}
	list := kit.NewColumn(0)
	for _, l := range lines {
		list.Objects = append(list.Objects, p.tile(l))
	}
	return []fyne.CanvasObject{kit.NewSection(label), kit.NewCard(list, kit.Around(kit.Unit))}
}

func (p *askRoomPage) tile(l roomLine) fyne.CanvasObject {
	title := kit.NewText(l.name, kit.FontStrong, kit.RoleText).Lines(2)
	sub := kit.NewText(l.sub, kit.FontSmall, kit.RoleMuted).Lines(1)
	end := kit.NewColumn(kit.Unit)
	if l.locked {
		end.Objects = append(end.Objects, kit.NewPicture("lock", kit.RoleMuted, 16))
	}
	if !l.when.IsZero() {
		end.Objects = append(end.Objects, kit.NewText(p.client.clock.Short(l.when), kit.FontTiny, kit.RoleMuted))
	}
	if l.unread > 0 {
		sub.Role = kit.RoleText
		end.Objects = append(end.Objects, kit.NewBadge(badgeNumber(l.unread)))
	}
	if l.draft {
		sub.Role = kit.RoleAccent
	}
	line := kit.NewRow(3*kit.Unit, 1, kit.NewRoomAvatar(l.name, kit.Touch), kit.NewColumn(2, title, sub), end)
	if kit.TextScale() > kit.LargeText {
		line = kit.NewRow(3*kit.Unit, 0, line.Objects[1:]...)
	}
	t := kit.NewTile(line, func() { p.client.ways.enter(l.name) })
	t.Inset = kit.Sides(2*kit.Unit, 3*kit.Unit, 2*kit.Unit, 2*kit.Unit)
	if l.current && p.client.nav.split() {
		t.Ground = func(p *kit.Palette) color.NRGBA { return p.AccentSoft }
		t.Hover = t.Ground
	}
	if l.mine {
		t.OnMenu = func(at fyne.Position) { p.menu(l, at) }
	}
	return t
}

// menu takes a room off the list.
func (p *askRoomPage) menu(l roomLine, at fyne.Position) {
	a := kit.Action{Icon: "trash", Label: lang.T("rooms.forget"), Danger: true, Do: func() { askToLeave(p.client, l.name) }}
	if l.conv != nil {
		a.Icon, a.Label = "leave", lang.T("room.leave")
	}
	kit.ShowMenu(p.client.window.Canvas(), at, 0, nil, a)
}

func badgeNumber(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}
