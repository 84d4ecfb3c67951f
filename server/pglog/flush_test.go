package pglog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/server/chat"
	"parley/shared"
)

// atOnce adds messages in one transaction, with the texts said, and returns the answers.
func atOnce(t *testing.T, l *Log, ids []string, text func(i int) string) []result {
	t.Helper()
	w := l.writer(hall.Key)
	blocked, free := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- w.do(context.Background(), func(context.Context) error { close(blocked); <-free; return nil })
	}()
	<-blocked
	answers := make([]chan result, len(ids))
	for i, id := range ids {
		c := make(chan result, 1)
		answers[i] = c
		e := chat.Entry{ID: id, Device: "d", User: "Änn \\N\t\U0001F600", Text: text(i), Time: time.Unix(1, 0)}
		l.Append(context.Background(), hall, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	}
	close(free)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	all := make([]result, len(ids))
	for i, c := range answers {
		all[i] = <-c
	}
	return all
}

// transactions is how many there were of a writer's.
func transactions(t *testing.T, l *Log) (n int64) {
	t.Helper()
	w := l.writer(hall.Key)
	err := tablesOf(t, l).QueryRow(t.Context(), "SELECT n FROM marks WHERE server = $1 AND writer = $2", l.server, w.number).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFullOfTexts adds long texts, 4 MB in all: a transaction takes no more than 1 MB, so
// that none holds its rooms for long.
func TestFullOfTexts(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "early")
	before := transactions(t, l)
	var ids []string
	for i := range 4 * maxTexts / (16 << 10) {
		ids = append(ids, fmt.Sprint("id", i))
	}
	for i, got := range atOnce(t, l, ids, func(int) string { return strings.Repeat("x", 16<<10) }) {
		if want := (chat.Receipt{Offset: int64(i + 2)}); got.err != nil || got.Receipt != want {
			t.Errorf("%s: %+v, want %+v", ids[i], got, want)
		}
	}
	if n := transactions(t, l) - before; n != 4 {
		t.Errorf("it took %d transactions", n)
	}
}

// TestTwiceInOne adds many messages in one transaction, some of which are there already,
// from before or from the same transaction.
func TestTwiceInOne(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	if r := mustAppend(t, l, "early"); r.Offset != 1 {
		t.Fatalf("%+v", r)
	}
	before := transactions(t, l)
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint("id", i))
	}
	ids[20], ids[30] = "early", "id10"
	text := func(i int) string { return fmt.Sprintf("\x00 %d \t\\N\n \U0001F600", i) }
	next := int64(1)
	texts := make(map[int64]string)
	for i, got := range atOnce(t, l, ids, text) {
		want := chat.Receipt{Offset: next + 1}
		switch i {
		case 20:
			want = chat.Receipt{Offset: 1, Duplicate: true}
		case 30:
			want = chat.Receipt{Offset: 12, Duplicate: true}
		default:
			next++
			texts[next] = text(i)
		}
		if got.err != nil || got.Receipt != want {
			t.Errorf("%s: %+v, want %+v", ids[i], got, want)
		}
	}
	if n := transactions(t, l) - before; n != 1 {
		t.Errorf("it took %d transactions", n)
	}
	entries, err := l.Read(t.Context(), hall.Key, 1, shared.MaxOffset, chat.Most{Entries: 100})
	if err != nil || len(entries) != 38 {
		t.Fatalf("%d entries are there, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.Text != texts[e.Offset] || e.User != "Änn \\N\t\U0001F600" || e.Device != "d" || !e.Time.Equal(time.Unix(1, 0)) {
			t.Errorf("%d: %+v", e.Offset, e)
		}
	}
}

// TestRefusedRow has the database refuse one of many rows: none is there, nobody is told
// that theirs is, and all are taken later.
func TestRefusedRow(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	mustAppend(t, l, "early")
	conn := tablesOf(t, l)
	run(t, conn, "ALTER TABLE entries ADD CONSTRAINT none CHECK (id <> 'id10')")
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint("id", i))
	}
	for i, got := range atOnce(t, l, ids, func(int) string { return "text" }) {
		if !errors.Is(got.err, chat.ErrUnavailable) {
			t.Errorf("%s: %+v", ids[i], got)
		}
	}
	var rows, head int64
	if err := conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM entries), head FROM rooms").Scan(&rows, &head); err != nil || rows != 1 || head != 1 {
		t.Errorf("%d rows, head %d, %v", rows, head, err)
	}
	run(t, conn, "ALTER TABLE entries DROP CONSTRAINT none")
	for i, got := range atOnce(t, l, ids, func(int) string { return "text" }) {
		if got.err != nil || got.Offset != int64(i)+2 {
			t.Errorf("%s, later: %+v", ids[i], got)
		}
	}
}

// TestCommitWarns has the wait for the standby cancelled by an operator: the database
// says that it has committed, and warns.
func TestCommitWarns(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	l, err := Open(t.Context(), address, Options{patience: time.Minute, startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mustAppend(t, l, "before")
	standby.Freeze()
	defer standby.Thaw()
	w := l.writer(hall.Key)
	got := appendTo(l, "during")
	pid := w.current.Load().conn.PgConn().PID()
	until(t, "the commit waits", func() bool {
		return primary.Query(t, fmt.Sprintf("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = %d", pid)) == "t"
	})
	primary.Query(t, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	if got := <-got; !errors.Is(got.err, chat.ErrUnavailable) {
		t.Errorf("acknowledged: %+v", got)
	}
	standby.Thaw()
	if r := mustAppend(t, l, "during"); r.Offset != 2 || !r.Duplicate {
		t.Errorf("later: %+v", r)
	}
}

// TestCommands has one of many commands fail: the others do nothing, the error is that
// one's, and the connection goes on. The database gives more answers than sockets hold.
func TestCommands(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	conn := tablesOf(t, l)
	ctx := t.Context()
	const many = 30_000
	for _, fails := range []string{"", "a statement", "the rows", "the COPY"} {
		divisor, table := int64(1), "numbers"
		switch fails {
		case "a statement":
			divisor = 0
		case "the COPY":
			table = "nowhere"
		}
		var c commands
		c.begin(conn)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		run(t, conn, "DROP TABLE IF EXISTS numbers", "CREATE TABLE numbers (n bigint CHECK (n <> 13))")
		must(c.query("BEGIN"))
		if fails == "" {
			for range many {
				must(c.exec(ctx, "DELETE FROM numbers WHERE n = $1", int64(1)))
			}
		}
		must(c.exec(ctx, "INSERT INTO numbers SELECT 100 / $1::bigint", divisor))
		must(c.copyIn("COPY "+table+" FROM STDIN (FORMAT binary)", func(out []byte) []byte {
			for n := range 20 {
				if fails == "the rows" || n != 13 {
					out = appendInt64(append(out, 0, 1), int64(n))
				}
			}
			return out
		}))
		must(c.query("COMMIT"))
		tag, err := c.carryOut(ctx)
		var pg *pgconn.PgError
		want := map[string]string{"": "", "a statement": "22012", "the rows": "23514", "the COPY": "42P01"}[fails]
		switch {
		case want == "" && (err != nil || tag != "COMMIT"):
			t.Errorf("%q, %v", tag, err)
		case want != "" && (!errors.As(err, &pg) || pg.Code != want || tag != "ROLLBACK"):
			t.Errorf("%s fails: %q, %v", fails, tag, err)
		}
		rows := int64(20)
		if want != "" {
			rows = 0
		}
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM numbers", pgx.QueryExecModeExec).Scan(&n); err != nil || n != rows {
			t.Errorf("%q fails: %d rows are there, %v", fails, n, err)
		}
	}
}
