package chat

import (
	"net/http"
	"sync"
	"time"

	"parley/server/chat/wire"
	"parley/shared"
)

const (
	saysNoFiles   = "This server takes no files."
	saysManyFiles = "Too many files come from your address. The next one has to wait."
)

// upload answers the question whether a file may come, and where its bytes stand. The
// next frame of the session waits until it is answered.
func (s *session) upload(m shared.Message) bool {
	files := s.core.cfg.Files
	if files == nil {
		return s.refuse(m, shared.CodeNotAllowed, saysNoFiles)
	}
	if err := shared.CheckUpload(m); err != nil {
		return s.handle(m, err)
	}
	if refusal := refusalOf(s.room.ruling.may(Who{Device: s.member.device, Here: true}, ToUpload, s.core.cfg.Now())); refusal != nil {
		return s.refuseBy(m, refusal)
	}
	if !s.messages.allow(time.Now()) {
		return s.refuse(m, shared.CodeRateLimited, "You are sending too fast.")
	}
	s.refused = 0
	s.source.meter.charge(costMessage)
	if !s.source.uploads.begin(m.ID, time.Now()) {
		// It is not only this one's doing, so it does not count as flooding.
		s.core.metrics.refuse(shared.CodeRateLimited)
		s.core.metrics.limit("files")
		s.sendError(m, shared.CodeRateLimited, saysManyFiles, int(uploadRetry.Milliseconds()))
		return true
	}
	if !s.room.begin() {
		return true // unanswered: the client asks again after the restart
	}
	defer s.room.appended()
	row := FileRow{
		File: File{ID: m.ID, Name: shared.FileName(m.Name), Size: m.Size, Width: m.Width, Height: m.Height},
		Room: s.room.name.Key, Device: s.member.device,
	}
	if s.source.uploads != nil {
		row.Source = sourceNumber(s.source.name)
	}
	key, at, err := files.Begin(background, row)
	switch refusal := refusalOf(err); {
	case refusal != nil:
		s.core.metrics.refuse(refusal.Code)
		s.sendError(m, refusal.Code, refusal.Reason, int(refusal.Retry.Milliseconds()))
	case err != nil:
		s.core.notStored(err)
		s.core.metrics.refuse(shared.CodeUnavailable)
		s.sendError(m, shared.CodeUnavailable, sayUnavailable(err), 0)
	default:
		s.member.send(wire.Message(shared.Message{Type: shared.TypeUpload, ID: m.ID, Key: key, At: at}))
	}
	return true
}

// uploadRetry is after how long somebody asks again who has to wait.
const uploadRetry = 5 * time.Second

// uploads are the files that a source has asked for in UnfinishedHold and that no
// message has: devices are free to make, and each file has a row in the log.
type uploads struct {
	mu    sync.Mutex
	asked map[string]time.Time // when, by id
}

// begin reports whether a file may come, besides the others.
func (u *uploads) begin(id string, now time.Time) bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(now)
	if _, known := u.asked[id]; !known && len(u.asked) >= addressPace*MaxUnfinished {
		return false
	}
	if u.asked == nil {
		u.asked = make(map[string]time.Time)
	}
	u.asked[id] = now
	return true
}

// RenewUpload counts an upload that takes long among those of a request's source, as
// asking for it again does, and reports whether there is a place for it.
func (h *Hub) RenewUpload(r *http.Request, id string) bool {
	src := h.source(h.address(r))
	defer h.sources.release(src.name)
	return src.uploads.begin(id, time.Now())
}

// end notes that a message has a file.
func (u *uploads) end(id string) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.asked, id)
}

func (u *uploads) rested(now time.Time) bool {
	if u == nil {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(now)
	return len(u.asked) == 0
}

func (u *uploads) forget(now time.Time) {
	for id, asked := range u.asked {
		if now.Sub(asked) >= UnfinishedHold {
			delete(u.asked, id)
		}
	}
}

// fileURL is the address of a file.
func (c *core) fileURL(id string) string {
	url := "/files/" + id
	if c.cfg.FileURL != nil {
		url = c.cfg.FileURL() + url
	}
	return url
}
