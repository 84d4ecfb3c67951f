package ui

import (
	"context"
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// typingPause is how long the server's field rests before it is asked.
const typingPause = 400 * time.Millisecond

// emulatorHost is the computer that runs an Android emulator, seen from inside.
const emulatorHost = "10.0.2.2:8000"

// landingPage asks for a name and a server, and says whether the server answers.
type landingPage struct {
	client  *client
	root    fyne.CanvasObject
	logo    *kit.Row    // above the app's name
	aside   fyne.Widget // the same next to it, in a low window
	name    *kit.Field
	server  *kit.Field
	nearby  *nearby
	state   *serverState
	stop    context.CancelFunc // of the question that runs
	leave   context.CancelFunc // of what goes on while the page is on the screen
	trouble error              // why the server is not what it should be, or does not answer
	wrong   bool               // what was filled in, when the person wanted to go on
	misled  bool               // a pasted link names another certificate than the server is known by
}

// linkMisleads offers nothing to trust: only a server's own certificate is compared.
var linkMisleads = &session.Problem{Cause: session.CauseLinkWords}

func newLandingPage(c *client) *landingPage {
	p := &landingPage{client: c, state: newServerState()}
	p.name = kit.NewField(lang.T("landing.name"), lang.T("landing.name.hint"), c.shortcut)
	p.server = kit.NewField(lang.T("landing.server"), "192.168.1.5:8000", c.shortcut)
	p.name.Entry.SetText(c.prefs.name())
	p.name.Entry.OnChanged = func(string) { p.look() }
	p.name.Entry.OnSubmitted = func(string) { c.window.Canvas().Focus(p.server.Entry) }
	p.server.Entry.OnSubmitted = func(string) { p.submit() }
	p.nearby = newNearby(c, p.choose)

	p.logo, p.aside = kit.NewRow(0, 1, kit.NewLogo(72), kit.NewColumn(0)), kit.NewLogo(56)
	head := kit.NewRow(4*kit.Unit, 1, p.aside, kit.NewColumn(kit.Unit,
		kit.NewText("Parley", kit.FontHeading, kit.RoleText), kit.NewText(lang.T("landing.tagline"), kit.FontBody, kit.RoleMuted)))
	// What is said stands below the button, which it must not move away under a
	// finger.
	form := kit.NewColumn(4*kit.Unit, p.logo, head, p.name, p.nearby.column, p.server,
		kit.NewColumn(3*kit.Unit, kit.NewPrimary(lang.T("landing.go"), p.submit), p.state))
	settings := kit.NewRow(0, 0, kit.NewColumn(0), kit.NewIconButton("settings", func() { c.ways.showSettings() })).Padded(kit.Sides(kit.Unit+2, 2*kit.Unit, 0, 0))
	body := kit.NewColumn(0, settings, kit.NewColumn(0, form).Limited(400).Padded(kit.Sides(16*kit.Unit-kit.Touch-kit.Unit-2, 6*kit.Unit, 6*kit.Unit, 6*kit.Unit)))
	root := kit.NewFilled(0, kit.Over(kit.NewFill(func(p *kit.Palette) color.NRGBA { return p.Ground }), kit.NewScroller(body)))
	root.Sized = p.squeeze
	p.root = root
	p.state.told = p.root.Refresh
	p.nearby.told = p.root.Refresh
	return p
}

// lowHeight is the height under which a window has no room for the logo above the app's
// name, a server nearby, and what the server answers.
const lowHeight = 670

// squeeze puts the logo into its place. On a phone that is the same with the keyboard up.
func (p *landingPage) squeeze(size fyne.Size) {
	if low := !kit.IsPhone() && size.Height < lowHeight; low {
		p.logo.Hide()
		p.aside.Show()
	} else {
		p.logo.Show()
		p.aside.Hide()
	}
}

func (p *landingPage) object() fyne.CanvasObject { return p.root }
func (p *landingPage) title() string             { return "" }

func (p *landingPage) entered() {
	p.server.Entry.OnChanged = nil
	if p.server.Entry.Text == "" {
		p.server.Entry.SetText(p.firstServer())
	}
	p.server.Entry.OnChanged = func(string) { p.ask(typingPause) }
	if p.server.Entry.Text != "" {
		p.ask(0)
	}
	ctx, cancel := context.WithCancel(p.client.bridge.Context)
	p.leave = cancel
	p.client.bridge.Every(ctx, againInterval, p.again)
	p.nearby.begin(false)
}

// againInterval is the time after which a server that does not answer is asked again.
const againInterval = 5 * time.Second

// again asks a server that did not answer, without a word until it does.
func (p *landingPage) again() {
	if base, _, err := session.ParseServer(p.server.Entry.Text); err == nil && p.trouble != nil && otherCertificate(p.trouble) == "" {
		p.question(base, 0)
	}
}

func (p *landingPage) focus() { p.client.window.Canvas().Focus(p.name.Entry) }

func (p *landingPage) left() { p.cancel(); p.leave(); p.nearby.end() }

// shown searches while a phone's app is in front, and not in the background.
func (p *landingPage) shown(on bool) {
	if on {
		p.nearby.begin(false)
	} else {
		p.nearby.end()
	}
}

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
	if !kit.IsPhone() {
		return "localhost:8000"
	}
	p.client.bridge.Run(p.client.bridge.Context, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if _, err := p.client.net.probe(ctx, "http://"+emulatorHost, p.client.pins); err != nil {
			return nil
		}
		return func() {
			if p.server.Entry.Text == "" {
				p.server.Entry.SetText(emulatorHost)
			}
		}
	})
	return ""
}

// ask finds out what is at the typed address, after a pause.
func (p *landingPage) ask(pause time.Duration) {
	p.cancel()
	p.look()
	typed := p.server.Entry.Text
	if strings.TrimSpace(typed) == "" {
		p.state.nothing()
		return
	}
	link, err := session.ParseLink(typed)
	if err != nil {
		p.trouble, p.misled = nil, false
		p.state.failed(err)
		return
	}
	p.trouble = nil
	p.misled = link.Words != "" && !p.client.pins.Expect(link.Base(), link.Words)
	p.state.asking()
	p.question(link.Base(), pause)
}

// question finds out what is at an address, after a pause.
func (p *landingPage) question(base string, pause time.Duration) {
	p.cancel()
	ctx, cancel := context.WithCancel(p.client.bridge.Context)
	p.stop = cancel
	p.client.bridge.Run(ctx, func(ctx context.Context) func() {
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
			switch {
			case err != nil:
				p.state.failed(err)
			case p.misled:
				p.state.failed(linkMisleads)
			default:
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
	name := strings.TrimSpace(p.name.Entry.Text)
	link, _ := session.ParseLink(p.server.Entry.Text) // look has found no problem
	base := link.Base()
	if words := otherCertificate(p.trouble); words != "" {
		showCertificate(c, base, words, func() { p.ask(0) })
		return
	}
	if p.misled {
		p.state.failed(linkMisleads)
		return
	}
	if c.prefs.server() != base || c.prefs.name() != name {
		c.leaveAll()
	}
	c.setProfile(name, base)
	if link.Key != "" || link.HostKey != "" { // no secret stays in the field
		p.server.Entry.OnChanged = nil
		p.server.Entry.SetText(session.Typed(base))
	}
	c.ways.showRooms(link.Room, opening{key: link.Key, hostKey: link.HostKey})
}

// choose goes on to a server of the list, by the name that is filled in.
func (p *landingPage) choose(base string) {
	p.server.Entry.OnChanged = nil
	p.server.Entry.SetText(session.Typed(base))
	p.server.Entry.OnChanged = func(string) { p.ask(typingPause) }
	p.ask(0)
	if nameProblem(strings.TrimSpace(p.name.Entry.Text)) != "" {
		p.focus()
	}
	p.submit()
}

// problem is what is wrong with what was filled in, or "".
func (p *landingPage) problem() string {
	if sentence := nameProblem(strings.TrimSpace(p.name.Entry.Text)); sentence != "" {
		return sentence
	}
	if _, _, err := session.ParseServer(p.server.Entry.Text); err != nil {
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
