package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// redis is a Redis in a folder of its own, for servers of centrifuge.
type redis struct {
	dir  string
	proc *exec.Cmd
	out  bytes.Buffer
}

// startRedis starts one that keeps nothing on disk, or, with fsync, one that answers a
// write only when its log of writes (AOF) is on disk.
func startRedis(fsync bool) (r *redis, err error) {
	dir, err := os.MkdirTemp("", "parley-bench-redis-")
	if err != nil {
		return nil, err
	}
	r = &redis{dir: dir}
	args := []string{"--port", "0", "--unixsocket", r.socket(), "--dir", dir, "--save", ""}
	if fsync {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	r.proc = exec.Command("redis-server", args...)
	r.proc.Stdout, r.proc.Stderr = &r.out, &r.out
	r.proc.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.proc.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("Redis is needed: apt install redis-server (%w)", err)
	}
	for range 200 {
		if c, err := net.Dial("unix", r.socket()); err == nil {
			_ = c.Close()
			return r, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.stop()
	return nil, fmt.Errorf("Redis does not start: %s", r.out.String())
}

func (r *redis) socket() string { return filepath.Join(r.dir, "socket") }

func (r *redis) flags() ([]string, error) { return []string{"unix://" + r.socket()}, nil }

func (r *redis) cpu() float64 { return processorTime(r.proc.Process.Pid) }

func (r *redis) stop() {
	_ = r.proc.Process.Kill()
	_ = r.proc.Wait()
	_ = os.RemoveAll(r.dir)
}
