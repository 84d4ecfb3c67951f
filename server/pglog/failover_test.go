package pglog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
	"parley/shared"
)

var hall = shared.Name{Text: "Hall", Key: "hall"}

type result struct {
	chat.Receipt
	err error
}

func appendTo(l *Log, id string) <-chan result {
	c := make(chan result, 1)
	e := chat.Entry{ID: id, Device: "d", User: "Ann", Text: "text of " + id, Time: time.Unix(1, 0)}
	l.Append(context.Background(), hall, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	return c
}

// mustAppend appends until it is acknowledged, as clients do.
func mustAppend(t *testing.T, l *Log, id string) chat.Receipt {
	t.Helper()
	for deadline := time.Now().Add(tooLong); ; time.Sleep(50 * time.Millisecond) {
		got := <-appendTo(l, id)
		if got.err == nil {
			return got.Receipt
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", id, got.err)
		}
	}
}

// pair is a primary with a standby, and the log of a test on them.
func pair(t *testing.T, synchronous bool) (primary, standby *pgtest.Server, address string) {
	t.Helper()
	primary = pgtest.New(t)
	standby = primary.Standby(t)
	if synchronous {
		primary.Synchronous(t)
	}
	return primary, standby, pgtest.Address("postgres", primary, standby)
}

func openAt(t *testing.T, address, data string) *Log {
	t.Helper()
	return openWith(t, address, Options{Data: data})
}

// openWith opens a log as soon as the database lets it.
func openWith(t *testing.T, address string, opt Options) *Log {
	t.Helper()
	var l *Log
	var err error
	for deadline := time.Now().Add(tooLong); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if l, err = Open(t.Context(), address, opt); err == nil {
			return l
		}
	}
	t.Fatal(err)
	return nil
}

// TestStandbyStopped stops the standby: what is written then is on the primary, and no
// one sees it or is told that it is kept.
func TestStandbyStopped(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	l := openAt(t, address, t.TempDir())
	defer l.Close()
	mustAppend(t, l, "before")
	standby.Freeze()
	got := <-appendTo(l, "during")
	if !errors.Is(got.err, chat.ErrUnavailable) {
		t.Errorf("without its standby: %+v", got)
	}
	if n := primary.Query(t, "SELECT count(*) FROM parley.entries"); n != "1" {
		t.Errorf("%s entries are to be seen", n)
	}
	if err := l.proof.wait(t.Context()); !errors.Is(err, chat.ErrUnavailable) {
		t.Errorf("proved: %v", err)
	}
	standby.Thaw()
	if r := mustAppend(t, l, "during"); r.Offset != 2 {
		t.Errorf("the same again: %+v", r)
	}
	if n := primary.Query(t, "SELECT count(*) FROM parley.entries"); n != "2" {
		t.Errorf("%s entries are there", n)
	}
}

// TestOldPrimary stops a primary, promotes its standby, and wakes the old one: it takes
// nothing, and welcomes nobody.
func TestOldPrimary(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	data := t.TempDir()
	l := openAt(t, address, data)
	defer l.Close()
	epoch := *l.epoch.Load()
	for i := range 10 {
		mustAppend(t, l, fmt.Sprint("a", i))
	}
	primary.Freeze()
	standby.Promote(t)
	standby.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	late := appendTo(l, "late")
	primary.Thaw()
	if got := <-late; got.err == nil && got.Offset != 11 {
		t.Errorf("acknowledged: %+v", got)
	}
	// The old one still says that it can be written, and reads.
	if _, err := Open(t.Context(), pgtest.Address("postgres", primary), Options{}); err == nil {
		t.Error("a log on the old primary was opened")
	}
	primary.Kill()
	if r := mustAppend(t, l, "late"); r.Offset != 11 {
		t.Errorf("on the new primary: %+v", r)
	}
	entries, err := l.Read(t.Context(), hall.Key, 0, 100, chat.Most{Entries: 100})
	if err != nil || len(entries) != 11 {
		t.Errorf("there are %d entries, %v", len(entries), err)
	}
	if now := *l.epoch.Load(); now != epoch {
		t.Error("there is a new epoch, though nothing was lost")
	}
}

// TestLost loses what an asynchronous standby had not got: a new epoch begins, and the
// rooms are opened anew.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"while a server runs": false, "while none runs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			primary, standby, address := pair(t, false)
			data := t.TempDir()
			l := openAt(t, address, data)
			over := make(chan struct{})
			state, stop := follow(t, l, hall, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}, Over: func() { close(over) }})
			defer stop()
			mustAppend(t, l, "kept")
			primary.AwaitStandby(t)
			standby.Kill()
			mustAppend(t, l, "lost")
			if closed {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
			primary.Kill()
			standby.Restart(t)
			standby.Promote(t)
			if closed {
				l = openAt(t, address, data)
			} else {
				<-over
			}
			defer func() { l.Close() }()
			if r := mustAppend(t, l, "after"); r.Offset != 2 {
				t.Errorf("what comes after has the receipt %+v", r)
			}
			if now := *l.epoch.Load(); now == state.Epoch {
				t.Error("the epoch is the one before")
			}
		})
	}
}

// TestRestored restores a backup of the database at an earlier point: a new epoch begins,
// since the database has fewer transactions of the server than that has committed.
func TestRestored(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"while a server runs": false, "while none runs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was, err := pgtest.Start("archive_mode=on", pgtest.Archive)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(was.Stop)
			is := was.Backup(t)
			address := pgtest.Address("postgres", was, is)
			said, opt := listening()
			opt.Data = t.TempDir()
			l := openWith(t, address, opt)
			f := followed(t, l, hall)
			defer f.stop()
			epoch := *l.epoch.Load()
			mustAppend(t, l, "kept")
			was.SQL(t, "SELECT pg_create_restore_point('here')")
			mustAppend(t, l, "lost")
			last := was.Query(t, "SELECT pg_walfile_name(pg_switch_wal())")
			until(t, "the log is in the archive", func() bool {
				return was.Query(t, "SELECT last_archived_wal >= '"+last+"' FROM pg_stat_archiver") == "t"
			})
			if closed {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			}
			was.Kill()
			is.RestoreTo(t, was, "here")
			if closed {
				l = openWith(t, address, opt)
			}
			defer func() { l.Close() }()
			until(t, "there is a new epoch", func() bool { return *l.epoch.Load() != epoch })
			if why := said.String(); !strings.Contains(why, "transactions of this server there are") {
				t.Errorf("it says: %s", why)
			}
			if r := mustAppend(t, l, "after"); r.Offset != 2 {
				t.Errorf("what comes after has the receipt %+v", r)
			}
		})
	}
}

// TestRestoredOlder restores a backup from before a failover. That looks like an old
// primary: only who was told that it was restored goes on with it, with a new epoch, also
// one that knows nothing of what was lost.
func TestRestoredOlder(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, false)
	data := t.TempDir()
	l := openAt(t, address, data)
	epoch := *l.epoch.Load()
	mustAppend(t, l, "kept")
	backup := primary.Backup(t)
	mustAppend(t, l, "lost")
	primary.AwaitStandby(t)
	primary.Kill()
	standby.Promote(t)
	mustAppend(t, l, "lost, too")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	standby.Kill()
	backup.Restart(t)
	address = pgtest.Address("postgres", backup)
	refused(t, address, "--log-restored", Options{Data: data})
	for n, data := range []string{data, t.TempDir()} {
		l, err := Open(t.Context(), address, Options{Data: data, Restored: true, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if now := *l.epoch.Load(); now == epoch {
			t.Errorf("the epoch of server %d is the one before", n)
		} else {
			epoch = now
		}
		if r := mustAppend(t, l, fmt.Sprint("after ", n)); r.Offset != int64(n+2) {
			t.Errorf("what comes after has the receipt %+v", r)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLostOfAnother loses what another server has written, of which this one has only
// read, and after which there is something else.
func TestLostOfAnother(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, false)
	other, l := openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir())
	defer l.Close()
	mustAppend(t, other, "kept")
	primary.AwaitStandby(t)
	standby.Kill()
	mustAppend(t, other, "lost")
	over := make(chan struct{})
	state, stop := follow(t, l, hall, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}, Over: func() { close(over) }})
	defer stop()
	if state.Head != 2 {
		t.Fatalf("the room is at %d", state.Head)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	primary.Kill()
	standby.Restart(t)
	standby.Promote(t)
	third := openAt(t, address, t.TempDir())
	defer third.Close()
	mustAppend(t, third, "instead")
	<-over
	if r := mustAppend(t, l, "after"); r.Offset != 3 {
		t.Errorf("what comes after has the receipt %+v", r)
	}
	if now := *l.epoch.Load(); now == state.Epoch {
		t.Error("the epoch is the one before")
	}
}

// TestLostWithItsServer loses what an asynchronous standby had not got together with the
// server that wrote it: one that had nothing of it begins the new epoch, once for all.
func TestLostWithItsServer(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, false)
	gone, l, other := openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir())
	defer l.Close()
	defer other.Close()
	epoch := *l.epoch.Load()
	mustAppend(t, gone, "kept")
	primary.AwaitStandby(t)
	standby.Kill()
	mustAppend(t, gone, "lost")
	if err := gone.Close(); err != nil {
		t.Error(err)
	}
	primary.Kill()
	standby.Restart(t)
	standby.Promote(t)
	until(t, "there is a new epoch", func() bool { return *l.epoch.Load() != epoch })
	now := *l.epoch.Load()
	until(t, "there is the same at all servers", func() bool { return *other.epoch.Load() == now })
	if r := mustAppend(t, other, "after"); r.Offset != 2 {
		t.Errorf("what comes after has the receipt %+v", r)
	}
	if *l.epoch.Load() != now || *other.epoch.Load() != now {
		t.Error("there is another epoch")
	}
}

// TestStoppedPrimary stops a primary for good while another one is promoted: nothing that
// it is asked is answered ever, and everything goes on with the other one.
func TestStoppedPrimary(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	l := openAt(t, address, t.TempDir())
	defer l.Close()
	epoch := *l.epoch.Load()
	f := followed(t, l, hall)
	defer f.stop()
	for i := range 10 {
		mustAppend(t, l, fmt.Sprint("a", i))
	}
	primary.Freeze()
	late := appendTo(l, "late")
	reading := make(chan error, 1)
	go func() {
		_, err := l.Read(context.Background(), hall.Key, 0, 100, chat.Most{Entries: 100})
		reading <- err
	}()
	standby.Promote(t)
	standby.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	began := time.Now()
	<-late
	if r := mustAppend(t, l, "late"); r.Offset != 11 {
		t.Errorf("on the new primary: %+v", r)
	}
	t.Logf("writes went on after %v", time.Since(began).Round(time.Millisecond))
	<-reading
	f.await(t, 11)
	if f.over >= 0 || *l.epoch.Load() != epoch {
		t.Error("there is a new epoch, though nothing was lost")
	}
	if err := l.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNothingCancels closes a log that waits for a standby: nothing of it is to be seen
// before the standby has it.
func TestNothingCancels(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	l := openAt(t, address, t.TempDir())
	mustAppend(t, l, "before")
	standby.Freeze()
	defer standby.Thaw()
	got := appendTo(l, "during")
	until(t, "the commit waits", func() bool {
		return primary.Query(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query ILIKE 'commit'") == "t"
	})
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := <-got; got.err == nil {
		t.Errorf("acknowledged: %+v", got)
	}
	if n := primary.Query(t, "SELECT count(*) FROM parley.entries"); n != "1" {
		t.Errorf("%s entries are to be seen", n)
	}
}

// TestManyFailovers kills the database again and again: nothing is acknowledged that is
// not there, everyone is handed everything once, and no connection is left.
func TestManyFailovers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	address := pgtest.Address("postgres", db)
	a, b := openAt(t, address, t.TempDir()), openAt(t, address, t.TempDir())
	defer a.Close()
	defer b.Close()
	f := followed(t, b, hall)
	defer f.stop()
	taken := make(map[string]int64)
	for n := range 4 {
		var under []<-chan result
		for i := range 50 {
			under = append(under, appendTo(a, fmt.Sprint(n, " ", i)))
		}
		db.Kill()
		for i, c := range under {
			if got := <-c; got.err == nil {
				taken[fmt.Sprint(n, " ", i)] = got.Offset
			}
		}
		db.Restart(t)
		for i := range 50 {
			id := fmt.Sprint(n, " ", i)
			if r := mustAppend(t, a, id); taken[id] != 0 && taken[id] != r.Offset {
				t.Errorf("%s was acknowledged as %d and as %d", id, taken[id], r.Offset)
			}
		}
		f.await(t, int64(50*(n+1)))
	}
	f.mu.Lock()
	for i, e := range f.entries {
		if e.Offset != int64(i+1) {
			t.Errorf("%d was handed on in the place of %d", e.Offset, i+1)
		}
	}
	f.mu.Unlock()
	if f.over >= 0 {
		t.Error("there is a new epoch, though nothing was lost")
	}
	until(t, "both have only the connections that they use", func() bool {
		a.sockets.mu.Lock()
		defer a.sockets.mu.Unlock()
		return len(a.sockets.open) <= int(a.pool.Stat().TotalConns())+len(a.writers)+2
	})
}

// TestCloseWhileStandbySleeps closes a log whose writer waits for its standby, with an
// entry or with something else that it does in between.
func TestCloseWhileStandbySleeps(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	for name, begin := range map[string]func(*Log){
		"an entry": func(l *Log) { appendTo(l, "during") },
		"a lock": func(l *Log) {
			go func() { _, _ = l.SetLock(context.Background(), "locked", chat.Lock{Hash: "h", Made: time.Unix(1, 0)}) }()
		},
	} {
		l := openAt(t, address, "")
		mustAppend(t, l, "before "+name)
		standby.Freeze()
		begin(l)
		until(t, "it waits for its standby", func() bool {
			return primary.Query(t, "SELECT count(*) >= 2 FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "t" // the proof does, too
		})
		_ = l.Close()
		standby.Thaw()
	}
}

// TestFilesGoneLate has the rows of files go while the standby sleeps: nobody waits for
// that, and whoever removes files is told of them once it is sure.
func TestFilesGoneLate(t *testing.T) {
	t.Parallel()
	_, standby, address := pair(t, true)
	l := openAt(t, address, "")
	defer l.Close()
	told := make(chan []string, 10)
	l.OnFilesGone(func(ids []string) { told <- ids })
	row := chat.FileRow{File: chat.File{ID: "f", Name: "f", Size: 1}, Room: hall.Key, Device: "d", Made: time.Unix(1, 0)}
	until(t, "a file is begun", func() bool { _, err := l.BeginFile(t.Context(), row); return err == nil })
	standby.Freeze()
	ids, err := l.ForgetFiles(t.Context(), time.Now())
	if !errors.Is(err, chat.ErrUnavailable) || len(ids) > 0 {
		t.Errorf("without its standby, %v are gone, %v", ids, err)
	}
	standby.Thaw()
	if got := <-told; len(got) != 1 || got[0] != "f" {
		t.Errorf("%v are gone", got)
	}
}
