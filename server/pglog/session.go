package pglog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// session is a connection that writes. Nothing cancels its commits: if a context that
// ends cancelled one that waits for its standby, the wait would be over with the row to be
// seen, and no standby would have it.
type session struct {
	conn   *pgx.Conn
	warned atomic.Bool // a commit came back with a warning
}

var errNotDurable = errors.New("the database could not say whether what was written is on its standby, too")

// letGo has the database end what a server does no more that was stopped in the middle of
// a transaction, or whose machine is gone: it would keep its rooms locked for all the
// others, and its connections, for as long as the database does not know. Nobody waits
// longer than patience for an answer, so nothing is lost by that.
func letGo(cfg *pgx.ConnConfig, patience time.Duration) {
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(patience.Milliseconds())
	cfg.RuntimeParams["tcp_user_timeout"] = fmt.Sprint((4 * proofHolds).Milliseconds())
	cfg.RuntimeParams["tcp_keepalives_idle"] = "10" // seconds
	cfg.RuntimeParams["tcp_keepalives_interval"] = "5"
	cfg.RuntimeParams["tcp_keepalives_count"] = "2"
}

func (l *Log) connect(ctx context.Context) (*session, error) {
	cfg := l.pool.Config().ConnConfig
	l.sockets.dials(cfg)
	s := &session{}
	// Whatever a writer looks for has an index, also before the database has counted its
	// rows, so there is nothing to plan.
	for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"} {
		cfg.RuntimeParams[way] = "off"
	}
	cfg.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.Code == "01000" {
			s.warned.Store(true)
		}
	}
	var err error
	s.conn, err = pgx.ConnectConfig(ctx, cfg)
	return s, err
}

// durably carries out do in a transaction. Without an error, it is durable.
func (s *session) durably(ctx context.Context, do func(pgx.Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if err := do(tx); err != nil {
		return err
	}
	return s.commit(ctx, tx)
}

func (s *session) commit(ctx context.Context, tx pgx.Tx) error {
	s.warned.Store(false)
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	if s.warned.Load() {
		return errNotDurable
	}
	return nil
}

// commitAll carries out the rest of a transaction, and commits it, in one trip. Without an
// error, it is durable.
func (s *session) commitAll(ctx context.Context, c *commands) error {
	if err := c.query("COMMIT"); err != nil {
		return err
	}
	s.warned.Store(false)
	tag, err := c.carryOut(ctx)
	if err != nil {
		return err
	}
	if s.warned.Load() || tag != "COMMIT" {
		return errNotDurable
	}
	return nil
}

// patiently calls do, which may wait for the database's standby, and waits for it no
// longer than patience. What is under way goes on.
func (l *Log) patiently(ctx context.Context, do func(context.Context) error) error {
	done := make(chan error, 1)
	l.work.Go(func() { done <- do(context.WithoutCancel(ctx)) })
	late := time.NewTimer(l.opt.patience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		l.waited.Store(true)
		return errNoProof
	}
}

// inTransaction carries out do in a transaction, again if another one was in the way.
// Without an error, it is durable.
func (l *Log) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	return l.inTransactionOf(ctx, l.commits, do)
}

func (l *Log) inTransactionOf(ctx context.Context, pool *pgxpool.Pool, do func(pgx.Tx) error) error {
	return retry(ctx, func() error {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		pg := conn.Conn().PgConn()
		tx, err := conn.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(ctx)
		if err := do(tx); err != nil {
			return err
		}
		l.warned.Delete(pg)
		if err := tx.Commit(ctx); err != nil {
			return err
		}
		if _, warned := l.warned.LoadAndDelete(pg); warned {
			return errNotDurable
		}
		return nil
	})
}

// exec carries out a statement in a transaction, and returns how many rows it changed.
func (l *Log) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	var changed int64
	err = l.patiently(ctx, func(ctx context.Context) error {
		return l.inTransaction(ctx, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, query, args...)
			changed = tag.RowsAffected()
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// end closes the connection's socket, which cancels nothing.
func (s *session) end() {
	if s.conn != nil {
		_ = s.conn.PgConn().Conn().Close()
	}
}
