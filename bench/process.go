package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under measurement.
type process struct {
	cmd  *exec.Cmd
	addr string
	out  bytes.Buffer
}

// start runs a peer on a free port and waits until it accepts connections.
func start(p peer) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &process{addr: l.Addr().String()}
	l.Close()
	if s.cmd, err = p.command(s.addr); err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = io.Discard, &s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it does not outlive this program
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 600 {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			c.Close()
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New(p.name + " does not start: " + s.out.String())
}

func (s *process) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
	for i, arg := range s.cmd.Args {
		if arg == "--data" {
			os.RemoveAll(s.cmd.Args[i+1])
		}
	}
}

// cpu is what the process has used, user and system, in seconds.
func (s *process) cpu() float64 {
	fields := stat(s.cmd.Process.Pid)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// appendP99 is how long 99 of 100 commits of Parley's log took at most, by the
// buckets of its histogram.
func (s *process) appendP99() (time.Duration, error) {
	body, err := s.metrics()
	if err != nil {
		return 0, err
	}
	const number = ` (\d+)$`
	count := regexp.MustCompile(`(?m)^parley_append_seconds_count` + number).FindSubmatch(body)
	if count == nil {
		return 0, errors.New("no parley_append_seconds in /metrics")
	}
	all, _ := strconv.Atoi(string(count[1]))
	for _, bucket := range regexp.MustCompile(`(?m)^parley_append_seconds_bucket\{le="([0-9.e-]+)"\}`+number).FindAllSubmatch(body, -1) {
		if n, _ := strconv.Atoi(string(bucket[2])); float64(n) >= 0.99*float64(all) {
			return time.ParseDuration(string(bucket[1]) + "s")
		}
	}
	return 0, errors.New("an append took longer than the last bucket of parley_append_seconds")
}

// token is what Parley wants at /metrics.
const token = "the-token-of-the-bench"

// metrics is what Parley tells at /metrics.
func (s *process) metrics() ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.addr+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// metric returns one of the process's metrics, 0 if it has no such metric.
func (s *process) metric(name string) float64 {
	body, err := s.metrics()
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return v
		}
	}
	return 0
}

// memory returns a field of /proc/PID/status in bytes: VmRSS is resident now,
// VmHWM the most so far.
func (s *process) memory(field string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb * 1024
		}
	}
	return 0
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "?"
}
