package pglog

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// tableOf opens a connection to the tables of a log.
func tablesOf(t *testing.T, l *Log) *pgx.Conn {
	t.Helper()
	cfg := l.pool.Config().ConnConfig
	cfg.ConnectTimeout = tooLong // a server tries again after a second
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// TestLossIsSettledFirst has a database that has lost something: nothing is acknowledged
// before there is a new epoch, also if that takes several attempts.
func TestLossIsSettledFirst(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	epoch := *l.epoch.Load()
	for _, id := range []string{"a", "b", "c"} {
		mustAppend(t, l, id)
	}
	conn := tablesOf(t, l)
	run(t, conn,
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$",
		"CREATE TRIGGER refuse BEFORE UPDATE ON meta FOR EACH ROW EXECUTE FUNCTION refuse()",
		"UPDATE marks SET n = n - 2")
	for _, id := range []string{"d", "e"} {
		if got := <-appendTo(l, id); !errors.Is(got.err, chat.ErrUnavailable) {
			t.Errorf("acknowledged before the new epoch: %+v", got)
		}
	}
	run(t, conn, "DROP TRIGGER refuse ON meta")
	mustAppend(t, l, "e")
	if *l.epoch.Load() == epoch {
		t.Error("there is no new epoch")
	}
}

// voiceOf has a connection speak as a server does.
func voiceOf(t *testing.T, conn *pgx.Conn, secret []byte) *voice {
	t.Helper()
	v, err := newVoice(secret, "another", conn.PgConn().PID())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func notify(t *testing.T, conn *pgx.Conn, l *Log, payload string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), "SELECT pg_notify($1, $2)", channel+l.opt.Schema, payload); err != nil {
		t.Fatal(err)
	}
}

// TestHeardIsAHint sends a notification that is not true any more: nobody misses an
// entry.
func TestHeardIsAHint(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "a")
	handed, passed, began := make(chan chat.Entry, 10), make(chan struct{}, 10), make(chan int64, 10)
	_, stop, err := l.Open(t.Context(), hall, chat.Follower{
		Entries: func(entries []chat.Entry) {
			for _, e := range entries {
				handed <- e
			}
		},
		Begin:  func(first int64) { began <- first },
		Passed: func([]byte) { passed <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	conn := tablesOf(t, l)
	var h heads
	if err := conn.QueryRow(t.Context(), "SELECT id, version, first, head FROM rooms WHERE key = 'hall'").Scan(&h.Room, &h.Version, &h.First, &h.Head); err != nil {
		t.Fatal(err)
	}
	h.Head, h.First = 1000, 500
	until(t, "it listens", l.listener.listens.Load)
	v := voiceOf(t, conn, l.secret)
	for _, s := range []told{{rooms: map[string]*news{hall.Key: {heads: h}}}, {passed: []passing{{hall.Key, []byte("{}")}}}} {
		notify(t, conn, l, v.says(*l.epoch.Load(), &s))
	}
	<-passed
	mustAppend(t, l, "b")
	select {
	case e := <-handed:
		if e.ID != "b" {
			t.Errorf("handed %+v", e)
		}
	default:
		t.Error("the next entry is not handed on")
	}
	select {
	case first := <-began:
		t.Errorf("the log is said to begin at %d", first)
	default:
	}
}
