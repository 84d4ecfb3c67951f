package pglog

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A server whose process is stopped while it sends more than its sockets hold leaves the
// database waiting for the rest, with its rooms locked at all servers, and PostgreSQL ends
// no command that waits for its client. So the others end it: whoever has the log's role
// may. Nothing is lost by that, as nothing of it was committed or acknowledged.

// stalledFor is for how long a command has run that waits for its client, when it is ended.
// A transaction has some MB at most, and whoever waits for it was told that the log is
// unavailable.
const stalledFor = 2 * patience

// freeRooms looks, while somebody has waited too long, for commands that wait for their
// client, and keep another one waiting.
func (l *Log) freeRooms(ctx context.Context) {
	ticker := time.NewTicker(patience / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if l.waited.Swap(false) && l.endStalled(ctx) {
			l.waited.Store(true)
		}
	}
}

// endStalled ends what has stalled, and reports whether there is still something that may.
func (l *Log) endStalled(ctx context.Context) (again bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := l.connect(ctx) // those of the pool may be those that wait
	if err != nil {
		return true
	}
	defer conn.end()
	rows, err := conn.conn.Query(ctx, "SELECT pid, query_start, clock_timestamp() - query_start > $1 FROM pg_stat_activity "+
		"WHERE usename = session_user AND state = 'active' AND wait_event = 'ClientRead' AND pid IN (SELECT unnest(pg_blocking_pids(pid)) "+
		"FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user AND wait_event_type = 'Lock')", stalledFor)
	if err != nil {
		return true
	}
	type stalled struct {
		pid   int32
		since time.Time
	}
	var over []stalled
	var s stalled
	var late bool
	if _, err := pgx.ForEachRow(rows, []any{&s.pid, &s.since, &late}, func() error {
		if again = true; late {
			over = append(over, s)
		}
		return nil
	}); err != nil {
		return true
	}
	for _, s := range over {
		// A commit should not be ended while it waits for its standby: others would see it before
		// that has it. It does not wait for its client, which is looked at once more right before.
		// Only a lock that each transaction takes could keep it from beginning in between. Then it
		// is not acknowledged, and others may see it for as long as the standby takes. If the
		// primary is lost just then, a new epoch begins, as after anything that is lost.
		var ended bool
		err := conn.conn.QueryRow(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity($1) "+
			"WHERE state = 'active' AND wait_event = 'ClientRead' AND query_start = $2", s.pid, s.since).Scan(&ended)
		if err == nil && ended {
			l.opt.Logger.Warn("a server that sent no more of what it was writing kept rooms locked: its transaction was ended")
		}
	}
	return again
}
