package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// hostSheet is the panel from which a host rules a room.
type hostSheet struct {
	page    *roomPage
	overlay *kit.Overlay
	body    *kit.Column
	most    int // how many of those that were removed or silenced are listed
}

// listedRoles is how many are listed at first, and more at each tap.
const listedRoles = 20

// slowTimes are those that are offered between two messages, in seconds.
var slowTimes = []int{0, 10, 30, 60, 300, 3600}

func showHostSheet(p *roomPage) {
	s := &hostSheet{page: p, most: listedRoles, body: kit.NewColumn(3 * kit.Unit).Padded(kit.Around(4 * kit.Unit))}
	p.hosts = s
	s.draw()
	s.overlay = kit.ShowPanel(p.client.window.Canvas(), s.body)
	p.sayOffline()
	p.conv.Session.Roles()
}

// set changes settings of the room.
func (s *hostSheet) set(change shared.Settings) {
	s.page.conv.Session.Host(session.Act{Do: shared.DoSet, Settings: &change})
}

func (s *hostSheet) draw() {
	conv := s.page.conv
	now := conv.Hosting.Settings
	quiet := now.Write == shared.WhoHosts && now.Door != shared.DoorOpen
	rows := []fyne.CanvasObject{
		kit.NewText(lang.T("host.title"), kit.FontTitle, kit.RoleText),
		kit.NewColumn(kit.Unit,
			kit.NewToggle(lang.T("host.quiet"), &quiet, func() {
				if quiet {
					s.set(shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown})
				} else {
					s.set(shared.Settings{Write: shared.WhoAll, Door: shared.DoorOpen})
				}
			}),
			kit.NewText(lang.T("host.quiet.why"), kit.FontSmall, kit.RoleMuted)),
		choice(lang.T("host.write"), []string{shared.WhoAll, shared.WhoHosts}, who, now.Write, func(v string) { s.set(shared.Settings{Write: v}) }),
		choice(lang.T("host.door"), []string{shared.DoorOpen, shared.DoorKnown, shared.DoorClosed}, door, now.Door, func(v string) { s.set(shared.Settings{Door: v}) }),
	}
	slow, times := 0, slowTimes
	if now.Slow != nil {
		slow = *now.Slow
	}
	if !slices.Contains(times, slow) {
		times = append(slices.Clone(times), slow)
	}
	rows = append(rows, choice(lang.T("host.slow"), times, slowLabel, slow, func(v int) { s.set(shared.Settings{Slow: &v}) }))
	if conv.Status.MaxFile > 0 {
		rows = append(rows, choice(lang.T("host.files"), []string{shared.WhoAll, shared.WhoHosts, shared.WhoNone}, who, now.Files, func(v string) { s.set(shared.Settings{Files: v}) }))
	}
	s.body.Set(append(rows, s.roles()...)...)
	if s.overlay != nil {
		s.overlay.Refresh()
	}
}

// roles list the hosts, and who is removed or silenced, each with what takes that back.
func (s *hostSheet) roles() []fyne.CanvasObject {
	conv := s.page.conv
	hosts, barred := kit.NewColumn(2*kit.Unit), kit.NewColumn(2*kit.Unit)
	rest := false
	for _, r := range conv.Roles {
		list, label, undo, about := barred, lang.T("act.admit"), shared.DoAdmit, lang.T("host.removed", "who", conversation.HostName(r.By))
		switch r.Do {
		case shared.DoHost:
			list, label, undo, about = hosts, lang.T("act.unhost"), shared.DoUnhost, ""
		case shared.DoSilence:
			label, undo, about = lang.T("act.unsilence"), shared.DoUnsilence, lang.T("host.silenced", "who", conversation.HostName(r.By))
		}
		if list == barred && len(barred.Objects) >= s.most {
			rest = true
			continue
		}
		if about != "" {
			about += " · " + conv.Clock.When(r.Since)
		}
		sub := kit.NewText(about, kit.FontSmall, kit.RoleMuted)
		sub.Hidden = about == ""
		row := kit.NewRow(2*kit.Unit, 0, kit.NewColumn(1, kit.NewText(text.OneLine(r.Name), kit.FontBody, kit.RoleText).Lines(2), sub),
			kit.NewSecondary(label, func() { conv.Session.Host(session.Act{Do: undo, Whom: r.Whom}) }))
		row.MinFlex = 120
		list.Objects = append(list.Objects, row)
	}
	if len(barred.Objects) == 0 {
		barred.Objects = append(barred.Objects, kit.NewText(lang.T("host.barred.none"), kit.FontBody, kit.RoleMuted))
	}
	if rest {
		barred.Objects = append(barred.Objects, kit.NewSecondary(lang.T("host.more"), func() {
			s.most += listedRoles
			kit.KeepFocus(s.body, s.draw)
		}))
	}
	label := func(key string) fyne.CanvasObject { return kit.NewText(key, kit.FontLabel, kit.RoleMuted) }
	objects := []fyne.CanvasObject{kit.NewColumn(2*kit.Unit, label(lang.T("host.barred")), barred)}
	if len(hosts.Objects) > 0 {
		objects = append(objects, kit.NewColumn(2*kit.Unit, label(lang.T("host.people")), hosts))
	}
	return objects
}

// choice is one of several values under a label.
func choice[T comparable](label string, values []T, name func(T) string, chosen T, choose func(T)) fyne.CanvasObject {
	return kit.NewColumn(2*kit.Unit, kit.NewText(label, kit.FontLabel, kit.RoleMuted), kit.NewChoice(values, name, chosen, choose))
}

func who(value string) string {
	switch value {
	case shared.WhoAll:
		return lang.T("host.everyone")
	case shared.WhoHosts:
		return lang.T("host.hosts")
	}
	return lang.T("host.nobody")
}

func door(value string) string {
	switch value {
	case shared.DoorOpen:
		return lang.T("host.open")
	case shared.DoorKnown:
		return lang.T("host.known")
	}
	return lang.T("host.closed")
}

func slowLabel(seconds int) string {
	if seconds == 0 {
		return lang.T("host.off")
	}
	return conversation.Seconds(seconds)
}
