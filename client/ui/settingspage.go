package ui

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
)

// textSizes are the sizes on offer, in percent.
var textSizes = []int{100, 125, 150, 175, 200}

// settingsPage changes the name, the text's size, the look, the language and
// the server.
type settingsPage struct {
	client  *client
	root    *filled
	name    *field
	problem *textBlock
}

// showSettings puts the settings above the page that is on top.
func (c *client) showSettings() {
	if _, shown := c.nav.top().(*settingsPage); !shown {
		c.nav.push(func() page { return newSettingsPage(c) })
	}
}

func newSettingsPage(c *client) *settingsPage {
	p := &settingsPage{client: c, name: newField("", tr("landing.name.hint"), c.shortcut), problem: newText("", fontSmall, roleError)}
	p.problem.Hide()
	p.name.entry.SetText(c.prefs.name())
	p.name.entry.OnChanged = func(s string) { p.complain(nameProblem(s)) }
	p.name.entry.OnSubmitted = func(string) { p.rename() }

	header := newHeader(newIconButton("back", func() { c.back(false) }),
		newText(tr("settings.title"), fontTitle, roleText).lines(1), nil)
	body := newColumn(3*unit,
		group(tr("settings.name"), p.name, p.problem),
		group(tr("settings.size"), newChoice(textSizes, func(v int) string { return fmt.Sprint(v) + " %" }, c.prefs.percent(), p.setSize)),
		group(tr("settings.look"), newChoice([]look{lookSystem, lookLight, lookDark}, lookName, c.prefs.look(), p.setLook)),
		group(tr("settings.motion"), newChoice([]bool{false, true}, motionName, c.prefs.still(), p.setStill)),
		group(tr("settings.language"), newChoice(languageCodes(), languageName, c.prefs.language(), p.setLanguage)),
		group(tr("settings.server"), newText(hostOf(c.prefs.server()), fontBody, roleText), newSecondary(tr("settings.server.change"), p.changeServer)),
		newText(tr("settings.version", "version", version(c.app)), fontSmall, roleMuted).centered(),
	).padded(insets{4 * unit, 3 * unit, 6 * unit, 3 * unit}).limited(560)
	p.root = newFilled(1, header, over(newFill(func(p *palette) color.NRGBA { return p.Ground }), newScroller(body)))
	p.root.sized = yields(header)
	return p
}

// group is a card of settings under a label.
func group(label string, objects ...fyne.CanvasObject) fyne.CanvasObject {
	return newCard(newColumn(3*unit, append([]fyne.CanvasObject{newText(label, fontLabel, roleMuted)}, objects...)...), around(4*unit))
}

func (p *settingsPage) object() fyne.CanvasObject { return p.root }
func (p *settingsPage) title() string             { return tr("settings.title") }
func (p *settingsPage) entered()                  {}
func (p *settingsPage) focus()                    {}
func (p *settingsPage) left()                     { p.rename() }

func (p *settingsPage) complain(problem string) {
	p.problem.setText(problem)
	p.problem.Hidden = problem == ""
	p.root.Refresh()
}

// rename takes the name in the field, here and in all open rooms.
func (p *settingsPage) rename() {
	name := strings.TrimSpace(p.name.entry.Text)
	if name == p.client.prefs.name() || nameProblem(name) != "" {
		return
	}
	p.client.setProfile(name, p.client.prefs.server())
	for _, conv := range p.client.open {
		conv.room.Rename(name)
	}
}

func (p *settingsPage) setSize(percent int) {
	p.rename()
	p.client.prefs.setPercent(percent)
	p.client.restyle(true)
}

func (p *settingsPage) setLook(l look) {
	p.rename()
	p.client.prefs.setLook(l)
	p.client.restyle(true)
}

func (p *settingsPage) setStill(still bool) {
	p.rename()
	p.client.prefs.setStill(still)
	p.client.restyle(true)
}

func motionName(still bool) string {
	if still {
		return tr("motion.less")
	}
	return tr("motion.system")
}

func (p *settingsPage) setLanguage(code string) {
	p.rename()
	p.client.prefs.setLanguage(code)
	if err := useLanguage(code); err != nil {
		fyne.LogError("The language is not known", err)
	}
	p.client.restyle(true)
}

// changeServer leaves all rooms and goes back to the first page.
func (p *settingsPage) changeServer() {
	c := p.client
	p.rename()
	c.leaveAll()
	c.nav.reset(func() page { return newLandingPage(c) })
}

func lookName(l look) string {
	switch l {
	case lookLight:
		return tr("look.light")
	case lookDark:
		return tr("look.dark")
	}
	return tr("look.system")
}

func languageCodes() []string {
	codes := []string{""}
	for _, l := range languages {
		codes = append(codes, l.Code)
	}
	return codes
}

func languageName(code string) string {
	for _, l := range languages {
		if l.Code == code {
			return l.Name
		}
	}
	return tr("language.system")
}

func version(app fyne.App) string {
	if v := app.Metadata().Version; v != "" {
		return v
	}
	return "dev"
}
