package session

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"parley/shared"
)

// Pins are the certificates by which this device knows servers again. The first
// that a server shows is kept, and any further one refused until the person trusts
// it: see Trust. Of a server whose first certificate an authority of the system
// vouched for, every such certificate is good. Pins also know the secret that each
// server gets: see Device. They may be used from any goroutine.
type Pins struct {
	store Store // nil: they last as long as the app

	spare string // see UseSpare

	mu      sync.Mutex
	words   map[string]string  // by the server's base, or linked of it
	devices map[string]string  // by Identity: what servers have been told
	unkept  map[string]bool    // the devices that the store has not taken
	refused map[string]refusal // by the server's base, the last
}

// refusal is a certificate that a server has shown, and that was refused.
type refusal struct {
	words   string
	vouched bool // by an authority
}

// vouched is kept for a server whose certificate an authority vouched for. Such a
// server can't fall back to a self-signed certificate.
const vouched = "authority"

// NewPins returns the pins of a store, or with none, empty ones.
func NewPins(store Store) *Pins {
	return &Pins{store: store, spare: NewDevice(),
		words: make(map[string]string), devices: make(map[string]string), unkept: make(map[string]bool), refused: make(map[string]refusal)}
}

// Words is the fingerprint by which a server is known, as the server's terminal
// shows it; "" if there is none, or none is needed.
func (p *Pins) Words(server string) string {
	if words := p.known(server); words != vouched {
		return words
	}
	return ""
}

// Trust makes a fingerprint the one by which the server is known, as the person
// who has compared it says. It must be that of the certificate that was refused last;
// of any other, Trust does nothing. A server that was known before keeps this device's
// secret, unless another server is known by the same certificate: one of the two may only
// have passed on the other's TLS, and must not get the other's secret now. If the certificate is an authority's, its successors are good, too.
func (p *Pins) Trust(server, words string) {
	p.mu.Lock()
	shown, refused := p.refused[server]
	if refused = refused && shown.words == words; refused {
		delete(p.refused, server)
	}
	p.mu.Unlock()
	if !refused {
		return
	}
	before := p.known(server)
	if shown.vouched {
		words = vouched
	}
	if before != "" && before != words && (before == vouched || p.alone(server, before)) {
		p.handOver(Identity(server, before), Identity(server, words))
	}
	p.keep(server, words)
}

// alone reports whether no server but this one is known by a fingerprint.
func (p *Pins) alone(server, words string) bool {
	var pinned []string
	p.mu.Lock()
	for other, kept := range p.words {
		if kept == words {
			pinned = append(pinned, other)
		}
	}
	p.mu.Unlock()
	if p.store != nil {
		kept, err := p.store.Pinned(words)
		if err != nil {
			return false // nobody knows
		}
		pinned = append(pinned, kept...)
	}
	return !slices.ContainsFunc(pinned, func(other string) bool { return other != server && !strings.HasPrefix(other, linkPrefix) })
}

func (p *Pins) keep(server, words string) {
	p.mu.Lock()
	p.words[server] = words
	p.mu.Unlock()
	if p.store != nil {
		_ = p.store.SetPin(server, words) // what is not kept is asked again
	}
}

// linked is the key under which the words of a link are kept. They are no pin: a link
// can name any certificate, also that of another server.
func linked(server string) string { return linkPrefix + server }

const linkPrefix = "link "

// Expect makes the first certificate of a server be compared with a link's fingerprint.
// It reports false if the server is known already, by another one.
func (p *Pins) Expect(server, words string) bool {
	known := p.known(server)
	if known == "" {
		p.keep(linked(server), words)
	}
	return known == "" || known == words || known == vouched
}

// Expected is the fingerprint that a link gave for a server, "" if none did.
func (p *Pins) Expected(server string) string { return p.known(linked(server)) }

func (p *Pins) known(server string) string {
	p.mu.Lock()
	words := p.words[server]
	p.mu.Unlock()
	if words == "" && p.store != nil {
		words = p.store.Pin(server)
	}
	return words
}

// CertificateError is why a server's certificate was refused.
type CertificateError struct {
	Known string // the words by which the server is known, or a link's; "" for an authority's word
	Got   string // those of the certificate that it showed
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("the certificate is %s, not %s", e.Got, e.Known)
}

// config is for connections to one server.
func (p *Pins) config(server string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies, against the pins too
		VerifyConnection:   func(cs tls.ConnectionState) error { return p.verify(server, cs) },
	}
}

func (p *Pins) verify(server string, cs tls.ConnectionState) error {
	leaf := cs.PeerCertificates[0]
	words, known, expected := shared.Fingerprint(leaf.Raw), p.known(server), p.Expected(server)
	authority := known != words && vouchedFor(server, cs.PeerCertificates)
	switch {
	case known == words, known == vouched && authority:
	case known == "" && expected == "" && authority:
		p.keep(server, vouched)
	case known == "" && (expected == "" || expected == words):
		p.keep(server, words)
	default:
		p.mu.Lock()
		p.refused[server] = refusal{words, authority}
		p.mu.Unlock()
		if known == "" {
			return &CertificateError{Known: expected, Got: words}
		}
		return &CertificateError{Known: p.Words(server), Got: words}
	}
	return nil
}

// vouchedFor reports whether an authority of the system vouches for the chain
// as the server's.
func vouchedFor(server string, chain []*x509.Certificate) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{DNSName: u.Hostname(), Intermediates: intermediates})
	return err == nil
}
