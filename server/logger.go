package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// linesPerSecond is how many lines with one message are logged in a second, since
// strangers can cause them.
const linesPerSecond = 20

// limitedLog leaves out what is over linesPerSecond, and says how much that was.
type limitedLog struct {
	slog.Handler
	*lines
}

// lines are those of one second.
type lines struct {
	last slog.Handler // for what is said at the second's end

	mu      sync.Mutex
	written map[string]int // by message; nil between two seconds with lines
	left    map[string]int
}

func limitLog(h slog.Handler) slog.Handler { return limitedLog{h, &lines{last: h}} }

// Handle implements slog.Handler.
func (h limitedLog) Handle(ctx context.Context, r slog.Record) error {
	if !h.take(r.Message) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h limitedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limitedLog{h.Handler.WithAttrs(attrs), h.lines}
}

// WithGroup implements slog.Handler.
func (h limitedLog) WithGroup(name string) slog.Handler {
	return limitedLog{h.Handler.WithGroup(name), h.lines}
}

// take counts a line and reports whether it is to be written.
func (l *lines) take(message string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written == nil {
		l.written, l.left = make(map[string]int), make(map[string]int)
		time.AfterFunc(time.Second, l.end)
	}
	if l.written[message] >= linesPerSecond {
		l.left[message]++
		return false
	}
	l.written[message]++
	return true
}

func (l *lines) end() {
	l.mu.Lock()
	left := l.left
	l.written, l.left = nil, nil
	l.mu.Unlock()
	for message, n := range left {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines were left out", 0)
		r.AddAttrs(slog.String("message", message), slog.Int("more", n))
		_ = l.last.Handle(context.Background(), r)
	}
}
