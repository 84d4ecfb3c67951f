package store_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
)

// below are the files below a folder.
func below(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, e.Name())
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// keep copies a file, and a thumbnail.
func keep(t *testing.T, f session.Files, name string) {
	t.Helper()
	for _, name := range []string{name, name + session.ThumbSuffix} {
		if n, err := f.Keep(name, strings.NewReader("content"), 7); n != 7 || err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	defer s.Close()
	f := s.Files()
	keep(t, f, "a")
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		from io.Reader
		want error
	}{
		{"a", strings.NewReader("x"), os.ErrExist},
		{"b", strings.NewReader("12345678"), session.ErrFileTooLarge},
		{"b", io.MultiReader(strings.NewReader("1"), reader{broken}), broken},
		{"b", io.MultiReader(strings.NewReader("1"), reader{syscall.ENOSPC}), session.ErrNoSpace},
	} {
		if _, err := f.Keep(test.name, test.from, 7); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := f.Copy("b"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	c, err := f.Copy("a")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if data, err := io.ReadAll(c); string(data) != "content" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	for _, name := range []string{"..", ".", "", "/etc/x", "../../x"} { // names are ours; nothing leaves the folder all the same
		_, _ = f.Keep(name, strings.NewReader("x"), 7)
	}
	if got := below(t, filepath.Dir(path)); !slices.Equal(got, []string{"store", "a", "a-thumb", "x"}) {
		t.Errorf("there are %q", got)
	}
}

type reader struct{ err error }

func (r reader) Read([]byte) (int, error) { return 0, r.err }

// What no row has is swept at the next start; what a room has goes with the room.
func TestCopiesGoWithTheirRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	const server = "http://192.0.2.1:8000"
	for _, name := range []string{"waits", "refused", "stays", "stray"} {
		keep(t, s.Files(), name)
	}
	saved := session.Saved{State: session.RoomState{Server: server, Room: "one"}, Outbox: pending("a"), Log: sent(0, 2)}
	saved.Outbox[0].Copy, saved.Log[0].Copy, saved.Log[0].Delivery = "waits", "refused", session.Failed
	save := func(room string, saved session.Saved) {
		r := enter(s, room)
		if _, err := r.Load(); err != nil {
			t.Fatal(err)
		}
		if err := r.Save(session.Saving{Saved: saved}); err != nil {
			t.Fatal(err)
		}
		r.Leave()
	}
	save("one", saved)
	other := session.Saved{State: session.RoomState{Server: server, Room: "two"}, Outbox: pending("b")}
	other.Outbox[0].Copy = "stays"
	save("two", other)
	again := func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
	}
	again()
	copies := filepath.Join(path+".files", "copies")
	if got := below(t, copies); !slices.Equal(got, []string{"refused", "refused-thumb", "stays", "stays-thumb", "waits", "waits-thumb"}) {
		t.Errorf("after the start there are %q", got)
	}
	for _, room := range []string{"one", "two"} {
		s.Files().KeepThumb(server, room, 7, "file", []byte("thumb"))
	}
	if err := s.Forget(server, " ONE"); err != nil {
		t.Fatal(err)
	}
	if got := below(t, path+".files"); !slices.Equal(got, []string{"stays", "stays-thumb", "7-file"}) {
		t.Errorf("without the room there are %q", got)
	}
	if err := s.Forget(server, "never been"); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(server, "http://192.0.2.2:8000"); err != nil {
		t.Fatal(err)
	}
	again()
	if got := below(t, path+".files"); !slices.Equal(got, []string{"stays", "stays-thumb"}) {
		t.Errorf("after the move there are %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// A damaged store keeps its files.
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := below(t, s.SetAside()+".files"); !slices.Equal(got, []string{"stays", "stays-thumb"}) {
		t.Errorf("set aside are %q", got)
	}
	if got := below(t, path+".files"); len(got) > 0 {
		t.Errorf("the new store has %q", got)
	}
}

func TestThumbs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	defer s.Close()
	const server = "http://192.0.2.1:8000"
	f := s.Files()
	thumb := bytes.Repeat([]byte("t"), 1000)
	s.BoundThumbs(10_000)
	if f.Thumb(server, "r", 1, "f") != nil {
		t.Error("there is one")
	}
	old := func(offset string) {
		names, err := filepath.Glob(filepath.Join(path+".files", "thumbs", "*", "*", offset+"-f"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		if err := os.Chtimes(names[0], time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for offset := range int64(10) {
		f.KeepThumb(server, "r", offset, "f", thumb)
	}
	old("3")
	old("5")
	if got := f.Thumb(server, "R ", 5, "f"); !bytes.Equal(got, thumb) { // looked at, and not old any more
		t.Errorf("%d bytes", len(got))
	}
	f.KeepThumb(server, "other", 10, "f", thumb)
	kept := func(offset int64) bool { return f.Thumb(server, "r", offset, "f") != nil }
	if kept(3) || !kept(5) || !kept(9) || f.Thumb(server, "other", 10, "f") == nil {
		t.Errorf("kept are %q", below(t, path+".files"))
	}
	if n := len(below(t, path+".files")); n > 8 {
		t.Errorf("%d are kept", n)
	}
	f.DropThumbs(server, "r", []int64{5, 1})
	if kept(5) || kept(1) || !kept(9) {
		t.Errorf("kept are %q", below(t, path+".files"))
	}
}
