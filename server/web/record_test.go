package web_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// wire passes connections on and keeps every byte that goes through, in either
// direction.
type wire struct {
	addr string

	mu    sync.Mutex
	bytes strings.Builder
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes.Write(p)
}

func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes.String()
}

// record listens at an address of its own and passes on to another one.
func record(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String()}
	var work sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			onward, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			t.Cleanup(func() { from.Close(); onward.Close() })
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(io.MultiWriter(to, w), from) // either end may break it off
				to.Close()
				from.Close()
			}
			work.Go(func() { pass(onward, from) })
			work.Go(func() { pass(from, onward) })
		}
	})
	return w
}
