package pglog

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Commits have a pool of their own: while a standby sleeps, each keeps its connection
// until that is awake, however many there are. What only reads needs no standby, and must
// not wait for them.
const (
	mostReads   = 8 // connections of a pool
	mostCommits = 6
)

// mostConnections is how many connections a Log takes: those of the pools and of three
// writers, one for the proof, and two for notifications. For a moment it may take two more,
// to look whether another database has taken over, or for what has stalled.
const mostConnections = mostReads + mostCommits + 3 + 1 + 2

func (l *Log) openPools(ctx context.Context, cfg *pgxpool.Config) (err error) {
	cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return !l.sockets.isOld(conn.PgConn()), nil }
	commits := cfg.Copy()
	cfg.MaxConns, commits.MaxConns = mostReads, mostCommits
	if l.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return err
	}
	if l.commits, err = pgxpool.NewWithConfig(ctx, commits); err != nil {
		l.pool.Close()
	}
	return err
}

// closePools waits for whoever has a connection.
func (l *Log) closePools() {
	l.pool.Close()
	l.commits.Close()
}

// renew gives up the pools' connections: those in use when they come back.
func (l *Log) renew() {
	l.pool.Reset()
	l.commits.Reset()
}

// snapshot reads the log as it is at one moment, and as reading does.
func (l *Log) snapshot(ctx context.Context, read func(context.Context, pgx.Tx) error) error {
	return l.reading(ctx, func(ctx context.Context) error { return readOnly(ctx, l.pool, read) })
}

func readOnly(ctx context.Context, db interface {
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}, read func(context.Context, pgx.Tx) error) error {
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	return read(ctx, tx)
}
