package servertest

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// tooLong is how long a test waits for what comes by itself: longer than a busy machine takes.
const tooLong = 3 * time.Minute

// Output is what a program prints, while a test reads it.
type Output struct {
	mu      sync.Mutex
	data    bytes.Buffer
	changed chan struct{} // closed at the next write
}

// NewOutput returns an Output for the output of another program.
func NewOutput() *Output { return &Output{changed: make(chan struct{})} }

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.data.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String()
}

// Wait waits until a pattern has been printed and returns the match. It fails
// the test after tooLong.
func (o *Output) Wait(t testing.TB, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.After(tooLong)
	for {
		o.mu.Lock()
		text, changed := o.data.String(), o.changed
		o.mu.Unlock()
		if m := re.FindString(text); m != "" {
			return m
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("it did not print %s:\n%s", pattern, text)
		}
	}
}
