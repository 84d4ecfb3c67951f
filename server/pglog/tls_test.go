//go:build linux

package pglog

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/pglog/pgtest"
)

// secure is a PostgreSQL that is only let in to over TLS, at two addresses of this
// computer. Its certificate names the first one.
type secure struct {
	*pgtest.Server
	dir         string // of keys and certificates
	host, other string
	ca          authority
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func startSecure(t *testing.T) *secure {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	net := fmt.Sprintf("127.%d.%d.", 1+mrand.IntN(254), mrand.IntN(255)) // whose port nobody has
	s := &secure{dir: dir, host: net + "1", other: net + "2"}
	s.ca = s.newAuthority(t, "ca.crt")
	s.certify(t, s.ca, "server", time.Now().Add(time.Hour), s.host)
	s.write(t, "pg_hba.conf", []byte("local all all trust\nhostssl all careful all cert\nhostssl all all all trust\n"))
	server.Own(t, dir)
	s.Server, err = pgtest.Start("listen_addresses="+s.host+","+s.other, "hba_file="+s.path("pg_hba.conf"), "ssl_ca_file="+s.path("ca.crt"),
		"ssl_cert_file="+s.path("server.crt"), "ssl_key_file="+s.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.reload(t, "ALTER SYSTEM SET ssl = on")
	return s
}

func (s *secure) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file that only the server's user may read.
func (s *secure) write(t *testing.T, name string, content []byte) {
	t.Helper()
	path := s.path(name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	server.Own(t, path)
}

func (s *secure) newAuthority(t *testing.T, file string) authority {
	t.Helper()
	ca := authority{cert: &x509.Certificate{SerialNumber: big.NewInt(mrand.Int64()), Subject: pkix.Name{CommonName: file},
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}}
	ca.key = s.sign(t, ca.cert, authority{}, file)
	return ca
}

// certify makes a key, and a certificate for a host, or else for a user.
func (s *secure) certify(t *testing.T, ca authority, name string, until time.Time, host string) {
	t.Helper()
	cert := &x509.Certificate{SerialNumber: big.NewInt(mrand.Int64()), Subject: pkix.Name{CommonName: name}, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if host != "" {
		cert.IPAddresses = []net.IP{net.ParseIP(host)}
	}
	key := s.sign(t, cert, ca, name+".crt")
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// sign writes a certificate with a new key, which an authority signs, or the key itself.
func (s *secure) sign(t *testing.T, cert *x509.Certificate, ca authority, file string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if ca.key == nil {
		ca = authority{cert, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return key
}

// reload carries out statements, and has the server read its settings and certificates
// anew.
func (s *secure) reload(t *testing.T, statements ...string) {
	t.Helper()
	s.SQL(t, statements...)
	before := s.Query(t, "SELECT clock_timestamp()")
	s.SQL(t, "SELECT pg_reload_conf()")
	until(t, "it has read its settings", func() bool { return s.Query(t, "SELECT pg_conf_load_time() > '"+before+"'") == "t" })
}

// at is an address of the server, with parameters as name=value.
func (s *secure) at(user, host string, parameters ...string) string {
	return "postgres://" + user + ":Tr0ub4dor@" + host + "/postgres?" + strings.Join(parameters, "&")
}

// trusting is a parameter with a file of certificates.
func (s *secure) trusting(file string) string { return "sslrootcert=" + url.QueryEscape(s.path(file)) }

// TestConformance has the log over TLS, as it is between machines; other tests have it
// without.
func TestConformance(t *testing.T) {
	s := startSecure(t)
	address := s.at("postgres", s.host, "sslmode=verify-full", s.trusting("ca.crt"))
	open := func(t *testing.T, name string) *Log {
		t.Helper()
		l, err := Open(t.Context(), address, Options{Schema: schema(name), patience: time.Minute, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	logtest.Log(t, func(t *testing.T, name string) chat.Log { return open(t, name) })
	logtest.Registry(t, func(t *testing.T, name string) logtest.Store { return open(t, name) })
	logtest.Files(t, func(t *testing.T, name string) logtest.FileStore { return open(t, name) })
}

// TestTLS has TLS set up well, and in the ways in which it goes wrong.
func TestTLS(t *testing.T) {
	s := startSecure(t)
	s.SQL(t, "CREATE ROLE careful LOGIN SUPERUSER")
	s.newAuthority(t, "stranger.crt")
	s.certify(t, s.newAuthority(t, "elsewhere.crt"), "mallory", time.Now().Add(time.Hour), "")
	s.certify(t, s.ca, "late", time.Now().Add(-time.Minute), "")
	s.certify(t, s.ca, "careful", time.Now().Add(time.Hour), "")
	s.write(t, "empty.crt", nil)
	_, opt := listening()
	full, trusted := "sslmode=verify-full", s.trusting("ca.crt")
	as := func(user string) string {
		return "sslcert=" + url.QueryEscape(s.path(user+".crt")) + "&sslkey=" + url.QueryEscape(s.path(user+".key"))
	}
	works := func(t *testing.T, address string) {
		t.Helper()
		l, err := Open(t.Context(), address, opt)
		if err != nil {
			t.Error(err)
			return
		}
		mustAppend(t, l, "a message")
		if n := s.Query(t, "SELECT count(*) FILTER (WHERE ssl) || ' of ' || count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name = 'parley'"); n[:1] == "0" ||
			n[:strings.Index(n, " ")] != n[strings.LastIndex(n, " ")+1:] {
			t.Errorf("encrypted are %s connections", n)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	fails := func(t *testing.T, address, want string) {
		t.Helper()
		l, err := Open(t.Context(), address, opt)
		if err == nil {
			l.Close()
			t.Errorf("%s: it was opened", want)
			return
		}
		t.Log(err)
		if !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "Tr0ub4dor") {
			t.Errorf("it says %q, want %q", err, want)
		}
	}

	works(t, s.at("postgres", s.host, full, trusted))
	works(t, s.at("postgres", s.host, "sslmode=require", trusted))
	works(t, s.at("postgres", s.other+","+s.host, full, trusted)) // the first one has another name
	works(t, s.at("careful", s.host, full, trusted, as("careful")))

	fails(t, s.at("postgres", s.other, full, trusted), "certificate does not name its address: write the host in --log as the certificate names it")
	works(t, s.at("postgres", s.other, "sslmode=verify-ca", trusted))
	for _, mode := range []string{full, "sslmode=verify-ca", "sslmode=require"} {
		fails(t, s.at("postgres", s.host, mode, s.trusting("stranger.crt")), "from an unknown authority: give the file with its CA with sslrootcert")
	}
	fails(t, s.at("postgres", s.host, full), "from an unknown authority")
	fails(t, s.at("postgres", s.host, "sslmode=disable"), "does not let the user \"postgres\" in without TLS: ask for it with sslmode=verify-full")
	fails(t, s.at("careful", s.host, full, trusted), "asks the user \"careful\" for another certificate: give it with sslcert and sslkey")
	fails(t, s.at("careful", s.host, full, trusted, as("mallory")), "asks the user \"careful\" for another certificate")
	fails(t, s.at("careful", s.host, full, trusted, as("late")), "refuses this server's certificate")
	fails(t, s.at("postgres", s.host, full, s.trusting("nothing.crt")), "TLS with the database can't be set up: correct sslmode, sslrootcert")
	fails(t, s.at("postgres", s.host, full, s.trusting("empty.crt")), "the file of sslrootcert has no certificate in PEM")
	fails(t, s.at("postgres", s.host, "sslmode=what"), "TLS with the database can't be set up")
	fails(t, s.at("postgres", s.host, "sslcert=x", "sslpassword=Tr0ub4dor"), "TLS with the database can't be set up")

	t.Run("by variables", func(t *testing.T) {
		t.Setenv("PGSSLMODE", "verify-full")
		t.Setenv("PGSSLROOTCERT", s.path("ca.crt"))
		works(t, s.at("postgres", s.host))
		t.Setenv("PGSSLCERT", s.path("careful.crt"))
		t.Setenv("PGSSLKEY", s.path("careful.key"))
		works(t, s.at("careful", s.host))
		t.Setenv("PGSSLROOTCERT", s.path("stranger.crt"))
		fails(t, s.at("postgres", s.host), "from an unknown authority")
	})

	l, err := Open(t.Context(), s.at("postgres", s.host, full, trusted), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mustAppend(t, l, "before")
	s.certify(t, s.ca, "server", time.Now().Add(-time.Minute), s.host)
	s.reload(t)
	fails(t, s.at("postgres", s.host, full, trusted), "certificate has expired, or is not valid yet: make a new one")
	s.certify(t, s.ca, "server", time.Now().Add(time.Hour), s.host)
	s.reload(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'")
	mustAppend(t, l, "with a new certificate")

	s.reload(t, "ALTER SYSTEM SET ssl = off")
	fails(t, s.at("postgres", s.host, full, trusted), "PostgreSQL has no TLS, which sslmode asks for: set ssl = on there")
}

// TestExposed has addresses of a database, and whether somebody between could read along.
func TestExposed(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"postgres://db@10.0.0.1/x?sslmode=disable", "not encrypted: add sslmode=verify-full"},
		{"postgres://db@10.0.0.1/x", "does not check that it is the database"}, // with TLS
		{"postgres://db@10.0.0.1/x?sslmode=require", "does not check"},
		{"postgres://db@10.0.0.1/x?sslmode=verify-ca", ""},
		{"postgres://db@10.0.0.1/x?sslmode=verify-full", ""},
		{"postgres://db@127.0.0.1/x?sslmode=disable", ""},
		{"postgres://db@[::1]/x?sslmode=disable", ""},
		{"postgres://db@/x?host=/run/postgresql", ""},
	} {
		cfg, err := configure(c.address, "parley")
		if err != nil {
			t.Fatal(err)
		}
		var at net.Addr = &net.UnixAddr{Name: cfg.ConnConfig.Host, Net: "unix"}
		if ip := net.ParseIP(cfg.ConnConfig.Host); ip != nil {
			at = &net.TCPAddr{IP: ip}
		}
		if said := exposed(at, cfg.ConnConfig.TLSConfig); !strings.Contains(said, c.want) || c.want == "" && said != "" {
			t.Errorf("%s: %q", c.address, said)
		}
	}
}
