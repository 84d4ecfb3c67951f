package shared

import (
	"crypto/sha256"
	"encoding/base32"
)

// byLen is how many characters a By has: 65 bits, five in each.
const byLen = 13

var byEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// By is what a chat_message says of who wrote it: 13 characters of a-z2-7, the
// first 65 bits of SHA-256(room key, 0x00, device), device being the sender's
// as the log knows it. It is the same for all that one device writes in one
// room, whatever its name is; it reveals nothing of the device, and differs
// from room to room.
func By(roomKey, device string) string {
	var in [256]byte // longer ones are hashed all the same, from the heap
	sum := sha256.Sum256(append(append(append(in[:0], roomKey...), 0), device...))
	var text [16]byte
	const bytes = 10 // the fewest whose encoding has byLen characters, in whole groups of five
	byEncoding.Encode(text[:], sum[:bytes])
	return string(text[:byLen])
}
