package chat

import (
	"parley/server/chat/wire"
	"parley/shared"
)

// message is an entry as both dialects see it; by is its sender's shared.By.
func message(e Entry, by string) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, By: by, Text: e.Text, Time: e.Time}
}

// appendEntry appends an entry as a finished frame. It overwrites scratch, and
// returns it for the next call.
func appendEntry(b, scratch []byte, e Entry, by string) (frames, scratchAgain []byte) {
	scratch = shared.Append(scratch[:0], message(e, by))
	return wire.AppendText(b, scratch), scratch
}

var pongFrame = wire.Message(shared.Message{Type: shared.TypePong})
