package session

import (
	"errors"
	"net/netip"
	"strings"

	"parley/shared"
)

// ParseServer reads what a person typed or pasted: a host, host:port, or a link
// that shared.ParseLink reads. base is the server as the other functions want
// it, such as http://192.168.1.5:8000; room is the link's room, "" if it names
// none. A host without a port gets shared.DefaultPort, and with the port 443 it
// means https; a link without a port means what it means in a browser, 80 or
// 443. The error is a *Problem with CauseBadAddress or CauseBadRoom.
func ParseServer(text string) (base, room string, err error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		host, rest, _ := strings.Cut(text, "/")
		text = "parley://" + bracketed(host) + "/" + rest // which has the port of a server
	}
	link, err := shared.ParseLink(text)
	var refused *shared.LinkError
	switch {
	case err == nil:
		return link.Base(), link.Room, nil
	case errors.As(err, &refused) && refused.Code == shared.LinkRoom:
		return "", "", &Problem{CauseBadRoom, refused.Reason}
	case refused != nil && refused.Code != shared.LinkAddress:
		return "", "", &Problem{CauseBadAddress, refused.Reason}
	}
	return "", "", &Problem{CauseBadAddress, ""}
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
