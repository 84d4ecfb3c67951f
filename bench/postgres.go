package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// postgres is PostgreSQL with a synchronous standby, each in a folder of its own. Both
// wait for their disks.
type postgres struct {
	primary, standby *node
	databases        int
}

// node is one server of PostgreSQL.
type node struct {
	dir  string
	attr *syscall.SysProcAttr
	proc *exec.Cmd
	out  bytes.Buffer
}

func startPostgres() (p *postgres, err error) {
	if _, err := exec.LookPath(inDebian("initdb")); err != nil {
		return nil, fmt.Errorf("PostgreSQL 15 or newer is needed: apt install postgresql (%w)", err)
	}
	p = &postgres{}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if p.primary, err = newNode(); err != nil {
		return p, err
	}
	if err = p.primary.run("initdb", "-D", p.primary.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"); err != nil {
		return p, err
	}
	if err = p.primary.start(); err != nil {
		return p, err
	}
	if p.standby, err = newNode(); err != nil {
		return p, err
	}
	if err = p.standby.run("pg_basebackup", "-h", p.primary.dir, "-U", "postgres", "-D", p.standby.data(), "-R", "-c", "fast"); err != nil {
		return p, err
	}
	if err = p.standby.start(); err != nil {
		return p, err
	}
	if err = p.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'"); err != nil {
		return p, err
	}
	return p, p.primary.sql("SELECT pg_reload_conf()")
}

// flags are what a Parley is started with, to work on a database of its own. The one
// before it goes: the more there are, the more often autovacuum starts.
func (p *postgres) flags() ([]string, error) {
	if err := p.primary.sql(fmt.Sprintf("DROP DATABASE IF EXISTS parley%d WITH (FORCE)", p.databases)); err != nil {
		return nil, err
	}
	p.databases++
	name := fmt.Sprint("parley", p.databases)
	err := p.primary.sql("CREATE DATABASE " + name)
	return []string{"--log", "postgres://postgres@/" + name + "?host=" + p.primary.dir}, err
}

func (p *postgres) cpu() float64 { return p.primary.cpu() + p.standby.cpu() }

func (p *postgres) stop() {
	for _, n := range []*node{p.primary, p.standby} {
		if n == nil {
			continue
		}
		if n.proc != nil && n.proc.Process != nil {
			_ = n.proc.Process.Signal(syscall.SIGQUIT) // it ends at once; what it has is removed
			_ = n.proc.Wait()
		}
		_ = os.RemoveAll(n.dir)
	}
}

func newNode() (*node, error) {
	dir, err := os.MkdirTemp("", "parley-bench-pg-")
	if err != nil {
		return nil, err
	}
	n := &node{dir: dir}
	n.attr, err = asPostgres(dir)
	return n, err
}

func (n *node) data() string { return filepath.Join(n.dir, "data") }

func (n *node) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(inDebian(name), args...)
	cmd.SysProcAttr, cmd.Dir = n.attr, n.dir
	return cmd
}

func (n *node) run(name string, args ...string) error {
	if out, err := n.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func (n *node) sql(statement string) error {
	return n.run("psql", "-h", n.dir, "-U", "postgres", "-qXc", statement)
}

func (n *node) start() error {
	n.proc = n.command("postgres", "-D", n.data(), "-k", n.dir, "-c", "listen_addresses=", "-c", "shared_buffers=128MB",
		"-c", "max_wal_size=4GB", "-c", "max_connections=200")
	n.proc.Stdout, n.proc.Stderr = &n.out, &n.out
	if err := n.proc.Start(); err != nil {
		return err
	}
	for range 600 {
		if n.run("pg_isready", "-q", "-h", n.dir) == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not start: %s", n.out.String())
}

// cpu is what its processes have used, in seconds. Those that have ended count in ticks
// of 10 ms.
func (n *node) cpu() float64 {
	own := n.proc.Process.Pid
	used := processorTime(own) + ended(own)
	for _, pid := range children(own) {
		used += processorTime(pid)
	}
	return used
}

// inDebian finds a program of PostgreSQL, which Debian has in no PATH.
func inDebian(name string) string {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

// asPostgres gives a folder to the user as whom PostgreSQL runs, where root starts it. It
// ends at once when this program does.
func asPostgres(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() != 0 {
		return attr, nil
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
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}
