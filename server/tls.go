package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"parley/shared"
)

// certificate is what the server shows of itself. It may be loaded anew while
// connections go on.
type certificate struct {
	certFile, keyFile string
	roots             *x509.CertPool // that tell a real one; nil are the system's
	current           atomic.Pointer[loaded]
}

type loaded struct {
	tls.Certificate
	real bool // others than this server vouch for it
}

// openCertificate returns the certificate that the options ask for, nil for none.
func openCertificate(o *options) (*certificate, error) {
	c := &certificate{certFile: o.tlsCert, keyFile: o.tlsKey}
	if o.tls == "auto" {
		c.certFile, c.keyFile = filepath.Join(o.data, "tls-cert.pem"), filepath.Join(o.data, "tls-key.pem")
		if err := c.makeOnce(); err != nil {
			return nil, err
		}
	}
	if c.certFile == "" {
		return nil, nil
	}
	return c, c.load()
}

// load reads the files. If that fails, what was loaded before stays.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("the certificate %s with the key %s can't be used: %w", c.certFile, c.keyFile, err)
	}
	intermediates := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if cert, err := x509.ParseCertificate(der); err == nil {
			intermediates.AddCert(cert)
		}
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: intermediates})
	c.current.Store(&loaded{pair, err == nil})
	return nil
}

// makeOnce makes a key and a certificate if there are none yet. It lasts for
// as long as a server does: clients know it by its fingerprint.
func (c *certificate) makeOnce() error {
	if _, err := os.Stat(c.certFile); !errors.Is(err, fs.ErrNotExist) {
		return nil // load reports that it can't be read
	}
	fail := func(err error) error { return fmt.Errorf("a certificate can't be made: %w", err) }
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fail(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Parley"},
		NotBefore:    time.Now().Add(-24 * time.Hour), // clocks of a network differ
		NotAfter:     time.Now().AddDate(30, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},

		BasicConstraintsValid: true,
	}
	if own, err := os.Hostname(); err == nil {
		template.DNSNames = append(template.DNSNames, own, own+".local")
	}
	for _, a := range findAddresses().list() {
		template.IPAddresses = append(template.IPAddresses, a.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fail(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(c.certFile), 0o700); err != nil {
		return fail(err)
	}
	// The key first: a certificate without its key would stay, and be of no use.
	if err := writePEM(c.keyFile, "PRIVATE KEY", private); err != nil {
		return fail(err)
	}
	if err := writePEM(c.certFile, "CERTIFICATE", der); err != nil {
		return fail(err)
	}
	return nil
}

// writePEM writes a file whole or not at all, readable by its owner.
func writePEM(path, kind string, der []byte) error {
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// words are the certificate's fingerprint for people; "" for a real one, which
// nobody needs to compare.
func (c *certificate) words() string {
	l := c.current.Load()
	if l.real {
		return ""
	}
	return shared.Fingerprint(l.Certificate.Certificate[0])
}

// listen wraps a listener.
func (c *certificate) listen(l net.Listener) net.Listener {
	return tls.NewListener(strayListener{l}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"}, // WebSocket needs it
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().Certificate, nil
		},
	})
}

// stayOnTLS has browsers never come by plain HTTP again (RFC 6797). With another
// certificate than a real one it would lock them out instead.
func (c *certificate) stayOnTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && c.current.Load().real {
			w.Header().Set("Strict-Transport-Security", "max-age=15552000")
		}
		next.ServeHTTP(w, r)
	})
}

// names are the DNS names of a real certificate: for them no other page's name
// can stand.
func (c *certificate) names() []string {
	if l := c.current.Load(); l.real {
		return l.Leaf.DNSNames
	}
	return nil
}
