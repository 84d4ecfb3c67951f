package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// accepted is a certificate that the browser takes, as after its owner has
// looked at the warning and gone on.
type accepted struct{ certFile, keyFile, keyHash string }

var acceptedCertificate = sync.OnceValues(func() (a accepted, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return a, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return a, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return a, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return a, err
	}
	sum := sha256.Sum256(public)
	a = accepted{filepath.Join(scratch, "cert.pem"), filepath.Join(scratch, "key.pem"), base64.StdEncoding.EncodeToString(sum[:])}
	err = os.WriteFile(a.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	if err == nil {
		err = os.WriteFile(a.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
	}
	return a, err
})

// TestManInTheMiddle puts somebody with another certificate where the server
// was: the browser gives him nothing of the page's.
func TestManInTheMiddle(t *testing.T) {
	t.Parallel()
	a, err := acceptedCertificate()
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--tls-cert", a.certFile, "--tls-key", a.keyFile)
	p := newPerson(t)
	p.mayComplain = true
	p.enter(s.url(), "hall")
	if !strings.HasPrefix(s.url(), "https:") || !eval[bool](p, "isSecureContext") {
		t.Fatalf("the page at %s has no TLS", s.url())
	}
	p.say("before")
	p.waitFor("before")
	s.Stop()

	var asked, tried atomic.Int32
	m := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	m.Config.ErrorLog = log.New(io.Discard, "", 0)
	m.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			tried.Add(1)
		}
	}
	m.Listener.Close()
	if m.Listener, err = net.Listen("tcp", s.Addr()); err != nil {
		t.Fatal(err)
	}
	m.StartTLS()
	t.Cleanup(m.Close)
	p.say("a secret")
	eval[any](p, "dispatchEvent(new Event('online'))")
	for tried.Load() == 0 {
		p.wait("document.querySelector('.waiting')")
	}
	p.wait("document.querySelector('.waiting').innerText.includes('a secret')")
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("fetch('/').then(r => r.text())", chromedp.EvalAwaitPromise)); err == nil {
		t.Error("the page can fetch from the man in the middle")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the man in the middle was asked for something %d times", n)
	}
}
