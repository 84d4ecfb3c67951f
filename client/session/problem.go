package session

import (
	"maps"
	"slices"
)

// Cause is why there is no connection. Its value is stable: screens translate
// by it.
type Cause string

// The causes. After those marked final a Room stops until the person acts;
// after the others it tries again by itself.
const (
	CauseNone Cause = ""

	// Nobody was reached.
	CauseBadAddress  Cause = "bad_address"  // what was typed is no address
	CauseNoSuchHost  Cause = "no_such_host" // the name is not known
	CauseUnreachable Cause = "unreachable"  // no way to the host: another network, no network
	CauseRefused     Cause = "refused"      // the host is there, nothing listens on the port
	CauseTimeout     Cause = "timeout"      // no answer in time

	// Somebody else was reached.
	CauseNotParley     Cause = "not_parley"     // another kind of server
	CauseRedirected    Cause = "redirected"     // a redirect, which is not followed; Detail is its target
	CauseTLS           Cause = "tls"            // no certificate that can be trusted, or no TLS at all
	CauseCertChanged   Cause = "cert_changed"   // final: another certificate than before; Detail is its words
	CauseLinkWords     Cause = "link_words"     // a link names another certificate than the server is known by
	CauseVersion       Cause = "version"        // final: a Parley of another protocol
	CauseRefusedOrigin Cause = "refused_origin" // final: the server does not let this client in
	CauseWrongHost     Cause = "wrong_host"     // the server does not answer to this name
	CauseBadRoom       Cause = "bad_room"       // final: the server refuses the room's name

	// The server ended it.
	CauseServerRestart Cause = "server_restart"
	CauseServerFull    Cause = "server_full"
	CauseRoomFull      Cause = "room_full"
	CauseTooMany       Cause = "too_many"       // connections of this address
	CauseTooManyTries  Cause = "too_many_tries" // wrong passphrases of this address
	CauseUnavailable   Cause = "unavailable"    // the server can't read or write its log
	CauseSlow          Cause = "slow"           // too far behind; resuming
	CauseFlooding      Cause = "flooding"       // sent far over the rate
	CauseBadHello      Cause = "bad_hello"      // final: the name or the device is not valid
	CauseNameTaken     Cause = "name_taken"     // final: Detail is a free name
	CauseNeedsKey      Cause = "needs_key"      // final: the room has a passphrase
	CauseWrongKey      Cause = "wrong_key"      // final: another one than was given
	CauseHostKey       Cause = "host_key"       // final: the key in a link is not the operator's
	CauseOpenRoom      Cause = "open_room"      // final: the room has none, and one was given
	CauseRemoved       Cause = "removed"        // final: sent out of the room; Detail says why
	CauseStopped       Cause = "stopped"        // final: a close code of a newer server; Detail says why

	CauseLost   Cause = "lost"   // the connection broke or went silent
	CausePaused Cause = "paused" // Pause
)

// Final reports whether trying again by itself can't help.
func (c Cause) Final() bool {
	switch c {
	case CauseBadAddress, CauseCertChanged, CauseVersion, CauseRefusedOrigin, CauseBadRoom,
		CauseBadHello, CauseNameTaken, CauseNeedsKey, CauseWrongKey, CauseHostKey, CauseOpenRoom, CauseRemoved, CauseStopped:
		return true
	}
	return false
}

var sentences = map[Cause]string{
	CauseBadAddress:    "This is not an address. Type a name or a number such as 192.168.1.5:8000.",
	CauseNoSuchHost:    "No computer of this name was found. Check the spelling, or use its number.",
	CauseUnreachable:   "The server can't be reached. Check that this device is in the same network.",
	CauseRefused:       "The computer answers, but no server runs on this port.",
	CauseTimeout:       "The server does not answer.",
	CauseNotParley:     "Something answers at this address, but it is not a Parley server.",
	CauseRedirected:    "Something answers at this address, but leads elsewhere. Check the address, or sign in to the Wi-Fi first.",
	CauseTLS:           "The connection can't be made secure. Check the address, or use http:// inside your own network.",
	CauseCertChanged:   "The server shows another certificate than before. Somebody may be posing as it.",
	CauseLinkWords:     "The link names another certificate than that of this server. Ask for a new link, or type the address by itself.",
	CauseVersion:       "This server speaks another version of the protocol. Update the app.",
	CauseRefusedOrigin: "The server takes this for a page of another site. A proxy in between must pass on the Host.",
	CauseWrongHost:     "The server does not answer to this name. Use its number, or ask whoever runs it to allow the name with --allow-host.",
	CauseBadRoom:       "The server does not accept the room's name.",
	CauseServerRestart: "The server is starting again.",
	CauseServerFull:    "The server is full.",
	CauseRoomFull:      "The room is full.",
	CauseTooMany:       "Too many connections come from this device or its network.",
	CauseTooManyTries:  "Too many wrong passphrases. Wait a moment.",
	CauseUnavailable:   "The server can't read or write its messages right now.",
	CauseSlow:          "The connection was too slow.",
	CauseFlooding:      "Too many messages at once.",
	CauseBadHello:      "The server does not accept this name.",
	CauseNameTaken:     "Somebody else has this name here.",
	CauseNeedsKey:      "The room has a passphrase.",
	CauseWrongKey:      "The room has a passphrase, and this is not it.",
	CauseHostKey:       "The key in the link is not that of this server's operator. Ask for a new link.",
	CauseOpenRoom:      "The room has no passphrase: it is open to everyone.",
	CauseRemoved:       "The server does not let you into this room.",
	CauseStopped:       "The server ended the connection.",
	CauseLost:          "The connection was lost.",
	CausePaused:        "Paused.",
}

// Causes are all causes but CauseNone, in order of their values.
func Causes() []Cause { return slices.Sorted(maps.Keys(sentences)) }

// Problem is an error with a Cause.
type Problem struct {
	Cause  Cause
	Detail string // more on it, from the system or the network: show it as text only
}

// Error is the Cause as a sentence for a person.
func (p *Problem) Error() string { return sentences[p.Cause] }
