package chat

import (
	"encoding/binary"

	"parley/shared"
)

// Frames from a server are not masked (RFC 6455, 5.1), so a finished frame is
// the same bytes for every member.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa

	finalBit = 0x80
	maskBit  = 0x80 // of the second byte
)

// appendHeader appends the header of a frame whose payload has n bytes.
func appendHeader(b []byte, opcode byte, n int) []byte {
	b = append(b, finalBit|opcode)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
}

// frame returns payload as one finished frame.
func frame(opcode byte, payload []byte) []byte {
	return append(appendHeader(make([]byte, 0, 10+len(payload)), opcode, len(payload)), payload...)
}

func closeFrame(code shared.CloseCode, reason string) []byte {
	return frame(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), shared.CloseReason(reason)...))
}

func textFrame(m shared.Message) []byte { return frame(opText, shared.Encode(m)) }

// message is an entry as both dialects see it; by is its sender's shared.By.
func message(e Entry, by string) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, By: by, Text: e.Text, Time: e.Time}
}

// appendEntry appends an entry as a finished frame. Scratch is overwritten; what
// is returned as scratch may be used again.
func appendEntry(b, scratch []byte, e Entry, by string) (frames, scratchAgain []byte) {
	scratch = shared.Append(scratch[:0], message(e, by))
	return append(appendHeader(b, opText, len(scratch)), scratch...), scratch
}

var (
	pingFrame = frame(opPing, nil)
	pongFrame = textFrame(shared.Message{Type: shared.TypePong})
)
