package pglog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What a start says of TLS between this server and the database.

const (
	noTLS     = "server refused TLS connection" // as pgx says it
	tlsFailed = "failed to configure TLS ("
	noCA      = "unable to add CA to cert pool"
)

// sayTLSConfig makes a sentence of what pgx says of the settings of TLS, and reports
// whether it is about them.
func sayTLSConfig(why string) (said error, is bool) {
	why, is = strings.CutPrefix(why, tlsFailed)
	if !is {
		return nil, false
	}
	why = strings.TrimSuffix(why, ")")
	if why == noCA {
		why = "the file of sslrootcert has no certificate in PEM"
	}
	return fmt.Errorf("TLS with the database can't be set up: correct sslmode, sslrootcert, sslcert and sslkey in --log, "+
		"or PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY (%s)", why), true
}

// sayTLS makes a sentence of why there is no TLS with the database, or returns nil if that
// is not the reason.
func sayTLS(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		broken  *tls.CertificateVerificationError
		remote  *net.OpError
	)
	switch {
	case strings.Contains(err.Error(), noTLS):
		return fmt.Errorf("PostgreSQL has no TLS, which sslmode asks for: set ssl = on there, with ssl_cert_file and ssl_key_file (%v)", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("PostgreSQL's certificate is from an unknown authority: give the file with its CA with sslrootcert in --log, or PGSSLROOTCERT (%v)", err)
	case errors.As(err, &name):
		return fmt.Errorf("PostgreSQL's certificate does not name its address: write the host in --log as the certificate names it, "+
			"or make a certificate for this host (%v)", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("PostgreSQL's certificate has expired, or is not valid yet: make a new one, or set this computer's clock (%v)", err)
	case errors.As(err, &invalid), errors.As(err, &broken):
		return fmt.Errorf("PostgreSQL's certificate can't be used: make another one (%v)", err)
	case errors.As(err, &remote) && remote.Op == "remote error": // an alert
		return fmt.Errorf("PostgreSQL refuses this server's certificate, or its version of TLS: give a valid certificate from its ssl_ca_file "+
			"with sslcert and sslkey in --log, or PGSSLCERT and PGSSLKEY (%v)", err)
	}
	return nil
}

// sayNotLetIn makes a sentence of why PostgreSQL does not let the user in.
func sayNotLetIn(cfg *pgx.ConnConfig, pg *pgconn.PgError, why string) error {
	switch {
	case strings.Contains(pg.Message, "no encryption"):
		return fmt.Errorf("PostgreSQL does not let the user %q in without TLS: ask for it with sslmode=verify-full in --log, or PGSSLMODE (%s)", cfg.User, why)
	case strings.Contains(pg.Message, "certificate"):
		return fmt.Errorf("PostgreSQL asks the user %q for another certificate: give it with sslcert and sslkey in --log, or PGSSLCERT and PGSSLKEY (%s)", cfg.User, why)
	}
	return fmt.Errorf("PostgreSQL does not let the user %q in: correct the user in --log, and the password in PGPASSWORD, PGPASSFILE or a service file (%s)", cfg.User, why)
}

// sayWay warns if somebody between this server and the database could read along.
func (l *Log) sayWay(conn *pgx.Conn) {
	way, cfg := conn.PgConn().Conn(), conn.Config().TLSConfig
	if _, is := way.(*tls.Conn); !is {
		cfg = nil
	}
	if said := exposed(way.RemoteAddr(), cfg); said != "" {
		l.opt.Logger.Warn(said)
	}
}

// exposed says how others could read what goes to a database, or "". The configuration is
// that of the connection's TLS, nil without it.
func exposed(database net.Addr, cfg *tls.Config) string {
	tcp, ok := database.(*net.TCPAddr)
	switch {
	case !ok || tcp.IP.IsLoopback():
		return ""
	case cfg == nil:
		return "what goes between this server and the database is not encrypted: " + askForTLS
	case cfg.InsecureSkipVerify && cfg.VerifyPeerCertificate == nil:
		return "this server does not check that it is the database that answers at the address in --log: " + askForTLS
	}
	return ""
}

const askForTLS = "add sslmode=verify-full and sslrootcert to --log, or set PGSSLMODE and PGSSLROOTCERT"
