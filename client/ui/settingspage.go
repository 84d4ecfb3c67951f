package ui

import (
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// settingsPage changes the name, the text's size, the look, the language and
// the server.
type settingsPage struct {
	client  *client
	root    *kit.Filled
	name    *kit.Field
	problem *kit.Text
}

func newSettingsPage(c *client) *settingsPage {
	p := &settingsPage{client: c, name: kit.NewField("", lang.T("landing.name.hint"), c.shortcut), problem: kit.NewText("", kit.FontSmall, kit.RoleError)}
	p.problem.Hide()
	p.name.Entry.SetText(c.prefs.name())
	p.name.Entry.OnChanged = func(s string) { p.complain(nameProblem(s)) }
	p.name.Entry.OnSubmitted = func(string) { p.rename() }

	header := kit.NewHeader(kit.NewIconButton("back", func() { c.ways.back(false) }),
		kit.NewText(lang.T("settings.title"), kit.FontTitle, kit.RoleText).Lines(1), nil)
	body := kit.NewColumn(3*kit.Unit,
		group(lang.T("settings.name"), p.name, p.problem),
		group(lang.T("settings.size"), kit.NewChoice(textSizes, func(v int) string { return fmt.Sprint(v) + " %" }, c.prefs.percent(), p.setSize)),
		group(lang.T("settings.look"), kit.NewChoice([]kit.Look{kit.LookSystem, kit.LookLight, kit.LookDark}, lookName, c.prefs.look(), p.setLook)),
		group(lang.T("settings.motion"), kit.NewChoice([]bool{false, true}, motionName, c.prefs.still(), p.setStill)),
		group(lang.T("settings.language"), kit.NewChoice(languageCodes(), languageName, c.prefs.language(), p.setLanguage)),
		group(lang.T("settings.server"), kit.NewText(hostOf(c.prefs.server()), kit.FontBody, kit.RoleText), kit.NewSecondary(lang.T("settings.server.change"), p.changeServer)),
		kit.NewText(lang.T("settings.version", "version", version(c.app)), kit.FontSmall, kit.RoleMuted).Centered(),
	).Padded(kit.Sides(4*kit.Unit, 3*kit.Unit, 6*kit.Unit, 3*kit.Unit)).Limited(560)
	p.root = kit.NewFilled(1, header, kit.Over(kit.NewFill(func(p *kit.Palette) color.NRGBA { return p.Ground }), kit.NewScroller(body)))
	p.root.Sized = yields(header)
	return p
}

// group is a card of settings under a label.
func group(label string, objects ...fyne.CanvasObject) fyne.CanvasObject {
	return kit.NewCard(kit.NewColumn(3*kit.Unit, append([]fyne.CanvasObject{kit.NewText(label, kit.FontLabel, kit.RoleMuted)}, objects...)...), kit.Around(4*kit.Unit))
}

func (p *settingsPage) object() fyne.CanvasObject { return p.root }
func (p *settingsPage) title() string             { return lang.T("settings.title") }
func (p *settingsPage) entered()                  {}
func (p *settingsPage) focus()                    {}
func (p *settingsPage) left()                     { p.rename() }

func (p *settingsPage) complain(problem string) {
	p.problem.SetText(problem)
	p.problem.Hidden = problem == ""
	p.root.Refresh()
}

// rename takes the name in the field, here and in all open rooms.
func (p *settingsPage) rename() {
	name := strings.TrimSpace(p.name.Entry.Text)
	if name == p.client.prefs.name() || nameProblem(name) != "" {
		return
	}
	p.client.setProfile(name, p.client.prefs.server())
	for _, conv := range p.client.open {
		conv.Session.Rename(name)
	}
}

func (p *settingsPage) setSize(percent int) {
	p.rename()
	p.client.prefs.setPercent(percent)
	p.client.restyle()
}

func (p *settingsPage) setLook(l kit.Look) {
	p.rename()
	p.client.prefs.setLook(l)
	p.client.restyle()
}

func (p *settingsPage) setStill(still bool) {
	p.rename()
	p.client.prefs.setStill(still)
	p.client.restyle()
}

func motionName(still bool) string {
	if still {
		return lang.T("motion.less")
	}
	return lang.T("motion.system")
}

func (p *settingsPage) setLanguage(code string) {
	p.rename()
	p.client.prefs.setLanguage(code)
	if err := lang.Use(code); err != nil {
		fyne.LogError("The language is not known", err)
	}
	p.client.restyle()
}

func (p *settingsPage) changeServer() {
	p.rename()
	p.client.ways.changeServer()
}

func lookName(l kit.Look) string {
	switch l {
	case kit.LookLight:
		return lang.T("look.light")
	case kit.LookDark:
		return lang.T("look.dark")
	}
	return lang.T("look.system")
}

func languageCodes() []string {
	codes := []string{""}
	for _, l := range lang.Languages {
		codes = append(codes, l.Code)
	}
	return codes
}

func languageName(code string) string {
	for _, l := range lang.Languages {
		if l.Code == code {
			return l.Name
		}
	}
	return lang.T("language.system")
}

func version(app fyne.App) string {
	if v := app.Metadata().Version; v != "" {
		return v
	}
	return "dev"
}
