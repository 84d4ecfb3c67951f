package chat

import (
	"time"

	"parley/server/chat/wire"
	"parley/shared"
)

const saysNoFiles = "This server takes no files."

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
	if !s.messages.AllowN(time.Now(), 1) {
		return s.refuse(m, shared.CodeRateLimited, "You are sending too fast.")
	}
	s.refused = 0
	s.source.meter.charge(costMessage)
	if !s.room.begin() {
		return true // unanswered: the client asks again after the restart
	}
	defer s.room.appended()
	key, at, err := files.Begin(background, s.room.name, s.member.device, shared.File{
		ID: m.ID, Name: shared.FileName(m.Name), Size: m.Size, Width: m.Width, Height: m.Height,
	})
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

// fileURL is the address of a file.
func (c *core) fileURL(id string) string {
	url := "/files/" + id
	if c.cfg.FileURL != nil {
		url = c.cfg.FileURL() + url
	}
	return url
}
