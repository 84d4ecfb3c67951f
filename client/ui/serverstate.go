package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// serverState is the line under the button: what is wrong with what was filled
// in, or else what is known of the server.
type serverState struct {
	widget.BaseWidget
	line  *kit.Row
	icon  *kit.Picture
	text  *kit.Text
	known finding
	wrong string
	told  func() // its height may have changed
}

// finding is a sentence with an icon.
type finding struct {
	icon, sentence string
	role           kit.Role
}

func newServerState() *serverState {
	s := &serverState{icon: kit.NewPicture("clock", kit.RoleMuted, 16), text: kit.NewText("", kit.FontSmall, kit.RoleMuted)}
	s.line = kit.NewRow(2*kit.Unit, 1, s.icon, s.text)
	s.line.Top = true
	s.line.Hide()
	s.ExtendBaseWidget(s)
	return s
}

func (s *serverState) Fit(width float32) float32           { return s.line.Fit(width) }
func (s *serverState) CreateRenderer() fyne.WidgetRenderer { return kit.Holding(s, s.line) }

func (s *serverState) draw() {
	shown := s.known
	if s.wrong != "" {
		shown = finding{"warning", s.wrong, kit.RoleError}
	}
	s.line.Hidden = shown.sentence == ""
	if shown.sentence != "" {
		s.icon.Set(shown.icon, shown.role)
		s.text.Role = shown.role
		s.text.SetText(shown.sentence)
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

func (s *serverState) know(icon, sentence string, r kit.Role) {
	s.known = finding{icon, sentence, r}
	s.draw()
}

func (s *serverState) nothing() { s.know("", "", nil) }
func (s *serverState) asking()  { s.know("clock", lang.T("server.asking"), kit.RoleMuted) }

func (s *serverState) found(info session.ServerInfo) {
	sentence := lang.T("server.found", "name", serverName(info), "version", text.OneLine(info.Version), "people", lang.Plural("people", info.People))
	if info.Words != "" {
		sentence += "\n" + lang.T("server.words", "words", info.Words)
	}
	s.know("check", sentence, kit.RoleYes)
}

func (s *serverState) failed(err error) {
	s.know("warning", causeSentence(causeOf(err)), kit.RoleError)
}
