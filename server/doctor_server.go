package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"parley/server/mdns"
)

// runningServer is what a server tells of itself.
type runningServer struct {
	ID       string `json:"id"`
	Protocol string `json:"protocol"`
	TLS      bool   `json:"-"`
}

const (
	askTimeout  = 3 * time.Second
	searchFor   = time.Second // between a search and its last answer
	mostOfReply = 1 << 16     // bytes
)

// ask asks the server at an address what it is, with TLS or without; nil for a program
// that is none. An error says that nothing listens there. Any certificate is believed,
// because no secret goes there.
func (d *doctor) ask(ctx context.Context, at netip.Addr) (*runningServer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it asks this computer
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, scheme := range []string{"http", "https"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+netip.AddrPortFrom(at, d.listen.Port()).String()+"/api/server", nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return nil, dial
		}
		if err != nil {
			continue // what listens there speaks something else
		}
		var s runningServer
		err = json.NewDecoder(io.LimitReader(resp.Body, mostOfReply)).Decode(&s)
		resp.Body.Close()
		if err == nil && strings.HasPrefix(s.Protocol, "parley.") {
			s.TLS = scheme == "https"
			return &s, nil
		}
	}
	return nil, nil
}

// server looks for the server on this computer; nil if there is none.
func (d *doctor) server(ctx context.Context) *runningServer {
	at := d.listen.Addr()
	if at.IsUnspecified() {
		at = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	s, err := d.ask(ctx, at)
	switch {
	case s != nil:
		d.say(good, fmt.Sprintf("Server: it answers at port %d.", d.listen.Port()), "")
	case err != nil:
		d.say(doubtful, fmt.Sprintf("Server: none answers at port %d (%v).", d.listen.Port(), err), "Start it, or name its address with --addr; then run this again.")
	default:
		d.say(wrong, fmt.Sprintf("Server: another program has port %d.", d.listen.Port()), "Stop that program, or choose another port for the server: --addr :8001")
	}
	return s
}

// reach asks the server at each address that others use.
func (d *doctor) reach(ctx context.Context, s *runningServer) {
	if s == nil {
		return
	}
	for _, a := range d.at.list() {
		if !d.listen.Addr().IsUnspecified() && a != d.listen.Addr() {
			continue
		}
		if other, err := d.ask(ctx, a); other == nil || other.ID != s.ID {
			why := "another program answers there"
			if err != nil {
				why = err.Error()
			}
			d.say(wrong, fmt.Sprintf("Server: it does not answer at %s (%s).", a, why), "It may listen on one address only: start it without --addr, or with --addr :8000.")
			continue
		}
		d.say(good, fmt.Sprintf("Server: it answers at %s.", a), "")
	}
}

// announced searches in each network, as the app does.
func (d *doctor) announced(ctx context.Context, s *runningServer) {
	if s == nil {
		return
	}
	for _, l := range networks(d.at.current.Load().interfaces, d.listen.Addr()) {
		asking, cancel := context.WithTimeout(ctx, searchFor)
		all, err := mdns.Ask(asking, l, serviceType)
		cancel()
		if err != nil {
			d.say(doubtful, fmt.Sprintf("Searches: none can be sent on %s (%v).", l.Name, err), "The app may not find the server there. Give people the address.")
			continue
		}
		found := false
		for _, f := range all {
			switch own := d.isOwn(f.From); {
			case own && f.Text["id"] == s.ID:
				found = true
				d.say(good, fmt.Sprintf("Searches: on %s the app finds this server as %q, at %s.", l.Name, f.Instance, strings.Trim(fmt.Sprintf("%q", f.Host), `"`)), "")
			case f.Text["id"] == s.ID:
				d.say(doubtful, fmt.Sprintf("Searches: on %s, a server of the same log is at %s.", l.Name, f.From), "One of them runs on a copy, and people see two. Stop the one that is not needed.")
			default:
				d.say(good, fmt.Sprintf("Searches: on %s, another server is at %s: %q.", l.Name, f.From, f.Instance), "")
			}
		}
		if !found {
			d.say(doubtful, fmt.Sprintf("Searches: on %s, nobody finds this server.", l.Name),
				"Was it started with --no-announce? If not, its output says why; a firewall may stop UDP port 5353, too:\n"+firewallAdvice(d.root, d.listen.Port()))
		}
	}
}
