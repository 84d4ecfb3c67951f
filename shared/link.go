package shared

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DefaultPort is the port that a server listens on unless told otherwise.
const DefaultPort = "8000"

// MaxLink is the length of a link in bytes, at most.
const MaxLink = 2048

// Link is what a link leads to: a server, a room on it, and what lets one in.
// server/web/static/link.js has the same rules; testdata/links tests both.
//
//	http(s)://HOST:PORT/r/ROOM#k=PASSPHRASE&fp=WORDS&host=KEY
//	parley://HOST:PORT/r/ROOM#k=PASSPHRASE&fp=WORDS&tls
//	http(s)://HOST:PORT/chat/ROOM/
//	https://HOST:PORT/#WORDS
//
// A server below a path, such as /parley, has that path before /r/ and /chat/.
// The passphrase and the operator's key are in the fragment, because browsers send no
// fragment.
type Link struct {
	TLS   bool
	Host  string // in lower case, with the port if the link has one
	Path  string // of the server, such as /parley; "" if it is at the root
	Room  string // as RoomName gives it; "" if the link leads to no room
	Key   string // the room's passphrase, as written; "" if the link has none
	Words string // the Fingerprint of the server's certificate; "" if the link has none

	// HostKey is the key of the server's operator, which makes whoever has it a host
	// of the room: see IsHostKey; "" if the link has none.
	HostKey string

	// KeyIgnored tells that a passphrase was in the query, where every server and
	// proxy on the way can read it. It counts as none.
	KeyIgnored bool
}

// The Code of a LinkError.
const (
	LinkTooLong = "long"    // over MaxLink bytes
	LinkAddress = "address" // no http, https, ws, wss or parley address with a host
	LinkUser    = "user"    // it has a user's name
	LinkEscape  = "escape"  // a % that begins no character
	LinkRoom    = "room"    // a room can't have this name
	LinkKey     = "key"     // the passphrase is shorter or longer than passphrases are
	LinkWords   = "words"   // fp is no Fingerprint
	LinkHost    = "host"    // the operator's key is not whole
)

// LinkError says why a text is no link.
type LinkError struct {
	Code   string // LinkTooLong and so on
	Reason string // a sentence for a person
}

func (e *LinkError) Error() string { return e.Reason }

var (
	linkParts = regexp.MustCompile(`^([A-Za-z]+)://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$`)
	linkHost  = regexp.MustCompile(`^([\pL\pM\pN._-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\])(?::([0-9]{0,5}))?$`)
	linkPath  = regexp.MustCompile(`^(.*?)(?:(?:/ws)?/(?:chat|r)(?:/([^/]*).*)?|/(?:join|join\.txt|app)/?)$`)
)

// ParseLink reads a link, with white space around it. Of ws and wss addresses it
// takes what http and https ones mean. A parley link stands for https if it has
// words, the port 443, or tls in the fragment; without a port it gets DefaultPort. What it does not
// know of the query and of the fragment, it ignores. The error is a *LinkError.
func ParseLink(text string) (Link, error) {
	refuse := func(code, reason string) (Link, error) { return Link{}, &LinkError{code, reason} }
	const noAddress = "This is no address of a server."
	text = strings.TrimSpace(text)
	if len(text) > MaxLink {
		return refuse(LinkTooLong, "The link is too long.")
	}
	parts := linkParts.FindStringSubmatch(text)
	if parts == nil || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return refuse(LinkAddress, noAddress)
	}
	scheme, host, path, query, fragment := strings.ToLower(parts[1]), parts[2], parts[3], parts[4], parts[5]
	if !slices.Contains([]string{"http", "https", "ws", "wss", "parley"}, scheme) {
		return refuse(LinkAddress, "Links of servers begin with http://, https:// or parley://.")
	}
	if strings.Contains(host, "@") {
		return refuse(LinkUser, "The link has a user's name before the server's. Leave out what is before the @.")
	}
	host, ok := splitHost(host, scheme)
	if !ok {
		return refuse(LinkAddress, noAddress)
	}
	l := Link{TLS: scheme == "https" || scheme == "wss", Host: host}

	path, room, err := splitPath(path)
	if err != nil {
		return refuse(LinkEscape, "The link is damaged: a % in it begins no character.")
	}
	l.Path = path
	if room != "" {
		name, err := RoomName(room)
		if err != nil {
			return refuse(LinkRoom, err.Error())
		}
		l.Room = name.Text
	}
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		l.KeyIgnored = l.KeyIgnored || name == "k"
	}
	if err := l.readFragment(fragment); err != nil {
		return Link{}, err
	}
	if scheme == "parley" {
		l.TLS = l.Words != "" || strings.HasSuffix(host, ":443") || slices.Contains(strings.Split(fragment, "&"), "tls")
	}
	if !l.TLS {
		l.Words = "" // they are a certificate's
	}
	return l, nil
}

// splitHost checks a host with or without its port.
func splitHost(text, scheme string) (host string, ok bool) {
	parts := linkHost.FindStringSubmatch(text)
	if parts == nil {
		return "", false
	}
	host, port := strings.ToLower(parts[1]), parts[2]
	if ip, bracketed := strings.CutPrefix(host, "["); bracketed {
		ip, zone, hasZone := strings.Cut(strings.TrimSuffix(ip, "]"), "%25")
		addr, err := netip.ParseAddr(ip)
		if err != nil || !addr.Is6() || hasZone && zone == "" {
			return "", false
		}
	}
	if port == "" && scheme == "parley" {
		port = DefaultPort
	}
	if port == "" {
		return host, true
	}
	n, err := strconv.Atoi(port)
	return host + ":" + strconv.Itoa(n), err == nil && n >= 1 && n <= 65535
}

// splitPath splits a path into that of the server and the room that it names.
func splitPath(path string) (server, room string, err error) {
	if _, err := unescape(path); err != nil {
		return "", "", err
	}
	parts := linkPath.FindStringSubmatch(path)
	if parts == nil {
		return strings.TrimRight(path, "/"), "", nil
	}
	room, err = unescape(parts[2])
	return strings.TrimRight(parts[1], "/"), room, err
}

func (l *Link) readFragment(fragment string) error {
	if IsFingerprint(fragment) {
		l.Words = fragment
		return nil
	}
	for part := range strings.SplitSeq(fragment, "&") {
		name, escaped, _ := strings.Cut(part, "=")
		if name != "k" && name != "fp" && name != "host" {
			continue
		}
		value, err := unescape(escaped)
		switch {
		case err != nil:
			return &LinkError{LinkEscape, "The link is damaged: a % in it begins no character."}
		case name == "fp" && !IsFingerprint(value):
			return &LinkError{LinkWords, "The link is damaged: the certificate's words are not whole."}
		case name == "fp":
			l.Words = value
			continue
		case name == "host" && !IsHostKey(value):
			return &LinkError{LinkHost, "The link is damaged: the host's key is not whole."}
		case name == "host":
			l.HostKey = value
			continue
		}
		if _, err := CheckKey(value); err != nil {
			return &LinkError{LinkKey, err.Error()}
		}
		l.Key = value
	}
	return nil
}

// unescape resolves %XX. The error tells of one that is broken or not UTF-8.
func unescape(s string) (string, error) {
	text, err := url.PathUnescape(s)
	if err == nil && !utf8.ValidString(text) {
		err = errors.New("not UTF-8")
	}
	return text, err
}

// Base returns the server's address, such as http://192.168.1.5:8000 or, below
// a path, https://chat.example/parley.
func (l Link) Base() string {
	if l.TLS {
		return "https://" + l.Host + l.Path
	}
	return "http://" + l.Host + l.Path
}

// String returns the link as people pass it on. ParseLink reads it, unless a
// long name and a long passphrase of other scripts make it longer than MaxLink.
func (l Link) String() string {
	s := l.Base() + "/"
	if l.Room != "" {
		s += "r/" + url.PathEscape(l.Room)
	}
	var fragment []string
	if l.Key != "" {
		fragment = append(fragment, "k="+strings.ReplaceAll(url.QueryEscape(l.Key), "+", "%20"))
	}
	switch {
	case l.Words != "" && l.Room == "" && l.Key == "" && l.HostKey == "":
		fragment = append(fragment, l.Words) // as every version reads it
	case l.Words != "":
		fragment = append(fragment, "fp="+l.Words)
	}
	if l.HostKey != "" {
		fragment = append(fragment, "host="+l.HostKey)
	}
	if fragment == nil {
		return s
	}
	return s + "#" + strings.Join(fragment, "&")
}
