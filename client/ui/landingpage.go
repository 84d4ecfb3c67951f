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
	stop    context.CancelFunc // of the question that runs
	leave   context.CancelFunc // of what goes on while the page is on the screen
	trouble error              // why the server is not what it should be, or does not answer
	wrong   bool               // what was filled in, when the person wanted to go on
	room    string             // of a pasted link
}

func newLandingPage(c *client) *landingPage {
	p := &landingPage{client: c, state: newServerState()}
	p.name = newField(tr("landing.name"), tr("landing.name.hint"), c.shortcut)
	p.server = newField(tr("landing.server"), "192.168.1.5:8000", c.shortcut)
	p.name.entry.SetText(c.prefs.name())
	p.name.entry.OnChanged = func(string) { p.look() }
	p.name.entry.OnSubmitted = func(string) { c.window.Canvas().Focus(p.server.entry) }
	p.server.entry.OnSubmitted = func(string) { p.submit() }

	logo := newHRow(0, 1, newLogo(72), newColumn(0))
	head := newColumn(unit, newText("Parley", fontHeading, roleText), newText(tr("landing.tagline"), fontBody, roleMuted))
	// What is said stands below the button, which it must not move away under a
	// finger.
	form := newColumn(4*unit, logo, head, p.name, p.server,
		newColumn(3*unit, newPrimary(tr("landing.go"), p.submit), p.state))
	settings := newHRow(0, 0, newColumn(0), newIconButton("settings", c.showSettings)).padded(insets{unit + 2, 2 * unit, 0, 0})
	body := newColumn(0, settings, newColumn(0, form).limited(400).padded(insets{16*unit - touch - unit - 2, 6 * unit, 6 * unit, 6 * unit}))
	p.root = over(newFill(func(p *palette) color.NRGBA { return p.Ground }), newScroller(body))
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
	ctx, cancel := context.WithCancel(p.client.bridge.ctx)
	p.leave = cancel
	p.client.bridge.every(ctx, againInterval, p.again)
}

// againInterval is how often a server that does not answer is asked again.
const againInterval = 5 * time.Second

// again asks a server that did not answer, without a word until it does.
func (p *landingPage) again() {
	if base, _, err := session.ParseServer(p.server.entry.Text); err == nil && p.trouble != nil && otherCertificate(p.trouble) == "" {
		p.question(base, 0)
	}
}

func (p *landingPage) focus() { p.client.window.Canvas().Focus(p.name.entry) }

func (p *landingPage) left() { p.cancel(); p.leave() }

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
		return session.Typed(s)
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
	p.look()
	typed := p.server.entry.Text
	if strings.TrimSpace(typed) == "" {
		p.state.nothing()
		return
	}
	base, room, err := session.ParseServer(typed)
	if err != nil {
		p.trouble = nil
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
	p.question(base, pause)
}

// question finds out what is at an address, after a pause.
func (p *landingPage) question(base string, pause time.Duration) {
	p.cancel()
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
	p.wrong = true
	if p.look(); p.wrong {
		return
	}
	name := strings.TrimSpace(p.name.entry.Text)
	base, room, _ := session.ParseServer(p.server.entry.Text)
	if words := otherCertificate(p.trouble); words != "" {
		c.showCertificate(base, words, func() { p.ask(0) })
		return
	}
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

// problem is what is wrong with what was filled in, or "".
func (p *landingPage) problem() string {
	if sentence := nameProblem(strings.TrimSpace(p.name.entry.Text)); sentence != "" {
		return sentence
	}
	if _, _, err := session.ParseServer(p.server.entry.Text); err != nil {
		return causeSentence(causeOf(err))
	}
	return ""
}

// look says what was wrong, as long as it is.
func (p *landingPage) look() {
	sentence := ""
	if p.wrong {
		sentence = p.problem()
	}
	p.wrong = sentence != ""
	p.state.complain(sentence)
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

// serverState is the line under the button: what is wrong with what was filled
// in, or else what is known of the server.
type serverState struct {
	widget.BaseWidget
	line  *hrow
	icon  *picture
	text  *textBlock
	known finding
	wrong string
	told  func() // its height may have changed
}

// finding is a sentence with an icon.
type finding struct {
	icon, sentence string
	role           role
}

func newServerState() *serverState {
	s := &serverState{icon: newPicture("clock", roleMuted, 16), text: newText("", fontSmall, roleMuted)}
	s.line = newHRow(2*unit, 1, s.icon, s.text)
	s.line.top = true
	s.line.Hide()
	s.ExtendBaseWidget(s)
	return s
}

func (s *serverState) fit(width float32) float32           { return s.line.fit(width) }
func (s *serverState) CreateRenderer() fyne.WidgetRenderer { return holding(s, s.line) }

func (s *serverState) draw() {
	now := s.known
	if s.wrong != "" {
		now = finding{"warning", s.wrong, roleError}
	}
	s.line.Hidden = now.sentence == ""
	if now.sentence != "" {
		s.icon.set(now.icon, now.role)
		s.text.role = now.role
		s.text.setText(now.sentence)
	}
	s.told()
}

// complain says what is wrong, or "" that nothing is.
func (s *serverState) complain(sentence string) {
	if s.wrong != sentence {
		s.wrong = sentence
		s.draw()
	}
}

func (s *serverState) know(icon, sentence string, r role) {
	s.known = finding{icon, sentence, r}
	s.draw()
}

func (s *serverState) nothing() { s.know("", "", nil) }
func (s *serverState) asking()  { s.know("clock", tr("server.asking"), roleMuted) }

func (s *serverState) found(info session.ServerInfo) {
	name := text.OneLine(info.Name)
	if name == "" {
		name = "Parley"
	}
	sentence := tr("server.found", "name", name, "version", text.OneLine(info.Version), "people", plural("people", info.People))
	if info.Words != "" {
		sentence += "\n" + tr("server.words", "words", info.Words)
	}
	s.know("check", sentence, roleYes)
}

func (s *serverState) failed(err error) {
	s.know("warning", causeSentence(causeOf(err)), roleError)
}
