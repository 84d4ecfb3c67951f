package pglog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What a start looks at, and says to whoever has to mend it.

const (
	connectTimeout = time.Second      // of one host of the database's address
	startFor       = 10 * time.Second // a start waits for the database
	retryEvery     = 250 * time.Millisecond
	oldestVersion  = 15 // of PostgreSQL
	clockApart     = time.Minute
)

// configure reads an address. No error of it has the password.
func configure(address, schema string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		said := unsecret(address, err)
		if err, is := sayTLSConfig(said); is {
			return nil, err
		}
		return nil, fmt.Errorf("--log is no address of a PostgreSQL database, like postgres://user@host/name: %s", said)
	}
	c := cfg.ConnConfig
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	c.RuntimeParams["application_name"] = "parley"
	if c.ValidateConnect == nil { // of several hosts, the one that can be written
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return cfg, nil
}

// unsecret is what is wrong with an address, without its password.
func unsecret(address string, err error) string {
	u, parsed := url.Parse(address)
	if parsed != nil { // what stands where can't be told, so nothing of it is said
		return "it can't be taken apart; signs like # / : @ in a password are written as %23 %2F %3A %40, or the password is left to PGPASSWORD"
	}
	said := err.Error()
	if _, after, found := strings.Cut(said, "`: "); found { // behind the address itself
		said = after
	}
	password, _ := u.User.Password()
	for _, secret := range []string{password, url.QueryEscape(password), u.Query().Get("password"), u.Query().Get("sslpassword")} {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "…")
		}
	}
	return said
}

// HasPassword reports whether an address has a password in it.
func HasPassword(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	_, has := u.User.Password()
	return has || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// await connects to the database, which may be starting, or changing its primary, and has
// do go on with the connection; again, if the database goes away meanwhile.
func await(ctx context.Context, cfg *pgx.ConnConfig, wait time.Duration, do func(*pgx.Conn) error) error {
	for deadline := time.Now().Add(wait); ; {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err == nil {
			err = do(conn)
		}
		if err == nil {
			return nil
		}
		said, lasts := sayAway(cfg, err)
		if lasts || ctx.Err() != nil || time.Now().After(deadline) {
			return said
		}
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
		}
	}
}

// sayAway makes a sentence of why there is no connection, or none any more, and reports
// whether it is something else, or waiting is of no use.
func sayAway(cfg *pgx.ConnConfig, err error) (said error, lasts bool) {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return sayConnect(cfg, connect.Unwrap())
	}
	var pg *pgconn.PgError
	var network *net.OpError
	if errors.As(err, &pg) && strings.HasPrefix(pg.Code, "57P0") || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("PostgreSQL ends the connection: look in its log why (%w)", err), false
	}
	return err, true
}

// unusable is why a log can't be opened. Much of it may come from whatever answers.
type unusable struct{ err error }

const mostSaid = 600 // characters

// Error implements error, in one line that does nothing to a terminal.
func (u unusable) Error() string {
	said := []rune(strings.ReplaceAll(u.err.Error(), "\n", "; "))
	if len(said) > mostSaid {
		said = append(said[:mostSaid], '…')
	}
	for i, r := range said {
		if !unicode.IsPrint(r) {
			said[i] = unicode.ReplacementChar
		}
	}
	return "the database can't be used: " + string(said)
}

// Unwrap returns what it is.
func (u unusable) Unwrap() error { return u.err }

// sayConnect makes a sentence of why there is no connection, and reports whether waiting
// is of no use.
func sayConnect(cfg *pgx.ConnConfig, err error) (said error, lasts bool) {
	why := err.Error()
	if said := sayTLS(err); said != nil {
		return said, true
	}
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fmt.Errorf("only standbys answer, which can't be written: promote one, or give the address of the primary with --log (%s)", why), false
	case !errors.As(err, &pg):
		return fmt.Errorf("no PostgreSQL server answers: start it, or correct the address in --log (%s)", why), false
	case pg.Code == "28P01" || pg.Code == "28000":
		return sayNotLetIn(cfg, pg, why), true
	case pg.Code == "3D000":
		return fmt.Errorf("there is no database %q: make it with createdb, or correct its name in --log", cfg.Database), true
	case pg.Code == "42501":
		return fmt.Errorf("the user %q may not use the database %q: allow it with GRANT CONNECT, CREATE ON DATABASE (%s)", cfg.User, cfg.Database, why), true
	case pg.Code == "53300":
		return fmt.Errorf("PostgreSQL has no connection left: raise its max_connections; a Parley server takes up to %d (%s)", mostConnections, why), false
	case strings.Contains(pg.Message, "unsupported startup parameter"):
		return errPooler, true
	}
	return fmt.Errorf("PostgreSQL refuses the connection: %s", why), !mayPass(pg)
}

// mayPass reports whether an error may be over soon: the server starts, stops, or its
// connections were cut.
func mayPass(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.Code, "57P0") || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53")
}

var errPooler = errors.New("the address in --log is not PostgreSQL's own, but of a pooler like PgBouncer, which passes on no notifications: give that of PostgreSQL itself")

// major is the number that a version begins with, as in 16beta1; 0 for none.
func major(version string) (n int) {
	for _, r := range version {
		if r < '0' || r > '9' || n > 1000 {
			break
		}
		n = n*10 + int(r-'0')
	}
	return n
}

// look looks whether the database can be used. It needs a second connection.
func (l *Log) look(ctx context.Context, conn *pgx.Conn) error {
	version := conn.PgConn().ParameterStatus("server_version")
	if major(version) < oldestVersion {
		return fmt.Errorf("it is PostgreSQL %s, and Parley needs %d or newer: upgrade it, for example with pg_upgradecluster", version, oldestVersion)
	}
	return l.tryNotify(ctx, conn)
}

// warn warns of how the database is set up.
func (l *Log) warn(ctx context.Context, conn *pgx.Conn) error {
	var durable, fsync, names string
	var standbys int
	var now time.Time
	asked := time.Now()
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), "+
		"current_setting('fsync'), current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication), clock_timestamp()").
		Scan(&durable, &fsync, &names, &standbys, &now); err != nil {
		return err
	}
	if apart := l.opt.Now().Sub(now); apart.Abs()-time.Since(asked) > clockApart {
		l.opt.Logger.Warn("this computer's clock and the database's differ: set both by the network, with NTP", "by", apart.Round(time.Second).String())
	}
	l.sayPromise(durable, fsync, names, standbys)
	l.sayWay(conn)
	return nil
}

// sayPromise says what a message survives that was acknowledged.
func (l *Log) sayPromise(durable, fsync, names string, standbys int) {
	warn := l.opt.Logger.Warn
	if fsync == "off" {
		warn("fsync is off in PostgreSQL: a power cut may destroy the database. Set fsync = on in postgresql.conf")
	}
	if durable == "off" {
		warn("synchronous_commit is off in PostgreSQL: a crash loses messages that were acknowledged. Set synchronous_commit = on")
		return
	}
	switch synchronous := names != "" && durable != "local"; {
	case synchronous && durable == "remote_write":
		warn("synchronous_commit is remote_write: a message that was acknowledged survives the loss of one server, but not a power cut of both. Set synchronous_commit = on")
	case synchronous:
		l.opt.Logger.Info("a message that was acknowledged is on a synchronous standby, too: it survives the loss of one server")
	case standbys > 0:
		warn("the database's standbys are asynchronous: when one takes over, the newest messages may be lost, also acknowledged ones. To keep them, set synchronous_standby_names",
			"standbys", standbys)
	default:
		warn("the database has no standby: if its disk is lost, so are all messages since the last backup")
	}
}

// tryNotify looks whether notifications arrive.
func (l *Log) tryNotify(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, l.opt.startFor)
	defer cancel()
	name := channel + "_try_" + l.server
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
		return err
	}
	if _, err := l.pool.Exec(ctx, "SELECT pg_notify($1, '')", name); err != nil {
		return err
	}
	switch _, err := conn.WaitForNotification(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		return errPooler
	default:
		return err
	}
}

// sayOpen makes a sentence of an error that PostgreSQL gives while the log is opened.
func sayOpen(cfg *pgx.ConnConfig, schema string, err error) error {
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, errNoProof):
		return errors.New("PostgreSQL does not confirm that something was written: look whether its synchronous standby runs (pg_stat_replication), " +
			"and whether it is the primary")
	case !errors.As(err, &pg):
		return err
	case pg.Code == "42501":
		return fmt.Errorf("the user %q may not make what it needs in the database %q: as its owner, run CREATE SCHEMA %s AUTHORIZATION %s (%s)",
			cfg.User, cfg.Database, pgx.Identifier{schema}.Sanitize(), pgx.Identifier{cfg.User}.Sanitize(), pg.Message)
	case pg.Code == "55P03":
		return errors.New("another program copies this log, or changes its tables: wait until it has ended, or end it")
	case pg.Code == "53100":
		return fmt.Errorf("the disk of PostgreSQL is full: make room on it (%s)", pg.Message)
	}
	return err
}
