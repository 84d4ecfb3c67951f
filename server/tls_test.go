package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// runServer runs the server with flags until the test ends, or stop.
func runServer(t *testing.T, args ...string) (out *output, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out = newOutput()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append([]string{"--addr", "127.0.0.1:0"}, args...), nil, out, out)
		out.end()
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return out, stop
}

// insecure takes any certificate and keeps it.
func insecure(t *testing.T, config *tls.Config) *http.Client {
	t.Helper()
	config.InsecureSkipVerify = true
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func certificateOf(t *testing.T, url string) *x509.Certificate {
	t.Helper()
	resp, err := insecure(t, &tls.Config{}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if h := resp.Header.Get("Strict-Transport-Security"); h != "" {
		t.Errorf("a certificate that nobody vouches for comes with HSTS: %s", h)
	}
	return resp.TLS.PeerCertificates[0]
}

// The own certificate is made once; its words are printed and in the link.
func TestOwnCertificate(t *testing.T) {
	data := t.TempDir()
	out, stop := runServer(t, "--data", data, "--tls", "auto", "--http-addr", "127.0.0.1:0")
	link := out.wait(t, `https://127\.0\.0\.1:\d+/#[a-z-]+`)
	url, words, _ := strings.Cut(link, "#")
	out.wait(t, `(?m)^  `+words+`$`)
	first := certificateOf(t, url)
	if got := shared.Fingerprint(first.Raw); got != words {
		t.Errorf("the certificate's words are %s, the link has %s", got, words)
	}
	if err := first.VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(data, "tls-key.pem")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	if _, err := insecure(t, &tls.Config{MaxVersion: tls.VersionTLS11}).Get(url); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	plain := out.wait(t, `http://127\.0\.0\.1:\d+/`)
	if resp, err := http.Get(plain + "api/server"); err != nil || resp.StatusCode != 200 {
		t.Errorf("without TLS: %v", err)
	} else {
		resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()

	c, _, err := websocket.Dial(t.Context(), url+"ws/chat/hall/ann", &websocket.DialOptions{HTTPClient: insecure(t, &tls.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	write(t, c, `{"message":"hello"}`)
	if m := readUntil(t, c, shared.TypeChat); m.Text != "hello" {
		t.Errorf("got %+v", m)
	}
	readOn(c)
	stop()

	out, _ = runServer(t, "--data", data, "--tls", "auto")
	if again := out.wait(t, `#[a-z-]+`); again != "#"+words {
		t.Errorf("after a restart the words are %s, were %s", again, words)
	}
}

// authority makes certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	return a
}

// write writes a new certificate for chat.example and its key.
func (a *authority) write(certFile, keyFile string, serial int64) {
	a.t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"chat.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		a.t.Fatal(err)
	}
	if err := writePEM(keyFile, "PRIVATE KEY", private); err != nil {
		a.t.Fatal(err)
	}
}

// SIGHUP reads the certificate again; one that can't be read changes nothing.
func TestCertificateIsReadAgain(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGHUP")
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ca := newAuthority(t)
	ca.write(cert, key, 7)
	out, _ := runServer(t, "--data", dir, "--tls-cert", cert, "--tls-key", key)
	url := out.wait(t, `https://127\.0\.0\.1:\d+/`)
	serial := func(want int64) {
		t.Helper()
		if got := certificateOf(t, url).SerialNumber.Int64(); got != want {
			t.Errorf("the certificate's number is %d, want %d", got, want)
		}
	}
	hangUp := func() {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(syscall.SIGHUP)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	serial(7)
	ca.write(cert, key, 8)
	serial(7)
	hangUp()
	out.wait(t, "the certificate was read again")
	serial(8)
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	out.wait(t, "the certificate stays as it was")
	serial(8)
}

// Browsers are told to stay on TLS by a real certificate alone, and its names
// are the server's.
func TestRealCertificate(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t)
	c := &certificate{certFile: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"), roots: x509.NewCertPool()}
	ca.write(c.certFile, c.keyFile, 1)
	sent := func(r *http.Request) string {
		w := httptest.NewRecorder()
		c.stayOnTLS(http.NotFoundHandler()).ServeHTTP(w, r)
		return w.Header().Get("Strict-Transport-Security")
	}
	secure := httptest.NewRequest("GET", "https://chat.example/", nil)
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	if h := sent(secure); h != "" || c.words() == "" || c.names() != nil {
		t.Errorf("of an unknown authority: HSTS %q, words %q, names %q", h, c.words(), c.names())
	}
	c.roots.AddCert(ca.cert)
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	if h := sent(secure); !strings.HasPrefix(h, "max-age=") || c.words() != "" || len(c.names()) != 1 {
		t.Errorf("of a known authority: HSTS %q, words %q, names %q", h, c.words(), c.names())
	}
	if h := sent(httptest.NewRequest("GET", "http://chat.example/", nil)); h != "" {
		t.Errorf("without TLS: HSTS %q", h)
	}
}

func TestTLSOptions(t *testing.T) {
	for want, args := range map[string][]string{
		"--tls takes auto":                       {"--tls", "yes"},
		"--tls-cert and --tls-key go together":   {"--tls-cert", "x"},
		"--tls auto makes its own certificate":   {"--tls", "auto", "--tls-cert", "x", "--tls-key", "y"},
		"--http-addr is for a server with TLS":   {"--http-addr", ":80"},
		"the certificate nowhere with the key x": {"--addr", "127.0.0.1:0", "--tls-cert", "nowhere", "--tls-key", "x"},
	} {
		if err := run(t.Context(), append(args, "--data", t.TempDir()), nil, newOutput(), newOutput()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
