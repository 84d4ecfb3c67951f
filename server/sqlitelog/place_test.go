//go:build unix

package sqlitelog_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/server/chat"
	"parley/server/sqlitelog"
)

// logged is what a log tells its logger.
type logged struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.data.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.data.String(), text)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// A log whose files are not where it opened them takes nothing, whatever lies there
// now, and goes on when they are back.
func TestMovedFolder(t *testing.T) {
	for what, c := range map[string]struct{ lose, restore func(dir string) error }{
		"moved": {
			func(dir string) error { return os.Rename(dir, dir+".moved") },
			func(dir string) error { return os.Rename(dir+".moved", dir) },
		},
		"replaced by an empty folder": {
			func(dir string) error { return errors.Join(os.Rename(dir, dir+".moved"), os.Mkdir(dir, 0o700)) },
			func(dir string) error { return errors.Join(os.Remove(dir), os.Rename(dir+".moved", dir)) },
		},
		"database unlinked": {
			func(dir string) error {
				path := filepath.Join(dir, sqlitelog.FileName)
				return errors.Join(os.Link(path, path+".kept"), os.Remove(path))
			},
			func(dir string) error {
				path := filepath.Join(dir, sqlitelog.FileName)
				return os.Rename(path+".kept", path)
			},
		},
		"write-ahead log replaced": {
			func(dir string) error {
				path := filepath.Join(dir, sqlitelog.FileName+"-wal")
				return errors.Join(os.Rename(path, path+".kept"), os.WriteFile(path, nil, 0o600))
			},
			func(dir string) error {
				path := filepath.Join(dir, sqlitelog.FileName+"-wal")
				return os.Rename(path+".kept", path)
			},
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			var says logged
			l := open(t, dir, sqlitelog.Options{Logger: says.logger()})
			var followed []string
			_, stop, err := l.Open(t.Context(), lobby, chat.Follower{Entries: func(entries []chat.Entry) {
				for _, e := range entries {
					followed = append(followed, e.ID)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if _, err := add(l, "a", "x"); err != nil {
				t.Fatal(err)
			}
			if err := c.lose(dir); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadDir(dir)
			for _, id := range []string{"b", "c"} {
				if _, err := add(l, id, "x"); !errors.Is(err, chat.ErrMoved) || !errors.Is(err, chat.ErrUnavailable) {
					t.Errorf("%s gets %v", id, err)
				}
			}
			if err := l.Ready(t.Context()); !errors.Is(err, chat.ErrMoved) {
				t.Errorf("ready: %v", err)
			}
			for range 8 { // more than there are connections
				if got := kept(t, l, lobby); !strings.HasPrefix(got, "1a") {
					t.Errorf("it reads %q", got)
				}
			}
			if after, _ := os.ReadDir(dir); !slices.EqualFunc(before, after, func(a, b os.DirEntry) bool { return a.Name() == b.Name() }) {
				t.Errorf("it left %v in the place of %v", after, before)
			}
			if err := c.restore(dir); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"b", "c"} {
				if _, err := add(l, id, "x"); err != nil {
					t.Errorf("%s, when it was back: %v", id, err)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if got := strings.Join(followed, " "); got != "a b c" {
				t.Errorf("followed: %s", got)
			}
			if lost, back := says.count("moved, replaced or removed"), says.count("folder is back"); lost != 1 || back != 1 {
				t.Errorf("it logged the loss %d times, the return %d times", lost, back)
			}
			l = open(t, dir, sqlitelog.Options{})
			defer l.Close()
			if got := kept(t, l, lobby); got != "1a 2b 3c" {
				t.Errorf("kept: %s", got)
			}
		})
	}
}

// A log that is closed while another one lies in its place leaves that one alone.
func TestCloseAfterMove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".moved"); err != nil {
		t.Fatal(err)
	}
	other := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal})
	defer other.Close()
	if _, err := add(other, "other", "x"); err != nil {
		t.Fatal(err)
	}
	before, _ := filepath.Glob(filepath.Join(dir, "*"))
	if err := l.Close(); !errors.Is(err, chat.ErrMoved) {
		t.Errorf("closing it: %v", err)
	}
	if after, _ := filepath.Glob(filepath.Join(dir, "*")); !slices.Equal(before, after) || len(after) < 4 {
		t.Errorf("of %v it left %v", before, after)
	}
	if _, err := add(other, "other 2", "x"); err != nil {
		t.Error(err)
	}
	moved := open(t, dir+".moved", sqlitelog.Options{})
	defer moved.Close()
	if got := kept(t, moved, lobby); got != "1a" {
		t.Errorf("in the moved folder is %s", got)
	}
}
