package session_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/client/session"
	"parley/shared"
)

// middleman stands between a client and a TLS server with another certificate, and
// keeps what it can read.
type middleman struct {
	net.Listener
	words string
	mu    sync.Mutex
	read  strings.Builder
	work  sync.WaitGroup
}

func startMiddleman(t *testing.T, server string) *middleman {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // for its certificate
	certificate := web.TLS.Certificates[0]
	web.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middleman{Listener: l, words: shared.Fingerprint(certificate.Certificate[0])}
	m.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.work.Go(func() {
				defer c.Close()
				front := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}})
				if front.Handshake() != nil {
					return
				}
				back, err := tls.Dial("tcp", server, &tls.Config{InsecureSkipVerify: true})
				if err != nil {
					return
				}
				defer back.Close()
				m.work.Go(func() { _, _ = io.Copy(front, back); c.Close() })
				_, _ = io.Copy(io.MultiWriter(back, m), front)
			})
		}
	})
	t.Cleanup(func() { l.Close(); m.work.Wait() })
	return m
}

func (m *middleman) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read.Write(p)
}

// dial leads to the middleman whatever the address.
func (m *middleman) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, m.Addr().String())
}

// The first certificate of a server is kept. A man in the middle with another
// one is refused, learns nothing, and is let in only by the person.
func TestManInTheMiddle(t *testing.T) {
	s := startServer(t, "--tls", "auto")
	_, words, _ := strings.Cut(s.link, "#")
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Store: store}
	ann := enter(t, config)
	ann.send("hello")
	ann.shows("hello")
	ann.room.Close()
	if got := session.NewPins(store).Words(s.base); got != words {
		t.Errorf("known by %q, the server says %q", got, words)
	}
	if info, err := session.DialFunc(nil).Probe(t.Context(), s.base, session.NewPins(store)); err != nil || info.Words != words {
		t.Errorf("Probe: %+v, %v", info, err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	m := startMiddleman(t, s.Addr())
	config.Store = openStore(t, path)
	config.Pins = session.NewPins(config.Store)
	config.Dial = m.dial
	ann = enter(t, config)
	ann.closedBy(session.CauseCertChanged)
	if ann.status.Detail != m.words || m.words == words {
		t.Errorf("the words are %q, of the man in the middle %q", ann.status.Detail, m.words)
	}
	m.mu.Lock()
	if m.read.Len() > 0 {
		t.Errorf("he has read %q", m.read.String())
	}
	m.mu.Unlock()
	config.Pins.Trust(s.base, m.words)
	ann.room.Reconnect()
	ann.connected()
	ann.shows("hello")
	ann.room.Close()
	config.Dial = nil
	ann = enter(t, config)
	ann.closedBy(session.CauseCertChanged) // the real one is another one now
}

// A link gives no server the secret of another: neither one that names, for a
// stranger's server, the certificate of the known server, nor one that names the
// stranger's certificate for the known server.
func TestLinkMovesNoSecret(t *testing.T) {
	certificate, evil := testAuthority.issue(t, false), testAuthority.issue(t, false)
	words, evilWords := shared.Fingerprint(certificate.Certificate[0]), shared.Fingerprint(evil.Certificate[0])
	known, show := showing(t)
	show(certificate)
	stranger, show := showing(t)
	show(evil)
	for _, kept := range []session.Store{nil, openStore(t, filepath.Join(t.TempDir(), "store"))} {
		pins := session.NewPins(kept)
		if _, p := probe(t, known, pins); p != nil {
			t.Fatal(p)
		}
		secret := pins.Device(known)

		if pins.Expect(known, evilWords) {
			t.Error("the known server is expected with another certificate")
		}
		pins.Trust(known, evilWords) // which no handshake has shown
		if got := pins.Words(known); got != words {
			t.Errorf("the known server is known by %q", got)
		}

		pins.Expect(stranger, words)
		if kept != nil {
			pins = session.NewPins(kept) // a restart forgets nothing of it
		}
		if info, p := probe(t, stranger, pins); p == nil || p.Cause != session.CauseCertChanged || p.Detail != evilWords {
			t.Fatalf("another certificate than the link names: %+v, %v", info, p)
		}
		pins.Trust(stranger, evilWords)
		if _, p := probe(t, stranger, pins); p != nil || pins.Words(stranger) != evilWords {
			t.Fatalf("the person trusts it, and still: %v", p)
		}
		if got := pins.Device(stranger); got == secret {
			t.Error("the stranger's server gets the secret of the known one")
		}
		if got := pins.Device(known); got != secret {
			t.Errorf("the known server gets %q, before %q", got, secret)
		}
	}
}

// A server that first passes on another one's TLS, and then shows a certificate of its
// own that the person trusts, does not get the other's secret.
func TestRelayGetsNoSecret(t *testing.T) {
	certificate, evil := testAuthority.issue(t, false), testAuthority.issue(t, false)
	evilWords := shared.Fingerprint(evil.Certificate[0])
	known, show := showing(t)
	show(certificate)
	for _, kept := range []session.Store{nil, openStore(t, filepath.Join(t.TempDir(), "store"))} {
		relay, show := showing(t)
		show(certificate)
		pins := session.NewPins(kept)
		for _, server := range []string{relay, known} {
			if _, p := probe(t, server, pins); p != nil {
				t.Fatal(p)
			}
		}
		secret := pins.Device(known)
		if pins.Device(relay) != secret {
			t.Error("two addresses of one certificate have two secrets")
		}
		show(evil)
		if kept != nil {
			pins = session.NewPins(kept) // a restart forgets nothing of it
		}
		if _, p := probe(t, relay, pins); p == nil || p.Cause != session.CauseCertChanged {
			t.Fatalf("another certificate: %v", p)
		}
		pins.Trust(relay, evilWords)
		if _, p := probe(t, relay, pins); p != nil || pins.Words(relay) != evilWords {
			t.Fatalf("the person trusts it, and still: %v", p)
		}
		if pins.Device(relay) == secret {
			t.Error("the relay gets the secret of the known server")
		}
		if got := pins.Device(known); got != secret {
			t.Errorf("the known server gets %q, before %q", got, secret)
		}
	}
}

// A link with words is believed before the first connection, and does not make
// a server known by another certificate than it was.
func TestWordsOfALink(t *testing.T) {
	s := startServer(t, "--tls", "auto")
	link, err := session.ParseLink(s.link)
	base, words := link.Base(), link.Words
	if err != nil || base != s.base || words == "" {
		t.Fatalf("%q leads to %q with the words %q, %v", s.link, base, words, err)
	}
	m := startMiddleman(t, s.Addr())
	pins := session.NewPins(nil)
	if !pins.Expect(base, words) || pins.Words(base) != "" {
		t.Errorf("before the first connection it is known by %q", pins.Words(base))
	}
	v := enter(t, session.Config{Server: base, Room: "r", User: "Ann", Pins: pins, Dial: m.dial})
	v.closedBy(session.CauseCertChanged)
	v = enter(t, session.Config{Server: base, Room: "r", User: "Ann", Pins: pins})
	v.connected()
	if pins.Words(base) != words || pins.Expect(base, m.words) {
		t.Errorf("known by %q", pins.Words(base))
	}
}
