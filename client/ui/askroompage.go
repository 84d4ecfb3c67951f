package ui

import (
	"context"
	"fmt"
	"image/color"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
)

// roomsInterval is how often the server is asked for its active rooms while
// the page is on the screen.
const roomsInterval = 10 * time.Second

// askRoomPage asks for a room: by name, one of the person's own, or one with
// people in it.
type askRoomPage struct {
	client  *client
	root    *filled
	sub     *textBlock
	room    *entry
	problem *textBlock
	rooms   *column
	active  []session.RoomInfo
	recent  []store.Recent
	trouble error  // why the server does not answer
	asked   bool   // it has answered, or failed to
	answer  string // what it said last
	stop    context.CancelFunc
}

func newAskRoomPage(c *client) *askRoomPage {
	p := &askRoomPage{client: c, rooms: newColumn(0)}
	p.sub = newText(hostOf(c.prefs.server()), fontSmall, roleMuted).lines(1)
	p.room = newEntry(tr("rooms.name"), c.shortcut)
	p.room.OnSubmitted = func(string) { p.join() }
	p.room.OnChanged = func(string) { p.complain("") }
	p.problem = newText("", fontSmall, roleError)
	p.problem.Hide()
	var back fyne.CanvasObject
	if !isPhone() { // there the rooms are what the app begins with, and the settings lead to another server
		back = newIconButton("back", func() { c.back(false) })
	}
	header := newHeader(back,
		newTitle(newText(tr("rooms.title"), fontTitle, roleText).lines(2), p.sub),
		newIconButton("settings", c.showSettings))
	line := newHRow(2*unit, 0, newEntryBox(p.room), newPrimary(tr("rooms.join"), p.join),
		newIconButton("lock", func() { c.showLock(strings.TrimSpace(p.room.Text)) }))
	line.minFlex = 140
	ask := newColumn(unit, line, p.problem).
		padded(insets{0, unit, unit, unit})
	body := newColumn(0, ask, p.rooms).padded(insets{4 * unit, 3 * unit, 4 * unit, 3 * unit}).limited(560)
	p.root = newFilled(1, header, over(newFill(func(p *palette) color.NRGBA { return p.Ground }), newScroller(body)))
	p.root.sized = yields(header)
	p.list()
	return p
}

// isMain makes the page stand beside a room in a wide window.
func (p *askRoomPage) isMain() {}

func (p *askRoomPage) object() fyne.CanvasObject { return p.root }
func (p *askRoomPage) title() string             { return tr("rooms.title") }

func (p *askRoomPage) entered() {
	ctx, cancel := context.WithCancel(p.client.bridge.ctx)
	p.stop, p.answer = cancel, ""
	p.ask(ctx)
	p.client.bridge.every(ctx, roomsInterval, func() { p.ask(ctx) })
	p.remember()
}

// remember reads the rooms of earlier from the store, and lists all anew.
func (p *askRoomPage) remember() {
	p.recent = p.client.recent()
	p.list()
}

func (p *askRoomPage) focus() { p.client.window.Canvas().Focus(p.room) }

func (p *askRoomPage) left() { p.stop() }

// ask gets the active rooms.
func (p *askRoomPage) ask(ctx context.Context) {
	base := p.client.prefs.server()
	p.client.bridge.run(ctx, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		rooms, err := p.client.net.rooms(ctx, base, p.client.pins)
		answer := fmt.Sprint(rooms, err, now().Truncate(time.Minute)) // ages are told in minutes
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
	p.client.enter(name)
}

func (p *askRoomPage) complain(sentence string) {
	if sentence == p.problem.text {
		return
	}
	p.problem.setText(sentence)
	p.problem.Hidden = sentence == ""
	p.root.Refresh()
}

// list draws the rooms: the person's own, then the others with people in them,
// then those in which something was said.
func (p *askRoomPage) list() {
	mine, lively, quiet := p.gather()
	var objects []fyne.CanvasObject
	warn := func(sentence string) {
		notice := newNotice(newText(sentence, fontSmall, roleWarning), func(p *palette) color.NRGBA { return p.WarningSoft })
		objects = append(objects, newColumn(0, notice).padded(insets{2 * unit, unit, 0, unit}))
	}
	if p.client.storeProblem != "" {
		warn(tr("store." + p.client.storeProblem))
	}
	if words := otherCertificate(p.trouble); words != "" {
		t := newTile(newText(causeSentence(session.CauseCertChanged)+" "+tr("banner.cert"), fontSmall, roleWarning), func() {
			p.client.showCertificate(p.client.prefs.server(), words, func() { p.left(); p.entered() })
		})
		t.ground = func(p *palette) color.NRGBA { return p.WarningSoft }
		t.hover = t.ground
		objects = append(objects, newColumn(0, t).padded(insets{2 * unit, unit, 0, unit}))
	} else if p.trouble != nil {
		warn(causeSentence(causeOf(p.trouble)))
	}
	objects = append(objects, p.section(tr("rooms.mine"), mine)...)
	objects = append(objects, p.section(tr("rooms.active"), lively)...)
	objects = append(objects, p.section(tr("rooms.quiet"), quiet)...)
	if len(mine)+len(lively)+len(quiet) == 0 && p.asked && p.trouble == nil {
		first := tr("rooms.first")
		objects = append(objects, newColumn(4*unit, newColumn(2*unit,
			newText("👋", font{size: 40}, roleText).centered(),
			newText(tr("rooms.none"), fontBody, roleMuted).centered()),
			newPrimary(tr("switcher.open", "room", first), func() { p.client.enter(first) })).padded(insets{12 * unit, 4 * unit, 0, 4 * unit}))
	}
	p.rooms.set(objects...)
	p.root.Refresh()
}

func (p *askRoomPage) section(label string, lines []roomLine) []fyne.CanvasObject {
	if len(lines) == 0 {
		return nil
	}
	list := newColumn(0)
	for _, l := range lines {
		list.objects = append(list.objects, p.tile(l))
	}
	return []fyne.CanvasObject{newSection(label), newCard(list, around(unit))}
}

func (p *askRoomPage) tile(l roomLine) fyne.CanvasObject {
	title := newText(l.name, fontStrong, roleText).lines(2)
	sub := newText(l.sub, fontSmall, roleMuted).lines(1)
	end := newColumn(unit)
	if l.locked {
		end.objects = append(end.objects, newPicture("lock", roleMuted, 16))
	}
	if !l.when.IsZero() {
		end.objects = append(end.objects, newText(shortTime(l.when), fontTiny, roleMuted))
	}
	if l.unread > 0 {
		sub.role = roleText
		end.objects = append(end.objects, newBadge(badgeNumber(l.unread)))
	}
	if l.draft {
		sub.role = roleAccent
	}
	line := newHRow(3*unit, 1, newRoomAvatar(l.name, touch), newColumn(2, title, sub), end)
	if textScale() > largeText {
		line = newHRow(3*unit, 0, line.objects[1:]...)
	}
	t := newTile(line, func() { p.client.enter(l.name) })
	t.inset = insets{2 * unit, 3 * unit, 2 * unit, 2 * unit}
	if l.current && p.client.nav.split() {
		t.ground = func(p *palette) color.NRGBA { return p.AccentSoft }
		t.hover = t.ground
	}
	if l.mine {
		t.onMenu = func(at fyne.Position) { p.menu(l, at) }
	}
	return t
}

// menu takes a room off the list.
func (p *askRoomPage) menu(l roomLine, at fyne.Position) {
	a := action{icon: "trash", label: tr("rooms.forget"), danger: true, do: func() { p.client.askToLeave(l.name) }}
	if l.conv != nil {
		a.icon, a.label = "leave", tr("room.leave")
	}
	showMenu(p.client.window.Canvas(), at, 0, a)
}

func badgeNumber(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}

// hostOf is a server's address as people say it.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return base
	}
	return u.Host
}
