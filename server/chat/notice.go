package chat

import "parley/shared"

// Notice is what everyone learns of what a host did; by is the host's shared.By.
func Notice(e Entry, by string) shared.Message {
	act := e.Extras().Act
	m := shared.Message{Type: shared.TypeNotice, ID: e.ID, Offset: e.Offset, User: e.User, By: by, Time: e.Time,
		Did: act.Do, About: act.About, Settings: act.Settings}
	if act.Device != "" {
		m.Whom = shared.By(e.Room, act.Device)
	}
	if act.Do == shared.DoPin {
		m.Pinned = e.Target
	}
	return m
}
