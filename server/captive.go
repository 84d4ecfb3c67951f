package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// captive answers the checks by which systems find out whether a network leads to
// the Internet, so that phones stay in one that does not. Everything else is led to
// the server: nothing of it is served here, whatever the Host.
type captive struct {
	invitation *invitation
}

// A checkAnswer is what a system expects, to the byte.
type checkAnswer struct {
	status int
	kind   string // the Content-Type; "" if there is no body
	body   string
}

var (
	androidAnswer = checkAnswer{status: http.StatusNoContent}
	appleAnswer   = checkAnswer{200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"}
	linuxAnswer   = checkAnswer{200, "text/plain; charset=utf-8", "NetworkManager is online\n"}
)

// checkPaths are known under any name: each maker of phones has hosts of its own.
var checkPaths = map[string]checkAnswer{
	"/generate_204": androidAnswer, // ChromeOS too
	"/gen_204":      androidAnswer,

	"/hotspot-detect.html":       appleAnswer,
	"/library/test/success.html": appleAnswer,

	"/connecttest.txt": {200, "text/plain", "Microsoft Connect Test"},
	"/ncsi.txt":        {200, "text/plain", "Microsoft NCSI"},

	"/canonical.html": {200, "text/html", `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`}, // Firefox
	"/success.txt":    {200, "text/plain", "success\n"},

	"/check_network_status.txt": linuxAnswer, // GNOME
	"/nm":                       linuxAnswer, // Debian
	"/nm-check.txt":             linuxAnswer, // Arch Linux
}

// checkHosts are asked for any path.
var checkHosts = map[string]checkAnswer{
	"captive.apple.com":             appleAnswer,
	"connectivity-check.ubuntu.com": {status: http.StatusNoContent},
}

func (c *captive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	host := strings.ToLower(r.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	answer, ok := checkPaths[r.URL.Path]
	if !ok {
		answer, ok = checkHosts[strings.TrimSuffix(host, ".")]
	}
	if !ok {
		header.Set("Location", c.invitation.from(localAddress(r), isAddress(host)))
		w.WriteHeader(http.StatusFound)
		return
	}
	header.Set("X-NetworkManager-Status", "online")
	if answer.kind != "" {
		header.Set("Content-Type", answer.kind)
		header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	}
	w.WriteHeader(answer.status)
	w.Write([]byte(answer.body))
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// localAddress is the address of this host that a request came to.
func localAddress(r *http.Request) netip.Addr {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap()
}

// from returns an address of the server's pages for whoever has come to one of this
// host's: /join, or the way in for someone who typed the address of this host.
func (i *invitation) from(local netip.Addr, typed bool) string {
	listening, link := i.listening, i.link()
	if i.plain.IsValid() { // nobody is warned of a certificate there
		listening, link.TLS, link.Words = i.plain, false, ""
	}
	host := listening.Addr().Unmap()
	if host.IsUnspecified() {
		host = local
	}
	link.Host = net.JoinHostPort(host.String(), strconv.Itoa(int(listening.Port())))
	if typed {
		return link.String()
	}
	return link.Base() + "/join"
}

// listenCaptive opens the listener of --captive. Phones ask on port 80 only.
func listenCaptive(addr string, main net.Listener) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	_, port, portErr := net.SplitHostPort(addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE) && portErr == nil && port == strconv.Itoa(int(addrPort(main).Port())):
		return nil, fmt.Errorf("--addr and --captive can't both be on port %s: leave port 80 to --captive, and choose another with --addr :8000", port)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--captive: the address %s is in use by another program, and phones ask on port 80 only: stop that program, or leave --captive out", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("--captive: this user may not listen on %s, and phones ask on port 80 only: sudo parley-server install --captive makes a service that may", addr)
	}
	return nil, fmt.Errorf("can't listen on %q (%w): --captive takes an address like :80 or 192.168.4.1:80", addr, err)
}
