package chat

import "parley/shared"

// Notice is what everyone learns of what a host did; by is the host's shared.By.
func Notice(e Entry, by string) shared.Message {
	m := shared.Message{Type: shared.TypeNotice, ID: e.ID, Offset: e.Offset, User: e.User, By: by, Time: e.Time,
		Did: e.Act.Do, About: e.Act.About, Settings: e.Act.Settings}
	if e.Act.Device != "" {
		m.Whom = shared.By(e.Room, e.Act.Device)
	}
	if e.Act.Do == shared.DoPin {
		m.Pinned = e.Target
	}
	return m
}
