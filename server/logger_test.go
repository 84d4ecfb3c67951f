package main

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

// Of a thousand equal lines some are written, and how many are not; other lines
// are written meanwhile.
func TestLogIsLimited(t *testing.T) {
	out := newOutput()
	logger := slog.New(limitLog(slog.NewTextHandler(out, nil)))
	for range 1000 {
		logger.With("address", "192.0.2.1").Info("session closed")
	}
	logger.Info("serving")
	out.wait(t, `msg="lines were left out" message="session closed" more=[0-9]+`)
	text := out.wait(t, `(?s).*`)
	if !strings.Contains(text, "serving") {
		t.Error("another line is missing")
	}
	if n := len(regexp.MustCompile(`msg="session closed" address`).FindAllString(text, -1)); n < linesPerSecond || n > 5*linesPerSecond {
		t.Errorf("%d lines were written", n)
	}
}
