// Package pgtest runs PostgreSQL for tests.
package pgtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/shared/servertest"
)

// tooLong is how long anything may take that comes by itself.
const tooLong = 3 * time.Minute

// Server is a PostgreSQL that listens on a socket in a folder of its own.
type Server struct {
	dir  string
	set  []string // settings, as name=value
	attr *syscall.SysProcAttr
	proc *exec.Cmd
	over chan struct{} // closed when the process has ended
	out  bytes.Buffer
	made atomic.Int64 // databases
}

// Start makes a database cluster and starts it. What it has written does not survive a
// crash of the machine, but that of its processes. Settings, as name=value, replace
// the usual ones.
func Start(settings ...string) (*Server, error) {
	s, err := newServer(settings)
	if err == nil {
		err = s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	}
	if err == nil {
		err = s.begin()
	}
	if err != nil && s != nil {
		s.Stop()
	}
	return s, err
}

// New starts a database for a test, which ends with it. Settings are those of Start.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Standby starts a server that follows s, with its settings.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby, err := newServer(s.set)
	if err == nil {
		t.Cleanup(standby.Stop)
		err = standby.run("pg_basebackup", "-h", s.dir, "-U", "postgres", "-D", standby.data(), "-R", "-c", "fast", "-N")
	}
	if err == nil {
		err = standby.begin()
	}
	if err != nil {
		t.Fatal(err)
	}
	return standby
}

// Synchronous has commits wait for a standby, and returns when they do: each process of the
// server reads its settings anew when it comes to it. The one that decides for all of them
// has done so before it carries out a checkpoint.
func (s *Server) Synchronous(t testing.TB) {
	t.Helper()
	s.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()", "CHECKPOINT")
	for deadline := time.Now().Add(tooLong); s.Query(t, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "0"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("there was never a synchronous standby")
		}
	}
}

// Backup copies the server into another one, which Restart starts as it was then.
func (s *Server) Backup(t testing.TB) *Server {
	t.Helper()
	backup, err := newServer(s.set)
	if err == nil {
		t.Cleanup(backup.Stop)
		err = backup.run("pg_basebackup", "-h", s.dir, "-U", "postgres", "-D", backup.data(), "-c", "fast", "-N")
	}
	if err != nil {
		t.Fatal(err)
	}
	return backup
}

// Archive is a setting with which a server keeps its log in its folder.
const Archive = "archive_command=cp %p ../%f"

// RestoreTo has a backup of a server with Archive start as that server was at a restore
// point, once the log up to there is in its archive.
func (s *Server) RestoreTo(t testing.TB, from *Server, point string) {
	t.Helper()
	if err := s.run("touch", filepath.Join(s.data(), "recovery.signal")); err != nil {
		t.Fatal(err)
	}
	s.set = append(slices.Clone(s.set), "restore_command=cp "+from.dir+"/%f %p", "recovery_target_name="+point, "recovery_target_action=promote")
	s.Restart(t)
}

func newServer(settings []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "parley-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, set: settings}
	s.attr, err = owner(dir)
	return s, err
}

// begin starts the server and waits until it takes connections.
func (s *Server) begin() error {
	args := []string{"-D", s.data(), "-k", s.dir}
	usual := []string{"listen_addresses=", "fsync=off", "max_connections=200", "shared_buffers=32MB", "wal_sender_timeout=3s", "hot_standby=on"}
	for _, set := range append(usual, s.set...) { // the last one counts
		args = append(args, "-c", set)
	}
	s.proc = exec.Command(program("postgres"), args...)
	s.proc.Stdout, s.proc.Stderr, s.proc.SysProcAttr = &s.out, &s.out, s.attr
	if err := s.proc.Start(); err != nil {
		return err
	}
	s.over = make(chan struct{})
	go func() { _ = s.proc.Wait(); close(s.over) }()
	for deadline := time.Now().Add(tooLong); ; time.Sleep(20 * time.Millisecond) {
		if exec.Command(program("pg_isready"), "-q", "-h", s.dir).Run() == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not start: %s", s.out.String())
		}
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Dir is where its socket is: the host in an address.
func (s *Server) Dir() string { return s.dir }

// Address is the address of a database of one or several servers.
func Address(database string, servers ...*Server) string {
	var dirs []string
	for _, s := range servers {
		dirs = append(dirs, s.dir)
	}
	return "postgres://postgres@/" + database + "?host=" + strings.Join(dirs, ",")
}

// Create makes a database for a test, and returns its name.
func (s *Server) Create(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.made.Add(1))
	s.SQL(t, "CREATE DATABASE "+name)
	return name
}

// SQL carries out statements, each in a transaction of its own.
func (s *Server) SQL(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if out, err := exec.Command(program("psql"), "-h", s.dir, "-U", "postgres", "-qXc", statement).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", statement, err, out)
		}
	}
}

// SQLAt carries out statements in the database at an address.
func (s *Server) SQLAt(t testing.TB, address string, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if out, err := exec.Command(program("psql"), address, "-v", "ON_ERROR_STOP=1", "-qXc", statement).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", statement, err, out)
		}
	}
}

// QueryAt returns the first value that a query has in the database at an address.
func (s *Server) QueryAt(t testing.TB, address, query string) string {
	t.Helper()
	out, err := exec.Command(program("psql"), address, "-qXAtc", query).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", query, err, out)
	}
	return strings.TrimSpace(string(out))
}

// User is as whom the server runs, nil for whoever runs the test.
func (s *Server) User() *syscall.SysProcAttr { return s.attr }

// Own gives a folder to the server's user.
func (s *Server) Own(t testing.TB, dir string) {
	t.Helper()
	if _, err := owner(dir); err != nil {
		t.Fatal(err)
	}
}

// Query returns the first value that a query has.
func (s *Server) Query(t testing.TB, query string) string {
	t.Helper()
	out, err := exec.Command(program("psql"), "-h", s.dir, "-U", "postgres", "-qXAtc", query).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", query, err, out)
	}
	return strings.TrimSpace(string(out))
}

// AwaitStandby waits until a standby has everything.
func (s *Server) AwaitStandby(t testing.TB) {
	t.Helper()
	head := s.Query(t, "SELECT pg_current_wal_lsn()")
	for deadline := time.Now().Add(tooLong); s.Query(t, "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '"+head+"'") == "0"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the standby never had everything")
		}
	}
}

// Promote makes a standby the primary.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	if err := s.run("pg_ctl", "promote", "-w", "-D", s.data()); err != nil {
		t.Fatal(err)
	}
}

// Freeze stops all processes of the server until Thaw.
func (s *Server) Freeze() {
	servertest.Freeze(s.proc.Process.Pid) // it starts no more
	servertest.Freeze(s.pids()...)
}

// Thaw lets the server go on.
func (s *Server) Thaw() {
	for _, pid := range s.pids() {
		_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended
	}
}

// Kill ends all processes of the server at once, unless it has ended.
func (s *Server) Kill() {
	select {
	case <-s.over: // another process may have its number by now
		return
	default:
	}
	servertest.Freeze(s.proc.Process.Pid) // it starts no more
	servertest.Kill(s.pids()...)
	<-s.over
}

// Restart starts a server that was killed.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}

// pids are the server's processes, the first of which has started the others.
func (s *Server) pids() []int {
	first := s.proc.Process.Pid
	all := []int{first}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(first) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				all = append(all, pid)
			}
		}
	}
	return all
}

// CPU is what the server's processes have used, user and system.
func (s *Server) CPU() (used time.Duration) {
	for i, pid := range s.pids() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 15 {
			continue // it has ended
		}
		own := fields[11:13]
		if i == 0 {
			own = fields[11:15] // with those that have ended
		}
		for _, field := range own {
			ticks, _ := strconv.Atoi(field)
			used += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return used
}

// Stop ends the server and removes all it has.
func (s *Server) Stop() {
	if s.over != nil {
		s.Kill()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *Server) run(name string, args ...string) error {
	cmd := exec.Command(program(name), args...)
	cmd.SysProcAttr, cmd.Dir = s.attr, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// program finds a program of PostgreSQL, which Debian has in no PATH.
func program(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

// owner gives a folder to the user as whom PostgreSQL runs: it refuses to as root.
func owner(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}
