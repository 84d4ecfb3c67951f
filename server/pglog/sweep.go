package pglog

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	sweepEvery  = time.Hour
	forgetAfter = 30 * 24 * time.Hour // counters of a server that is not there
)

// sweep deletes now and then what nobody needs any more of who was where, and the
// counters of servers that do not come back, like those whose data folder is gone.
func (l *Log) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var upTo int64
	for {
		var err error
		if upTo, err = l.sweepNow(ctx, upTo, forgetAfter); err != nil && ctx.Err() == nil {
			l.says.Do(func() {
				l.opt.Logger.Warn("what servers have left that are not there any more can't be deleted now", "error", err)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweepNow does it once. A room of this server that nobody is in any more goes if that
// was told up to a change: by then every server has read it, because one that has not
// read for so long was taken for dead, and begins anew. It returns the newest change.
func (l *Log) sweepNow(ctx context.Context, upTo int64, forget time.Duration) (newest int64, err error) {
	newest = upTo
	err = l.people.change(ctx, statement{"DELETE FROM people WHERE server = $1 AND n <= $2 AND people::json->>'count' = '0'", []any{l.server, upTo}})
	if err != nil {
		return newest, err
	}
	err = l.inTransaction(ctx, func(tx pgx.Tx) error {
		if err := each(ctx, tx,
			statement{"SET LOCAL synchronous_commit = off", nil},
			statement{"SELECT pg_advisory_xact_lock($1)", []any{number("sweep")}},
			statement{"UPDATE marks SET away = NULL WHERE away IS NOT NULL AND EXISTS (SELECT 1 FROM servers WHERE id = server)", nil},
			statement{"UPDATE marks SET away = " + nowMS + " WHERE away IS NULL AND NOT EXISTS (SELECT 1 FROM servers WHERE id = server)", nil},
			statement{"DELETE FROM marks WHERE away < " + nowMS + " - $1", []any{forget.Milliseconds()}},
		); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT last_value FROM people_n").Scan(&newest)
	})
	return newest, err
}

const nowMS = "(extract(epoch FROM now()) * 1000)::bigint"
