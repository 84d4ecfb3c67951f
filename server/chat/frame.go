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
)

// maxHeader is the length of the longest header of an unmasked frame.
const maxHeader = 10

// frame returns payload as one finished frame.
func frame(opcode byte, payload []byte) []byte {
	f := make([]byte, 0, maxHeader+len(payload))
	f = append(f, finalBit|opcode)
	switch n := len(payload); {
	case n < 126:
		f = append(f, byte(n))
	case n <= 0xffff:
		f = binary.BigEndian.AppendUint16(append(f, 126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 127), uint64(n))
	}
	return append(f, payload...)
}

func textFrame(m shared.Message) []byte { return frame(opText, shared.Encode(m)) }

// message is an entry as both dialects see it.
func message(e Entry) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, Text: e.Text, Time: e.Time}
}

func entryFrame(e Entry) []byte { return textFrame(message(e)) }

var pingFrame = frame(opPing, nil)
