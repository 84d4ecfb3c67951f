package ui

import (
	"context"
	"errors"
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/text"
)

// typingPause is how long the server's field rests before it is asked.
const typingPause = 400 * time.Millisecond

// emulatorHost is the computer that runs an Android emulator, seen from inside.
const emulatorHost = "10.0.2.2:8000"

// landingPage asks for a name and a server, and says whether the server answers.
type landingPage struct {
	client  *client
	root    fyne.CanvasObject
	name    *field
	server  *field
	state   *serverState
	problem *textBlock
	stop    context.CancelFunc // of the question that runs
	trouble error              // why the server is not what it should be, or does not answer
	room    string             // of a pasted link
}

func newLandingPage(c *client) *landingPage {
	p := &landingPage{client: c, state: newServerState()}
	p.name = newField(tr("landing.name"), tr("landing.name.hint"), c.shortcut)
	p.server = newField(tr("landing.server"), "192.168.1.5:8000", c.shortcut)
	p.problem = newText("", fontSmall, roleError)
	p.problem.Hide()
	p.name.entry.SetText(c.prefs.name())
	p.name.entry.OnSubmitted = func(string) { c.window.Canvas().Focus(p.server.entry) }
	p.server.entry.OnSubmitted = func(string) { p.submit() }

	logo := newHRow(0, 1, newLogo(72), newColumn(0))
	head := newColumn(unit, newText("Parley", fontHeading, roleText), newText(tr("landing.tagline"), fontBody, roleMuted))
	form := newColumn(4*unit, logo, head, p.name,
		newColumn(2*unit, p.server, p.state), p.problem,
		newPrimary(tr("landing.go"), p.submit))
	body := newColumn(0, form).limited(400).padded(insets{16 * unit, 6 * unit, 6 * unit, 6 * unit})
	settings := newHRow(0, 0, newColumn(0), newIconButton("settings", func() {
		c.nav.push(func() page { return newSettingsPage(c) })
	})).padded(insets{unit + 2, 2 * unit, 0, 0})
	p.root = over(newFill(func(p *palette) color.NRGBA { return p.Ground }), newScroller(body), newFilled(1, settings))
	p.state.told = p.root.Refresh
	return p
}

func (p *landingPage) object() fyne.CanvasObject { return p.root }
func (p *landingPage) title() string             { return "" }

func (p *landingPage) entered() {
	p.server.entry.OnChanged = nil
	if p.server.entry.Text == "" {
		p.server.entry.SetText(p.firstServer())
	}
	p.server.entry.OnChanged = func(string) { p.ask(typingPause) }
	if p.server.entry.Text != "" {
		p.ask(0)
	}
}

func (p *landingPage) focus() { p.client.window.Canvas().Focus(p.name.entry) }

func (p *landingPage) left() { p.cancel() }

func (p *landingPage) cancel() {
	if p.stop != nil {
		p.stop()
		p.stop = nil
	}
}

// firstServer is what the field holds before anything is typed: the last
// server, or this computer. On a phone the emulator's computer is tried, and
// shown only when it answers.
func (p *landingPage) firstServer() string {
	if s := p.client.prefs.server(); s != "" {
		return strings.TrimPrefix(s, "http://")
	}
	if !isPhone() {
		return "localhost:8000"
	}
	p.client.bridge.run(p.client.bridge.ctx, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := p.client.net.probe(ctx, "http://"+emulatorHost, p.client.pins); err != nil {
			return nil
		}
		return func() {
			if p.server.entry.Text == "" {
				p.server.entry.SetText(emulatorHost)
			}
		}
	})
	return ""
}

// ask finds out what is at the typed address, after a pause.
func (p *landingPage) ask(pause time.Duration) {
	p.cancel()
	p.problem.Hide()
	typed := p.server.entry.Text
	if strings.TrimSpace(typed) == "" {
		p.state.nothing()
		return
	}
	base, room, err := session.ParseServer(typed)
	if err != nil {
		p.state.failed(err)
		return
	}
	p.room = room
	p.trouble = nil
	if words := session.LinkWords(typed); words != "" && !p.client.pins.Expect(base, words) {
		p.trouble = &session.Problem{Cause: session.CauseCertChanged, Detail: words}
		p.state.failed(p.trouble)
		return
	}
	p.state.asking()
	ctx, cancel := context.WithCancel(p.client.bridge.ctx)
	p.stop = cancel
	p.client.bridge.run(ctx, func(ctx context.Context) func() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		limited, done := context.WithTimeout(ctx, 5*time.Second)
		defer done()
		info, err := p.client.net.probe(limited, base, p.client.pins)
		return func() {
			p.trouble = err
			if err != nil {
				p.state.failed(err)
			} else {
				p.state.found(info)
			}
		}
	})
}

// submit goes on to the rooms, or straight into the room of a pasted link.
func (p *landingPage) submit() {
	c := p.client
	name := strings.TrimSpace(p.name.entry.Text)
	if problem := nameProblem(name); problem != "" {
		p.fail(problem)
		return
	}
	base, room, err := session.ParseServer(p.server.entry.Text)
	if err != nil {
		p.fail(causeSentence(causeOf(err)))
		return
	}
	if words := otherCertificate(p.trouble); words != "" {
		c.showCertificate(base, words, func() { p.ask(0) })
		return
	}
	p.problem.Hide()
	if c.prefs.server() != base || c.prefs.name() != name {
		c.leaveAll()
	}
	c.setProfile(name, base)
	if len(c.open) == 0 {
		c.reopen()
	}
	c.nav.push(func() page { return newAskRoomPage(c) })
	if room != "" {
		c.enter(room)
	}
}

func (p *landingPage) fail(sentence string) {
	p.problem.setText(sentence)
	p.problem.Show()
	p.root.Refresh()
}

func causeOf(err error) session.Cause {
	if p := problemIn(err); p != nil {
		return p.Cause
	}
	return session.CauseLost
}

// problemIn is the problem that an error is, or nil.
func problemIn(err error) *session.Problem {
	var p *session.Problem
	errors.As(err, &p)
	return p
}

// serverState is the line under the server's field.
type serverState struct {
	widget.BaseWidget
	line *hrow
	icon *picture
	text *textBlock
	told func() // its height may have changed
}

func newServerState() *serverState {
	s := &serverState{icon: newPicture("clock", roleMuted, 16), text: newText("", fontSmall, roleMuted)}
	s.line = newHRow(2*unit, 1, s.icon, s.text)
	s.line.top = true
	s.line.Hide()
	s.ExtendBaseWidget(s)
	return s
}

// fit is one line at least, said or not: the button below must not move away
// under a finger when the server answers.
func (s *serverState) fit(width float32) float32 {
	return max(s.line.fit(width), fontSmall.lineHeight())
}
func (s *serverState) CreateRenderer() fyne.WidgetRenderer { return holding(s, s.line) }

func (s *serverState) show(icon, sentence string, r role) {
	s.icon.set(icon, r)
	s.text.role = r
	s.text.setText(sentence)
	s.line.Show()
	s.told()
}

func (s *serverState) nothing() { s.line.Hide(); s.told() }
func (s *serverState) asking()  { s.show("clock", tr("server.asking"), roleMuted) }

func (s *serverState) found(info session.ServerInfo) {
	name := text.OneLine(info.Name)
	if name == "" {
		name = "Parley"
	}
	sentence := tr("server.found", "name", name, "version", text.OneLine(info.Version), "people", plural("people", info.People))
	if info.Words != "" {
		sentence += "\n" + tr("server.words", "words", info.Words)
	}
	s.show("check", sentence, roleYes)
}

func (s *serverState) failed(err error) {
	s.show("warning", causeSentence(causeOf(err)), roleError)
}
