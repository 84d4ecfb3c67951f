// Package wire is what lies below the rooms: the connection under a WebSocket,
// finished frames, and the tail that holds them.
package wire

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

func frame(opcode byte, payload []byte) []byte {
	return append(appendHeader(make([]byte, 0, 10+len(payload)), opcode, len(payload)), payload...)
}

// AppendText appends a text frame to b.
func AppendText(b, payload []byte) []byte {
	return append(appendHeader(b, opText, len(payload)), payload...)
}

// Text returns a text frame.
func Text(payload []byte) []byte { return frame(opText, payload) }

// Message returns a message as a text frame.
func Message(m shared.Message) []byte { return Text(shared.Encode(m)) }

// Close returns a close frame, with as much of the reason as fits.
func Close(code shared.CloseCode, reason string) []byte {
	return frame(opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), shared.CloseReason(reason)...))
}

// Ping is a ping frame without a payload.
var Ping = frame(opPing, nil)

// Pong returns the answer to a ping with the same payload, of at most 125 bytes.
func Pong(payload []byte) []byte { return frame(opPong, payload) }
