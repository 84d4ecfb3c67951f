package session

import (
	"errors"
	"net/netip"
	"strings"

	"parley/shared"
)

// ParseLink reads what a person typed or pasted: a host, host:port, or a link that
// shared.ParseLink reads, also without its scheme. A host without a port gets
// shared.DefaultPort, and with the port 443 or a fingerprint it means https; a link
// without a port means what it means in a browser, 80 or 443. The error is a *Problem
// with CauseBadAddress or CauseBadRoom.
func ParseLink(text string) (shared.Link, error) {
	link, err := shared.ParseLink(completed(text))
	var refused *shared.LinkError
	switch {
	case err == nil:
		return link, nil
	case errors.As(err, &refused) && refused.Code == shared.LinkRoom:
		return shared.Link{}, &Problem{CauseBadRoom, refused.Reason}
	case refused != nil && refused.Code != shared.LinkAddress:
		return shared.Link{}, &Problem{CauseBadAddress, refused.Reason}
	}
	return shared.Link{}, &Problem{CauseBadAddress, ""}
}

// ParseServer is ParseLink for the server and the room. base is the server as the
// other functions want it, such as http://192.168.1.5:8000; room is "" if the text
// names none.
func ParseServer(text string) (base, room string, err error) {
	link, err := ParseLink(text)
	if err != nil {
		return "", "", err
	}
	return link.Base(), link.Room, nil
}

// completed puts the scheme before a link that has none.
func completed(text string) string {
	text = strings.TrimSpace(text)
	host, rest := text, ""
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		host, rest = text[:i], text[i:]
	}
	if strings.HasSuffix(host, ":") && strings.HasPrefix(rest, "//") {
		return text
	}
	return "parley://" + bracketed(host) + rest // which has the port of a server
}

// Typed returns a base as a person would type it: without http://, unless that
// would mean another port.
func Typed(base string) string {
	short := strings.TrimPrefix(base, "http://")
	if again, _, err := ParseServer(short); err != nil || again != base {
		return base
	}
	return short
}

// bracketed puts a bare IPv6 address into the brackets that a URL wants.
func bracketed(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Is6() {
		return "[" + strings.Replace(text, "%", "%25", 1) + "]"
	}
	return text
}
