//go:build linux

package chaos

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite"

	"parley/server/sqlitelog"
)

// fault is something that goes wrong, and is put right again.
type fault struct {
	name  string
	often int // against the others, in TestChaos
	make  func(w *world)
}

var (
	kill       = fault{"kill", 22, (*world).kill}
	terminate  = fault{"terminate", 3, (*world).terminate}
	cut        = fault{"cut", 5, (*world).cut}
	halfOpen   = fault{"half-open", 2, (*world).halfOpen}
	delay      = fault{"delay", 2, (*world).delay}
	trickle    = fault{"trickle", 2, (*world).trickle}
	fullDisk   = fault{"full disk", 3, (*world).fullDisk}
	readOnly   = fault{"read-only folder", 2, (*world).readOnly}
	locked     = fault{"locked database", 2, (*world).lock}
	clockJumps = fault{"clock jump", 3, (*world).jumpClock}
	moved      = fault{"moved folder", 3, (*world).moveAway}
	deafened   = fault{"closed stderr", 3, (*world).deafen}
	hangup     = fault{"hangup", 2, (*world).hangUp}

	faults = []fault{kill, terminate, cut, halfOpen, delay, trickle, fullDisk, readOnly, locked, clockJumps, moved, deafened, hangup}
)

// moment waits for a random time, in which things go on.
func (w *world) moment(most time.Duration) {
	time.Sleep(time.Duration(w.random.Int64N(int64(most))))
}

// kill ends the server at once, at any point of what it is doing; at times while
// much is under way, so that entries are kept whose senders do not know.
func (w *world) kill() {
	if w.random.IntN(3) == 0 {
		w.proxy.slow.Store(true)
		defer w.proxy.slow.Store(false)
		w.moment(300 * time.Millisecond)
	}
	_ = w.server.End(syscall.SIGKILL) // that it was killed
	w.start()
}

// terminate ends it as a service manager does. The server gives itself 10 s for that,
// which a busy machine may exceed.
func (w *world) terminate() {
	w.t.Helper()
	w.end(syscall.SIGTERM)
}

// hangUp ends it as a terminal does that is closed.
func (w *world) hangUp() {
	w.t.Helper()
	w.end(syscall.SIGHUP)
}

func (w *world) end(signal syscall.Signal) {
	w.t.Helper()
	begun := time.Now()
	if err := w.server.End(signal); err != nil {
		w.t.Errorf("the server ended with %v: %s", err, w.server.Output)
	}
	if took := time.Since(begun); took > time.Minute {
		w.t.Errorf("it took %v to end", took)
	}
	w.start()
}

// cut resets connections, half of the time while much is under way.
func (w *world) cut() {
	if w.random.IntN(2) == 0 {
		w.proxy.slow.Store(true)
		defer w.proxy.slow.Store(false)
		w.moment(300 * time.Millisecond)
	}
	w.proxy.some(w.random, (*link).cut)
}

// halfOpen unplugs connections in one direction: nobody is told.
func (w *world) halfOpen() {
	w.proxy.some(w.random, func(l *link) { l.deaf[w.random.IntN(2)].Store(true) })
}

func (w *world) delay() {
	w.proxy.slow.Store(true)
	w.moment(time.Second)
	w.proxy.slow.Store(false)
}

func (w *world) trickle() {
	w.proxy.trickle.Store(true)
	w.moment(time.Second)
	w.proxy.trickle.Store(false)
}

// fullDisk lets no file grow.
func (w *world) fullDisk() {
	before := w.fileLimit(unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY})
	w.moment(time.Second)
	w.fileLimit(before)
}

// fileLimit sets how large the server's files may become.
func (w *world) fileLimit(limit unix.Rlimit) (before unix.Rlimit) {
	w.t.Helper()
	if err := unix.Prlimit(w.server.Pid(), unix.RLIMIT_FSIZE, nil, &before); err != nil {
		w.t.Fatal(err)
	}
	limit.Max = before.Max // which only root may raise again
	if err := unix.Prlimit(w.server.Pid(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		w.t.Fatal(err)
	}
	return before
}

// readOnly has the server killed and started on a folder that it may not write
// to: it refuses.
func (w *world) readOnly() {
	w.t.Helper()
	_ = w.server.End(syscall.SIGKILL) // that it was killed
	w.chmod(0o555, 0o444)
	start := w.server.Start
	if os.Geteuid() == 0 {
		start = w.server.startAsNobody
	}
	err := start()
	if err == nil || !strings.Contains(err.Error(), "can't be written") || !strings.Contains(err.Error(), "--data") {
		w.t.Errorf("on a read-only folder: %v", err)
	}
	w.chmod(0o755, 0o600)
	w.start()
}

func (w *world) chmod(folder, files os.FileMode) {
	w.t.Helper()
	entries, err := os.ReadDir(w.server.Data)
	for _, e := range entries {
		err = errors.Join(err, os.Chmod(filepath.Join(w.server.Data, e.Name()), files))
	}
	if err = errors.Join(err, os.Chmod(w.server.Data, folder)); err != nil {
		w.t.Fatal(err)
	}
}

// lock has another program hold the database, at times for longer than a write
// waits.
func (w *world) lock() {
	unlock := w.holdDatabase()
	w.moment(3 * time.Second)
	unlock()
}

func (w *world) holdDatabase() (unlock func()) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.server.Data, sqlitelog.FileName)+"?_pragma=busy_timeout(60000)")
	if err != nil {
		w.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		_, err := db.Exec("ROLLBACK")
		if err = errors.Join(err, db.Close()); err != nil {
			w.t.Error(err)
		}
	}
}

// jumpClock moves the server's clock by up to a year, and half of the time back
// to where it was.
func (w *world) jumpClock() {
	const year = 365 * 24 * time.Hour
	w.server.shift(time.Duration(w.random.Int64N(int64(2*year))) - year)
	w.moment(time.Second)
	if w.random.IntN(2) == 0 {
		w.server.shift(0)
	}
}

// deafen ends the reader of the server's standard error, then has the server log
// something.
func (w *world) deafen() {
	w.server.Deafen()
	w.cut()
	w.flow(5)
}

// moveAway moves the data folder away from under the server. Half of the time it
// comes back. Otherwise the server is started on a copy of what there was at the
// moment of the move: nothing may have been acknowledged that is not in it.
func (w *world) moveAway() {
	w.t.Helper()
	back, copied := w.takeFolder()
	w.moment(2 * time.Second)
	if w.random.IntN(2) == 0 {
		back()
		return
	}
	_ = w.server.End(syscall.SIGKILL) // that it was killed
	copied()
	w.start()
}

// takeFolder moves the data folder while the server stands still. Either back or
// copied is to be called: copied puts a copy in its place, as it was in that moment.
func (w *world) takeFolder() (back, copied func()) {
	w.t.Helper()
	data, away, twin := w.server.Data, w.server.Data+".away", w.server.Data+".twin"
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.server.Freeze()
	must(os.Mkdir(twin, 0o755))
	for _, name := range []string{sqlitelog.FileName, sqlitelog.FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(data, name))
		must(err)
		must(os.WriteFile(filepath.Join(twin, name), content, 0o600))
	}
	must(os.Rename(data, away))
	w.server.Thaw()
	return func() { must(errors.Join(os.Rename(away, data), os.RemoveAll(twin))) },
		func() { must(errors.Join(os.Rename(twin, data), os.RemoveAll(away))) }
}

// small is a world for one kind of fault.
func small(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 1, 1)
	w.until(func() bool { return !slices.ContainsFunc(w.members, func(m *member) bool { return m.joins == 0 }) })
	w.flow(20)
	return w
}

func TestKill(t *testing.T) {
	w := small(t)
	for range 5 {
		w.moment(300 * time.Millisecond)
		w.inject(kill)
	}
	w.flow(20)
	w.finish()
}

func TestTerminate(t *testing.T) {
	w := small(t)
	for range 3 {
		w.inject(terminate)
		w.flow(20)
	}
	w.finish()
}

func TestCut(t *testing.T) {
	w := small(t)
	for range 10 {
		w.inject(cut)
		w.flow(5)
	}
	w.finish()
}

// Nobody is told of a line that was unplugged. Who hears nothing, or gets no
// answer, comes back; who only listens need not notice that nobody hears them.
func TestHalfOpen(t *testing.T) {
	for direction, notice := range []func(*member) bool{talkers, everyone} {
		t.Run([]string{"up", "down"}[direction], func(t *testing.T) {
			w := small(t)
			before := w.joins()
			w.proxy.mu.Lock()
			for l := range w.proxy.links {
				l.deaf[direction].Store(true)
			}
			w.proxy.mu.Unlock()
			w.rejoined(before, notice)
			w.flow(20)
			w.check()
			w.finish()
		})
	}
}

func TestDelay(t *testing.T) {
	w := small(t)
	w.proxy.slow.Store(true)
	w.flow(50)
	w.check()
	w.proxy.slow.Store(false)
	w.finish()
}

func TestTrickle(t *testing.T) {
	w := small(t)
	w.proxy.trickle.Store(true)
	w.inject(cut) // so that joining trickles as well
	w.flow(50)
	w.proxy.trickle.Store(false)
	w.finish()
}

// refused waits until a message was reported as not kept.
func (w *world) refused() {
	begin := -1
	w.until(func() bool {
		if begin < 0 {
			begin = w.counts.reported
		}
		return w.counts.reported > begin
	})
}

// notReady checks what an operator sees while the log can't be written.
func (w *world) notReady() {
	w.t.Helper()
	if status, body := w.server.Get("/readyz"); status != http.StatusServiceUnavailable {
		w.t.Errorf("ready: %d %s", status, body)
	}
	if status, body := w.server.Get("/healthz"); status != http.StatusOK {
		w.t.Errorf("healthy: %d %s", status, body)
	}
	if n := w.server.Metric(`parley_frames_refused_total{code="unavailable"}`); n == "" || n == "0" {
		w.t.Errorf("refused as unavailable: %q", n)
	}
	w.server.Output.Wait(w.t, "message not stored") // which comes by another way than the refusal
}

func TestFullDisk(t *testing.T) {
	w := small(t)
	before := w.fileLimit(unix.Rlimit{})
	w.refused()
	w.notReady()
	w.check()
	w.fileLimit(before)
	w.flow(20)
	w.finish()
}

// A server that is killed while its disk is full starts as soon as there is room.
func TestKillOnFullDisk(t *testing.T) {
	w := small(t)
	w.fileLimit(unix.Rlimit{})
	w.refused()
	w.inject(kill)
	w.flow(20)
	w.finish()
}

func TestReadOnlyFolder(t *testing.T) {
	w := small(t)
	w.inject(readOnly)
	w.flow(20)
	w.finish()
}

func TestLockedDatabase(t *testing.T) {
	w := small(t)
	unlock := w.holdDatabase()
	w.refused()
	w.notReady()
	unlock()
	w.flow(20)
	w.finish()
}

// A folder that is moved away is noticed before anything else is acknowledged.
func TestMovedFolder(t *testing.T) {
	for _, comesBack := range []bool{true, false} {
		t.Run(fmt.Sprintf("back %v", comesBack), func(t *testing.T) {
			w := small(t)
			for range 3 {
				back, copied := w.takeFolder()
				w.refused()
				if status, body := w.server.Get("/readyz"); status != http.StatusServiceUnavailable {
					t.Errorf("ready: %d %s", status, body)
				}
				if comesBack {
					back()
				} else {
					_ = w.server.End(syscall.SIGKILL) // that it was killed
					copied()
					w.start()
				}
				w.flow(20)
				w.check()
			}
			if text := w.server.Output.String(); strings.Count(text, "moved, replaced or removed") != 3 || strings.Contains(text, "not stored") {
				t.Errorf("it logged %s", text)
			}
			w.finish()
		})
	}
}

func TestClosedStderr(t *testing.T) {
	w := small(t)
	for range 3 {
		w.inject(deafened)
		w.flow(20)
	}
	w.finish()
}

func TestHangup(t *testing.T) {
	w := small(t)
	w.inject(hangup)
	w.flow(20)
	w.finish()
}

func TestClockJumps(t *testing.T) {
	w := small(t)
	for _, by := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour, 0} {
		w.server.shift(by)
		w.flow(20)
		w.inject(cut) // so that names are claimed in another time
		w.flow(20)
		w.check()
	}
	w.finish()
}
