package chat

import "parley/shared"

// author is a device that has written in a room since the room entered memory,
// or shortly before. Room.mu guards it.
type author struct {
	by   string // what its entries say of it, see shared.By
	user string // the name that the room knows it under
}

// maxAuthors is how many a room remembers: some 200 KB.
const maxAuthors = 1024

// author returns who wrote an entry, which is what the room knows of them from
// then on. The caller holds mu, or has the room alone.
func (r *Room) author(e Entry) *author {
	a := r.authors[e.Device]
	if a == nil {
		if len(r.authors) >= maxAuthors {
			for device := range r.authors { // any: it is worked out again, and one rename not told
				delete(r.authors, device)
				break
			}
		}
		a = &author{by: shared.By(r.name.Key, e.Device)}
		r.authors[e.Device] = a
	}
	a.user = e.User
	return a
}

// rename tells the room the new name of a device that has written something
// under another one.
func (r *Room) rename(device, user string) {
	r.mu.Lock()
	a := r.authors[device]
	if a == nil || a.user == user {
		r.mu.Unlock()
		return
	}
	notice := shared.Message{Type: shared.TypeNotice, Did: shared.DidRename, By: a.by, User: a.user, About: user}
	a.user = user
	r.mu.Unlock()
	r.tellAll(notice)
}
