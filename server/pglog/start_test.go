package pglog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
	"parley/shared/servertest"
)

// listening is where a log says what an operator should know.
func listening() (*servertest.Output, Options) {
	out := servertest.NewOutput()
	return out, Options{Logger: slog.New(slog.NewTextHandler(out, nil)), startFor: time.Minute}
}

// refused opens a log that can't be opened, and looks what is said. It waits so long that
// the server looks for another primary meanwhile, and longer if it is said something else:
// a busy database may not have answered by then.
func refused(t *testing.T, address, want string, opt Options) {
	t.Helper()
	for opt.startFor = 5 * time.Second; ; opt.startFor *= 4 {
		l, err := Open(t.Context(), address, opt)
		switch {
		case err == nil:
			l.Close()
			t.Errorf("%s: it was opened", want)
		case strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "\n"):
		case opt.startFor < time.Minute:
			continue
		default:
			t.Errorf("got %q, want %q", err, want)
		}
		return
	}
}

// as is the address of a database, for another user.
func as(user, database string) string {
	return strings.Replace(pgtest.Address(database, server), "postgres@", user+"@", 1)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	_, opt := listening()
	refused(t, "postgres://nobody@/x?host="+t.TempDir(), "no PostgreSQL server answers: start it, or correct the address in --log", opt)
	refused(t, pgtest.Address("nothing", server), `there is no database "nothing": make it with createdb`, opt)

	name := server.Create(t)
	server.SQL(t, "CREATE ROLE out NOLOGIN", "CREATE ROLE poor LOGIN")
	refused(t, as("out", name), `does not let the user "out" in`, opt)
	refused(t, as("poor", name), `run CREATE SCHEMA "parley" AUTHORIZATION "poor"`, opt)

	at := pgtest.Address(name, server)
	server.SQLAt(t, at, `CREATE SCHEMA "parley" AUTHORIZATION "poor"`)
	for range 2 {
		l, err := Open(t.Context(), as("poor", name), opt)
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, l, "by a poor user")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	server.SQLAt(t, at, "INSERT INTO parley.versions VALUES (1000, 1000)")
	refused(t, at, "it was written by a newer Parley (schema 1000", opt)

	server.SQLAt(t, at, "DROP SCHEMA parley CASCADE", "CREATE SCHEMA parley", "CREATE TABLE parley.versions (of_what text)")
	refused(t, at, `its schema "parley" has tables of another program: choose another database with --log`, opt)
	server.SQLAt(t, at, "DROP SCHEMA parley CASCADE", "CREATE SCHEMA parley", "CREATE TABLE parley.songs (name text)")
	refused(t, at, `its schema "parley" has tables of another program`, opt)
}

// TestSecrets has passwords in addresses that can't be used.
func TestSecrets(t *testing.T) {
	t.Parallel()
	opt := Options{startFor: retryEvery}
	for _, address := range []string{
		"postgres://ann:Tr0ub4dor@/x?host=" + t.TempDir(),
		"postgres://ann:Tr0ub4dor@127.0.0.1:1/x?sslmode=disable",
		"postgres://ann:Tr0ub4dor@127.0.0.1/x?sslmode=what",
		"postgres://ann:Tr0ub4dor",
		"postgres://ann:a:Tr0ub4dor%zz@host/x",
		"postgres://ann:Tr0ub4dor#@host/x",
		"postgres://ann:Tr0ub4dor@host:port/x",
		"postgres://host:port:Tr0ub4dor/x",
		"postgres://ann@127.0.0.1/x?sslmode=what&password=Tr0ub4dor",
		"postgres:///x?sslmode=what&host=/tmp&password=Tr0ub4dor",
	} {
		l, err := Open(t.Context(), address, opt)
		if err == nil {
			l.Close()
			t.Errorf("%s was opened", address)
		} else if strings.Contains(err.Error(), "Tr0ub4dor") {
			t.Errorf("the password is in %q", err)
		}
	}
}

// TestStartsLater opens a log before its database runs.
func TestStartsLater(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	s.Kill()
	opened := make(chan error, 1)
	go func() {
		l, err := Open(context.Background(), pgtest.Address("postgres", s), Options{startFor: time.Minute})
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	s.Restart(t)
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestStartsThroughFaults opens a log while one of its first connections is cut, whichever.
func TestStartsThroughFaults(t *testing.T) {
	t.Parallel()
	database := filepath.Join(server.Dir(), ".s.PGSQL.5432")
	name := server.Create(t)
	for cut := 1; ; cut++ {
		var connections atomic.Int64
		address := answers(t, func(conn net.Conn) {
			n := connections.Add(1)
			if n == int64(cut) {
				return
			}
			to, err := net.Dial("unix", database)
			if err != nil {
				t.Error(err)
				return
			}
			defer to.Close()
			go func() { _, _ = io.Copy(to, conn); to.Close() }()
			_, _ = io.Copy(conn, to)
		})
		address = strings.Replace(strings.Replace(address, "ann:Tr0ub4dor@", "postgres@", 1), "/x?", "/"+name+"?", 1)
		l, err := Open(t.Context(), address, Options{startFor: time.Minute})
		if err != nil {
			t.Fatalf("without connection %d: %v", cut, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if connections.Load() < int64(cut) {
			t.Logf("there are %d connections", cut-1)
			break
		}
	}
}

func TestOnlyStandbys(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, false)
	out, opt := listening()
	refused(t, pgtest.Address("postgres", standby), "only standbys answer, which can't be written: promote one", opt)
	l, err := Open(t.Context(), address, opt)
	if err != nil {
		t.Fatal(err)
	}
	out.Wait(t, "the database's standbys are asynchronous")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	primary.Synchronous(t)
	l, err = Open(t.Context(), address, opt)
	if err != nil {
		t.Fatal(err)
	}
	out.Wait(t, "level=INFO msg=.a message that was acknowledged is on a synchronous standby")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	standby.Freeze()
	refused(t, address, "PostgreSQL does not confirm that something was written", opt)
	standby.Thaw()
}

func TestWarned(t *testing.T) {
	t.Parallel()
	name := server.Create(t)
	server.SQL(t, "ALTER DATABASE "+name+" SET synchronous_commit = off")
	out, opt := listening()
	opt.Now = func() time.Time { return time.Now().Add(time.Hour) }
	l, err := Open(t.Context(), pgtest.Address(name, server), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, want := range []string{"synchronous_commit is off", "fsync is off", "clock and the database's differ.*by=1h0m"} {
		out.Wait(t, want)
	}
	l.Retain(chat.Retention{Age: time.Hour})
	other, err := Open(t.Context(), pgtest.Address(name, server), Options{startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.Retain(chat.Retention{Age: 2 * time.Hour})
	out.Wait(t, "another server of this log was started with other limits.*here=.--retain-age 1h0m0s .*there=.--retain-age 2h0m0s ")
}

func TestNoStandby(t *testing.T) {
	t.Parallel()
	out, opt := listening()
	l, err := Open(t.Context(), pgtest.Address(server.Create(t), server), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out.Wait(t, "the database has no standby")
}

// TestPooler has PgBouncer before the database, as people set it up.
func TestPooler(t *testing.T) {
	t.Parallel()
	for name, ignored := range map[string]string{"as it is installed": "", "search_path allowed": "ignore_startup_parameters = search_path,extra_float_digits\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := server.Create(t)
			dir, err := os.MkdirTemp("", "parley-pooler-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			ini := filepath.Join(dir, "pgbouncer.ini")
			text := fmt.Sprintf("[databases]\n%s = host=%s user=postgres\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\n%s",
				database, server.Dir(), dir, ignored)
			if err := os.WriteFile(ini, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			server.Own(t, dir)
			cmd := exec.Command("pgbouncer", ini)
			cmd.SysProcAttr = server.User()
			said := servertest.NewOutput()
			cmd.Stdout, cmd.Stderr = said, said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			said.Wait(t, "process up")
			_, opt := listening()
			refused(t, "postgres://postgres@/"+database+"?port=6432&host="+dir, "give that of PostgreSQL itself", opt)
		})
	}
}

// TestDiskFull fills the disk of the entries, and makes room on it again.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	t.Parallel()
	dir, err := os.MkdirTemp("", "parley-small-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m,mode=0777"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := pgtest.New(t)
	s.Own(t, dir)
	s.SQL(t, "CREATE TABLESPACE small LOCATION '"+dir+"'", "CREATE DATABASE small TABLESPACE small")
	address := pgtest.Address("small", s)
	out, opt := listening()
	l, err := Open(t.Context(), address, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mustAppend(t, l, "before")
	rubbish := filepath.Join(dir, "rubbish")
	if err := os.WriteFile(rubbish, make([]byte, 32<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	var got result
	for i := 0; got.err == nil; i++ {
		got = <-appendTo(l, fmt.Sprint("during", i))
	}
	if !errors.Is(got.err, chat.ErrUnavailable) || !errors.Is(got.err, chat.ErrNoSpace) {
		t.Errorf("on a full disk: %v", got.err)
	}
	out.Wait(t, "the disk of PostgreSQL is full: messages are refused")
	if err := os.Remove(rubbish); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, "after")
	out.Wait(t, "the disk of PostgreSQL has room again")
}

// TestStartIsPatient opens a log while a commit takes longer than anybody waits for one
// later.
func TestStartIsPatient(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	standby.Freeze()
	opened := make(chan error, 1)
	go func() {
		l, err := Open(context.Background(), address, Options{startFor: time.Minute})
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	until(t, "a commit waits for its standby", func() bool {
		return primary.Query(t, fmt.Sprintf("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND now() - xact_start > '%d ms'",
			(patience+proveAgain).Milliseconds())) != "0"
	})
	standby.Thaw()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestProofWaits asks for a proof while the database is not there: it comes when that is
// back.
func TestProofWaits(t *testing.T) {
	t.Parallel()
	s := pgtest.New(t)
	l := openAt(t, pgtest.Address("postgres", s), "")
	defer l.Close()
	s.Kill()
	proved := make(chan error, 1)
	go func() { proved <- l.proof.waitFor(context.Background(), time.Minute) }()
	until(t, "an attempt fails", func() bool {
		l.proof.mu.Lock()
		defer l.proof.mu.Unlock()
		return l.proof.failed != nil
	})
	s.Restart(t)
	if err := <-proved; err != nil {
		t.Error(err)
	}
}

// answers is the address of a listener that does with each connection what a test says.
func answers(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { defer conn.Close(); talk(conn) })
		}
	})
	t.Cleanup(work.Wait)
	t.Cleanup(func() { l.Close() })
	return "postgres://ann:Tr0ub4dor@" + l.Addr().String() + "/x?sslmode=disable"
}

// TestOldVersion has a PostgreSQL that is too old.
func TestOldVersion(t *testing.T) {
	t.Parallel()
	_, opt := listening()
	address := answers(t, func(conn net.Conn) {
		b := pgproto3.NewBackend(conn, conn)
		if _, err := b.ReceiveStartupMessage(); err != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "14.9 (Debian 14.9-1)"})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for b.Flush() == nil {
			m, err := b.Receive()
			if err != nil {
				return
			}
			switch m := m.(type) {
			case *pgproto3.Query:
				if m.String != "show transaction_read_only" { // it has no more of what is asked
					return
				}
				b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("transaction_read_only"), DataTypeOID: 25}}})
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("off")}})
				b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SHOW")})
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			}
		}
	})
	refused(t, address, "it is PostgreSQL 14.9 (Debian 14.9-1), and Parley needs 15 or newer: upgrade it", opt)
}

// TestNoPostgreSQL has something else answer at the address.
func TestNoPostgreSQL(t *testing.T) {
	t.Parallel()
	colours, err := (&pgproto3.ErrorResponse{Severity: "FATAL", Code: "XX000", Message: "\x1b[31mred\nred\u202e"}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"a web server":                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"a server that greets":        "220 mail.example.org ESMTP\r\n",
		"one that hangs up":           "",
		"one that sends what is long": "R\x7f\xff\xff\xff" + strings.Repeat("\x1b[31m\n", 10_000),
		"one that refuses in colour":  string(colours),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := answers(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 1024))
				_, _ = conn.Write([]byte(says))
			})
			l, err := Open(t.Context(), address, Options{startFor: retryEvery})
			if err == nil {
				l.Close()
				t.Fatal("it was opened")
			}
			t.Log(err)
			if said := err.Error(); !strings.Contains(said, "PostgreSQL") || strings.ContainsAny(said, "\x1b\n\r\u202e") || len(said) > 1000 || strings.Contains(said, "Tr0ub4dor") {
				t.Errorf("it says %q", said)
			}
		})
	}
}
