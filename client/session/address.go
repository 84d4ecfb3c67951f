package session

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"parley/shared"
)

// DefaultPort is where a server listens unless told otherwise.
const DefaultPort = "8000"

// ParseServer reads what a person typed or pasted: a host, host:port, or the
// link of a server or of a room's page. base is the server as the other
// functions want it, such as http://192.168.1.5:8000; room is the link's room,
// "" where it names none. A host without a port gets DefaultPort; a link
// without one means what it means in a browser, 80 or 443. The error is a
// *Problem with CauseBadAddress or CauseBadRoom.
func ParseServer(text string) (base, room string, err error) {
	bad := func(detail string) (string, string, error) {
		return "", "", &Problem{CauseBadAddress, detail}
	}
	text = strings.TrimSpace(text)
	link := strings.Contains(text, "://")
	if !link {
		text = "http://" + bracketed(text)
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" {
		return bad("")
	}
	switch u.Scheme = strings.ToLower(u.Scheme); u.Scheme {
	case "http", "https":
	case "ws", "wss":
		u.Scheme = "http" + u.Scheme[2:]
	default:
		return bad(u.Scheme + "://")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if host == "" || strings.ContainsAny(host, " \t\r\n\"<>\\^`{|}") {
		return bad("")
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return bad(":" + port)
		}
	} else if !link {
		port = DefaultPort
	}
	base = u.Scheme + "://" + hostPort(host, port)

	path := strings.TrimPrefix(u.EscapedPath(), "/ws")
	if path, ok := strings.CutPrefix(path, "/chat/"); ok {
		escaped, _, _ := strings.Cut(path, "/")
		name, err := url.PathUnescape(escaped)
		if err != nil {
			return bad("")
		}
		if name != "" {
			parsed, err := shared.RoomName(name)
			if err != nil {
				return "", "", &Problem{CauseBadRoom, err.Error()}
			}
			room = parsed.Text
		}
	}
	return base, room, nil
}

// bracketed puts a bare IPv6 address into the brackets that a URL wants.
func bracketed(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Is6() {
		return "[" + strings.Replace(text, "%", "%25", 1) + "]"
	}
	return text
}

func hostPort(host, port string) string {
	if port != "" {
		host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return strings.Replace(host, "%", "%25", 1) // an IPv6 zone
}
