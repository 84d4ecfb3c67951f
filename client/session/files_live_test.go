package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"parley/client/session"
)

// fetched is a file as the room gives it.
func (v *viewer) fetched(i session.Item) []byte {
	v.t.Helper()
	var b bytes.Buffer
	var told int64
	if err := v.room.Fetch(context.Background(), i, &b, func(n int64) { told = n }); err != nil || told != int64(b.Len()) {
		v.t.Errorf("%+v: %d bytes, %d were told of, %v", i.File, b.Len(), told, err)
	}
	return b.Bytes()
}

// A picture goes from one to another over TLS below a path, is answered and found, and is
// gone once it is deleted.
func TestFileFromOneToAnother(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--tls", "auto", "--base-path", "/parley")
	kept := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer kept.Close()
	base := s.base + "/parley"
	ann := enter(t, session.Config{Server: base, Room: "r", User: "Ann", Store: kept})
	bob := enter(t, session.Config{Server: base, Room: "r", User: "Bob"})
	bob.connected()
	ann.until("files", func() bool { return ann.status.MaxFile > 0 })
	noise := image.NewGray(image.Rect(0, 0, 900, 700))
	copy(noise.Pix, content(1, len(noise.Pix)))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, noise, nil); err != nil {
		t.Fatal(err)
	}
	data := photo.Bytes()
	item := ann.attach("a/b\u202eexe.jpg", data, "the gate")
	bob.shows("the gate")
	got := bob.rows[0]
	if f := got.File; f == nil || f.Name != "bexe.jpg" || f.Size != int64(len(data)) || f.Width != 400 || f.Height != 300 || f.Type != "image/jpeg" || !f.Thumb || f.Gone {
		t.Fatalf("the file is %+v", f)
	}
	if !bytes.Equal(bob.fetched(got), data) {
		t.Error("another file came")
	}
	if thumb, err := bob.room.Thumb(context.Background(), got); err != nil || !bytes.Equal(thumb, picture(t)) {
		t.Errorf("the thumbnail has %d bytes, %v", len(thumb), err)
	}
	ann.until("the echo", ann.settled)
	if !bytes.Equal(ann.fetched(ann.row(item.ID)), data) {
		t.Error("another file came back")
	}

	second := ann.attach("plan.txt", []byte("plan"), "")
	bob.until("a file without a caption", func() bool { return len(bob.rows) == 2 })
	if _, err := bob.room.SendReply("thanks", bob.rows[1].ID); err != nil {
		t.Fatal(err)
	}
	ann.until("the answer", func() bool {
		return len(ann.rows) == 3 && ann.rows[2].Quote != nil && ann.rows[2].Quote.Text == "plan.txt" && ann.settled()
	})
	bob.until("its echo", bob.settled)
	if q := bob.rows[2].Quote; q == nil || q.Text != "plan.txt" {
		t.Errorf("the quote is %+v", q)
	}
	if err := ann.room.Edit(item.ID, "the east gate"); err != nil {
		t.Fatal(err)
	}
	bob.until("the edit", func() bool { return bob.rows[0].Text == "the east gate" && bob.rows[0].File != nil })
	if err := bob.room.Search("east", 0); err != nil {
		t.Fatal(err)
	}
	var found *session.Search
	bob.until("a hit", func() bool {
		i := slices.IndexFunc(bob.changes, func(c session.Change) bool { return c.Kind == session.Found })
		if i >= 0 {
			found = bob.changes[i].Search
		}
		return found != nil
	})
	if len(found.Hits) != 1 || found.Hits[0].File == nil || found.Hits[0].Text != "the east gate" {
		t.Errorf("found is %+v", found)
	}

	ann.room.Delete(second.ID)
	bob.until("the deletion", func() bool { return bob.rows[1].Deleted && bob.rows[1].File == nil && bob.rows[2].Quote.Text == "" })
	fileGone := session.Item{ID: second.ID, File: second.File}
	if err := bob.room.Fetch(context.Background(), fileGone, io.Discard, nil); !errors.Is(err, session.ErrFileGone) {
		t.Errorf("what is deleted comes: %v", err)
	}
	stranger := enter(t, session.Config{Server: base, Room: "r", User: "Cleo"})
	stranger.until("the history", func() bool { return len(stranger.rows) == 3 })
	if f := stranger.rows[0].File; f == nil || stranger.rows[0].Text != "the east gate" || stranger.rows[1].File != nil {
		t.Errorf("history has %+v, %+v", stranger.rows[0], stranger.rows[1])
	}
}

// cutter opens connections of which those that carry files break after a number of bytes.
type cutter struct{ left atomic.Int64 }

var errCut = errors.New("cut by the test")

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c     *cutter
	begun bool
	file  bool
}

func (c *cutConn) Write(p []byte) (int, error) {
	if !c.begun {
		c.begun, c.file = true, bytes.HasPrefix(p, []byte("PATCH")) || bytes.HasPrefix(p, []byte("PUT"))
	}
	if !c.file {
		return c.Conn.Write(p)
	}
	left := c.c.left.Add(-int64(len(p)))
	if left >= 0 {
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:max(0, int64(len(p))+left)])
	_ = c.Close()
	return n, errCut
}

// The line breaks at random bytes of a file, again and again. It comes whole.
func TestFileCutAtRandomBytes(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0")
	kept := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer kept.Close()
	kept.NoSync()
	random := rand.New(rand.NewPCG(1, 18))
	var line cutter
	line.left.Store(1 << 40)
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: kept, Dial: line.dial})
	ann.until("files", func() bool { return ann.status.MaxFile > 0 })
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	cuts := 0
	for n := range 4 {
		data := content(uint64(n), 1+random.IntN(3<<20))
		line.left.Store(random.Int64N(400_000))
		item := ann.attach(fmt.Sprint(n), data, "")
		for ann.row(item.ID).Offset == 0 {
			ann.until("progress, or its end", func() bool { return line.left.Load() < 0 || ann.row(item.ID).Offset > 0 })
			if line.left.Load() < 0 {
				cuts++
				line.left.Store(random.Int64N(400_000))
			}
		}
		bob.until("the file", func() bool { return len(bob.rows) == n+1 })
		if !bytes.Equal(bob.fetched(bob.rows[n]), data) {
			t.Errorf("another file came than %d", n)
		}
	}
	t.Logf("%d cuts", cuts)
}

// A file goes on where it stood when the server has another address.
func TestFileMoves(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	path := filepath.Join(t.TempDir(), "store")
	kept := openStore(t, path)
	defer kept.Close()
	var line cutter
	line.left.Store(600_000)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Store: kept, Dial: line.dial}
	ann := enter(t, config)
	ann.until("files", func() bool { return ann.status.MaxFile > 0 })
	data := content(1, 2<<20)
	item := ann.attach("a", data, "moved")
	ann.until("half of it", func() bool { i := ann.row(item.ID); return i.File != nil && i.File.Sent > 500_000 })
	ann.room.Close()
	s.Stop()
	s.Listen("127.0.0.1:0")
	s.MustStart()
	to := "http://" + s.Addr()
	if err := kept.Move(s.base, to); err != nil {
		t.Fatal(err)
	}
	line.left.Store(int64(len(data)) - 500_000 + 100_000) // too little for all of it
	config.Server = to
	ann = enter(t, config)
	bob := enter(t, session.Config{Server: to, Room: "r", User: "Bob"})
	bob.shows("moved")
	if !bytes.Equal(bob.fetched(bob.rows[0]), data) {
		t.Error("another file came")
	}
}

// howManyKills has TestKilledWhileSending kill more often: 200 times take a minute or two.
const howManyKills = "PARLEY_KILLS"

// TestKilledWhileSending kills an app, and now and then the server, at random moments of
// sending files. Every file that the app has shown is in the log once, as it was.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	kills := 12
	if n, err := strconv.Atoi(os.Getenv(howManyKills)); err == nil {
		kills = n
	}
	s := startServer(t, "--rate", "0")
	random := rand.New(rand.NewPCG(2, 18))
	o := order{Server: s.base, Store: filepath.Join(t.TempDir(), "store"), Room: "r", Texts: []string{"hello"}}
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	shown := map[string]bool{} // names of files
	names := func(rows []session.Item) {
		for _, row := range rows {
			if row.File != nil {
				shown[row.File.Name] = true
			}
		}
	}
	bob.connected()
	for n := range kills {
		o.Attach = n + 1
		a := startApp(t, o)
		o.Texts = nil
		watch := func(within time.Duration) {
			moment := time.After(within)
			for {
				select {
				case line, ok := <-a.lines:
					if names(line.Rows); !ok {
						t.Fatal("the app ended by itself")
					}
				case <-moment:
					return
				}
			}
		}
		names((<-a.lines).Rows) // it has begun
		watch(time.Duration(random.IntN(150)) * time.Millisecond)
		if random.IntN(3) == 0 {
			s.Kill()
			s.MustStart()
			watch(time.Duration(random.IntN(100)) * time.Millisecond)
		}
		for _, line := range a.kill() {
			names(line.Rows)
		}
	}
	kept := openStore(t, o.Store)
	defer kept.Close()
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: kept})
	ann.send("end")
	ann.until("all sent", func() bool { return slices.Contains(ann.texts(), "end") && ann.settled() })
	names(ann.rows)
	bob.until("all of it", func() bool { return len(bob.rows) == len(ann.rows) })
	ann.room.Close()
	if left, err := os.ReadDir(filepath.Join(o.Store+".files", "copies")); len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
	seen := map[string]int{}
	for _, row := range bob.rows {
		if row.File != nil {
			seen[row.File.Name]++
		}
	}
	for _, row := range bob.rows {
		if row.File == nil {
			continue
		}
		if n, err := strconv.Atoi(row.File.Name); err != nil || seen[row.File.Name] != 1 || !bytes.Equal(bob.fetched(row), killedContent(n)) {
			t.Errorf("%s came %d times, or is another one, %v", row.File.Name, seen[row.File.Name], err)
		}
	}
	for name := range shown {
		if seen[name] != 1 {
			t.Errorf("%s was shown, and came %d times", name, seen[name])
		}
	}
	if len(shown) == 0 {
		t.Error("nothing was shown")
	}
	t.Logf("%d kills, %d files", kills, len(seen))
}

// killedContent are the bytes of the file that an app sends in its n-th run.
func killedContent(n int) []byte { return content(uint64(n), 1+n*7919*131%(3<<20)) }
