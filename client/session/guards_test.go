package session_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"parley/client/session"
	"parley/shared"
)

// TestUnreadableRoom has a room whose rows can't be read once the store is open:
// the room goes on in memory, and what the file has is not written over.
func TestUnreadableRoom(t *testing.T) {
	s := startOddServer(t)
	path := filepath.Join(t.TempDir(), "store")
	kept := openStore(t, path)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Device: session.NewDevice(), Store: kept}
	v := enter(t, config)
	p, _ := s.welcomed("e", 1, false)
	p.send(entry(1, "1", "Bob", "what was kept"))
	v.shows("what was kept")
	v.room.Close()
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}

	kept = openStore(t, path)
	config.Store = kept
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.ReplaceAll(before, []byte(`"text":"what`), []byte(`"text"="what`))
	if bytes.Equal(before, damaged) {
		t.Fatal("the row is not in the file")
	}
	write(t, path, damaged)
	v = enter(t, config)
	v.until("the trouble", func() bool { return v.failure != nil })
	p, hello := s.welcomed("e", 1, false)
	if hello.Epoch != "" {
		t.Errorf("resumes %+v", hello)
	}
	v.send("goes on")
	m := p.expect(shared.TypeChat)
	p.send(entry(2, m.ID, "Ann", m.Text))
	v.shows("goes on")
	v.room.SetDraft("a draft")
	v.room.Close()
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(after, damaged) {
		t.Errorf("the file was written to, %v", err)
	}
	write(t, path, before)
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	kept = openStore(t, path)
	defer kept.Close()
	if recent := kept.Recent(); len(recent) != 1 || recent[0].Last.Text != "what was kept" {
		t.Errorf("recent is %+v", recent)
	}
}

// write puts data into a file that another has open.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
}

// authority vouches for certificates, and is one of the system's in these tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// testAuthority is made before the system's authorities are read.
var testAuthority authority

func makeAuthority(dir string) error {
	a := &testAuthority
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	path := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.Setenv("SSL_CERT_FILE", path)
}

// issue makes a certificate for 127.0.0.1, which the authority vouches for, or
// nobody.
func (a *authority) issue(t *testing.T, vouched bool) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	parent, signer := template, key
	if vouched {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestCertificateDowngrade lets a server that an authority vouched for show a
// self-signed certificate. The client refuses it, also after a restart.
func TestCertificateDowngrade(t *testing.T) {
	good, own := testAuthority.issue(t, true), testAuthority.issue(t, false)
	server, show := showing(t)
	path := filepath.Join(t.TempDir(), "store")
	for _, c := range []struct {
		what        string
		certificate *tls.Certificate
		refused     bool
	}{
		{"an authority's", good, false},
		{"another of the authority's", testAuthority.issue(t, true), false},
		{"its own", own, true},
		{"the authority's again", good, false},
	} {
		show(c.certificate)
		kept := openStore(t, path)
		info, p := probe(t, server, session.NewPins(kept))
		switch {
		case c.refused && (p == nil || p.Cause != session.CauseCertChanged || p.Detail != shared.Fingerprint(own.Certificate[0])):
			t.Errorf("%s: %+v, %v", c.what, info, p)
		case !c.refused && (p != nil || info.Words != ""):
			t.Errorf("%s: %+v, %v", c.what, info, p)
		}
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAuthorityReplacesNoPin has a server that is known by its own certificate show
// one that an authority vouches for: the person is asked, and then its successors
// are good, too. The device stays.
func TestAuthorityReplacesNoPin(t *testing.T) {
	own, good, next := testAuthority.issue(t, false), testAuthority.issue(t, true), testAuthority.issue(t, true)
	words := func(c *tls.Certificate) string { return shared.Fingerprint(c.Certificate[0]) }
	server, show := showing(t)
	kept := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer kept.Close()
	pins := session.NewPins(kept)
	try := func(what string, c *tls.Certificate, refused bool, known string) {
		t.Helper()
		show(c)
		info, p := probe(t, server, pins)
		if (p != nil) != refused || refused && (p.Cause != session.CauseCertChanged || p.Detail != words(c)) {
			t.Errorf("%s: %+v, %v", what, info, p)
		}
		if got := session.NewPins(kept).Words(server); got != known {
			t.Errorf("%s: the server is known by %q, want %q", what, got, known)
		}
	}
	try("its own", own, false, words(own))
	device := pins.Device(server)
	try("an authority's", good, true, words(own))
	try("its own again", own, false, words(own))
	try("an authority's again", good, true, words(own))
	pins.Trust(server, words(good))
	if got := pins.Words(server); got != "" {
		t.Errorf("an authority's certificate was pinned as %q", got)
	}
	try("the one that is trusted", good, false, "")
	try("the next", next, false, "")
	try("its own, at last", own, true, "")
	if got := pins.Device(server); got != device {
		t.Errorf("the device is %q, was %q", got, device)
	}

	pins = session.NewPins(nil) // by a link
	pins.Expect(server, words(own))
	show(good)
	if info, p := probe(t, server, pins); p == nil || p.Cause != session.CauseCertChanged {
		t.Errorf("another certificate than a link names: %+v, %v", info, p)
	}
}

// probe asks a server who it is.
func probe(t *testing.T, server string, pins *session.Pins) (session.ServerInfo, *session.Problem) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stuckAfter)
	defer cancel()
	info, err := session.DialFunc(nil).Probe(ctx, server, pins)
	p, _ := err.(*session.Problem)
	return info, p
}

// showing starts a server that shows the certificate that the test sets.
func showing(t *testing.T) (server string, show func(*tls.Certificate)) {
	t.Helper()
	var shown atomic.Pointer[tls.Certificate]
	shown.Store(testAuthority.issue(t, false))
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"name":"n","protocol":"` + shared.Protocol + `"}`))
	}))
	web.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*shown.Load()}}, nil
	}}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	return web.URL, shown.Store
}
