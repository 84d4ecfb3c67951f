//go:build linux && amd64

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servertest.Remove()
	os.Exit(code)
}

var (
	apk   = flag.String("apk", "", "run this APK's app, as make apk-run does")
	shots = flag.String("shots", "", "put pictures of the screen into this folder")
)

// The app's colours in the light that the test looks for.
var (
	fill  = color.NRGBA{0x4f, 0x46, 0xe5, 0xff} // of the main button and of the person's own bubbles
	paper = color.NRGBA{0xff, 0xff, 0xff, 0xff} // of entries, menus and others' bubbles
	earth = color.NRGBA{0xf2, 0xf3, 0xf8, 0xff} // of pages, and of the system's bars
)

// away is how long the app is in the background. Its connection is kept for
// half a minute.
const away = 40 * time.Second

const (
	keyboardHeight = 300 // of the host's keyboard
	barHeight      = 16  // of the gestures
)

// The packaged app, through Fyne's Android driver, on a first day: its person
// comes into a room, writes, reads, copies, turns the phone, goes back out of
// every page, is away for longer than the connection is kept, and loses the
// app's process with a message unsent.
func TestApp(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	const scale = 2
	r := newRig(t, *apk)
	server := startServer(t)
	folder := t.TempDir()
	p := r.start(t, folder, scale)

	// A fresh install asks for a name and a server.
	p.introduce(server)

	// The rooms: one is asked for by its name.
	p.tap(p.find("the rooms", roomEntry))
	p.wait("keyboard shown")
	p.do("type Garden")
	p.save("rooms.png")
	p.do("done")
	server.people(t, "Garden", 1)

	// Messages are sent with the keyboard up, and stand above it.
	p.find("the room", isRoom)
	if above, below := p.screen().bars(); above != earth || below != earth {
		t.Errorf("the system's bars are %v and %v, not like the page", above, below)
	}
	p.write()
	p.do("type hello from the phone")
	p.send()
	server.said(t, "Ann: hello from the phone")
	p.find("the message above the keyboard", func(s screen) (image.Rectangle, bool) {
		b := mine(s)
		return one(b), len(b) == 1 && b[0].Max.Y < s.size().Y-keyboardHeight
	})

	// One emoji is deleted by one touch of the key, which is two UTF-16 units, and
	// the entry grows with what is written.
	const draft = "Dinner in the garden at eight? 🎉 I bring bread, tomatoes and the good olive oil. Somebody has to bring chairs."
	p.do("type Dinne😀")
	p.do("backspace 2")
	p.do("type %s", strings.TrimPrefix(draft, "Dinne"))
	p.find("a button to send it", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, slices.ContainsFunc(s.boxes(fill, image.Pt(24, 24)), func(r image.Rectangle) bool {
			return r.Min.X > s.size().X-60 && r.Min.Y > s.size().Y-keyboardHeight-60
		})
	})
	p.save("draft.png")
	p.send()
	server.said(t, "Ann: "+draft)

	// Others' messages come in, and a long touch copies one.
	bob := server.join(t, "Garden", "Bob")
	bob.say(t, "hello Ann, the gate is open")
	bubble := p.find("Bob's message", func(s screen) (image.Rectangle, bool) { b := theirs(s); return one(b), len(b) == 1 })
	p.save("room.png")
	p.do("back")
	p.wait("keyboard hidden")
	bubble = p.find("Bob's message without the keyboard", func(s screen) (image.Rectangle, bool) {
		b := theirs(s)
		return one(b), len(b) == 1 && b[0].Min.Y > bubble.Min.Y
	})
	p.press(bubble)
	menu := p.find("the menu, above all that is darker now", func(s screen) (image.Rectangle, bool) {
		b := s.boxes(paper, image.Pt(40, 28))
		above, below := s.bars()
		return one(b), len(b) == 1 && b[0].Dx() < 400 && above != earth && above == below
	})
	p.save("menu.png")
	p.tap(image.Rect(menu.Min.X, menu.Max.Y-92, menu.Max.X, menu.Max.Y-48)) // its last line but one
	p.wait("clipboard hello Ann, the gate is open")

	// On its side the phone shows the same.
	p.do("rotate")
	p.find("the room on its side", func(s screen) (image.Rectangle, bool) {
		b := mine(s)
		return one(b), s.size() == image.Pt(860, 412) && len(b) > 0 && b[len(b)-1].Max.X > 700
	})
	p.save("landscape.png")
	p.do("rotate")
	p.find("the room upright", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, s.size() == image.Pt(412, 860) && len(mine(s)) == 2 && len(theirs(s)) == 1
	})

	// Back leaves the room, and from the rooms the app.
	p.do("back")
	p.find("the rooms", roomEntry)
	p.do("back")
	p.wait("finished")

	// Away for longer than the connection is kept: what was said meanwhile is
	// there on coming back, by resuming.
	p.find("the rooms", roomEntry)
	p.enterFirst()
	p.find("the room", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(theirs(s)) == 1 })
	server.people(t, "Garden", 2)
	resumed := server.resumed()
	p.do("hide")
	hidden := time.Now()
	server.people(t, "Garden", 1)
	bob.say(t, "are you still there?")
	time.Sleep(time.Until(hidden.Add(away)))
	server.people(t, "Garden", 1)
	p.do("show")
	p.find("what was said meanwhile", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(theirs(s)) == 2 })
	server.people(t, "Garden", 2)
	if server.resumed() == resumed {
		t.Error("the app came back without resuming")
	}

	// Without a network a message waits. Its process is killed; the room and
	// the message are there when the app is started again, and then it is sent.
	server.cut()
	p.write()
	p.do("type sent later")
	p.do("done")
	p.find("the unsent message", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(mine(s)) == 3 })
	p.save("unsent.png")
	p.kill()
	p = r.start(t, folder, scale)
	p.find("the room as it was", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, len(mine(s)) == 3 && len(theirs(s)) == 2
	})
	p.save("restarted.png")
	p.do("dark 1")
	p.find("the dark", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(theirs(s)) == 0 })
	p.save("dark.png")
	if got := server.history(t); len(got) != 4 {
		t.Fatalf("the server keeps %q", got)
	}
	server.mend()
	server.said(t, "Ann: sent later")
	want := []string{"Ann: hello from the phone", "Ann: " + draft, "Bob: hello Ann, the gate is open", "Bob: are you still there?", "Ann: sent later"}
	if got := server.history(t); !slices.Equal(got, want) {
		t.Errorf("the server keeps %q, not %q", got, want)
	}

	// A drag brings back what newer messages have pushed out of sight.
	p.do("dark 0")
	for range 9 {
		bob.say(t, "a message\nof three\nlines")
	}
	p.find("only what Bob says", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, len(mine(s)) == 0 && len(theirs(s)) > 6
	})
	p.do("drag %d %d %d %d", 200*scale, 300*scale, 200*scale, 700*scale)
	p.find("what Ann said before", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(mine(s)) > 0 })
	p.save("dragged.png")
}

// find waits until the screen shows something and has come to rest, and returns its
// place.
func (p *phone) find(what string, in func(screen) (image.Rectangle, bool)) image.Rectangle {
	p.t.Helper()
	var at image.Rectangle
	var last []uint8
	eventually(p.t, what+" on the screen", func() (found bool) {
		s := p.screen()
		at, found = in(s)
		rests := bytes.Equal(s.Pix, last) // what slides would be touched elsewhere
		last = s.Pix
		return found && rests
	})
	return at
}

func one(boxes []image.Rectangle) image.Rectangle {
	if len(boxes) == 0 {
		return image.Rectangle{}
	}
	return boxes[0]
}

// mainButton is the landing page's.
func mainButton(s screen) (image.Rectangle, bool) {
	b := s.boxes(fill, image.Pt(300, 40))
	return one(b), len(b) == 1
}

// roomEntry is the entry of the rooms page, with a button next to it.
func roomEntry(s screen) (image.Rectangle, bool) {
	for _, entry := range s.boxes(paper, image.Pt(140, 40)) {
		for _, b := range s.boxes(fill, image.Pt(40, 40)) {
			if b.Min.X > entry.Max.X && entry.Overlaps(image.Rect(0, b.Min.Y, 999, b.Max.Y)) {
				return entry, true
			}
		}
	}
	return image.Rectangle{}, false
}

// isRoom tells a room from the pages before it.
func isRoom(s screen) (image.Rectangle, bool) {
	_, rooms := roomEntry(s)
	_, landing := mainButton(s)
	return image.Rectangle{}, !rooms && !landing
}

// mine are the person's own bubbles, theirs the others'.
func mine(s screen) []image.Rectangle {
	return slices.DeleteFunc(s.boxes(fill, image.Pt(40, 28)), func(r image.Rectangle) bool { return r.Max.X < s.size().X-50 })
}

func theirs(s screen) []image.Rectangle {
	return slices.DeleteFunc(s.boxes(paper, image.Pt(40, 28)), func(r image.Rectangle) bool { return r.Dx() > s.size().X-50 })
}

// introduce says on the landing page who one is, and which the server.
func (p *phone) introduce(server *testServer) {
	p.t.Helper()
	button := p.find("the landing page", mainButton)
	p.save("landing.png")
	entries := p.screen().boxes(paper, image.Pt(button.Dx()-8, 40))
	if len(entries) != 2 {
		p.t.Fatalf("the landing page has the entries %v", entries)
	}
	p.tap(entries[0])
	p.wait("keyboard shown")
	p.do("type Ann")
	p.do("done")
	p.wait("keyboard hidden")
	p.wait("keyboard shown") // for the next entry
	p.do("type %s", server.address)
	p.do("done")
	p.wait("keyboard hidden")
}

// write touches the composer.
func (p *phone) write() {
	p.t.Helper()
	s := p.screen().size()
	p.tap(image.Rect(0, s.Y-barHeight-60, s.X-100, s.Y-barHeight-4))
	p.wait("keyboard shown")
}

// send touches the keyboard's Done, which puts it away; the app brings it back.
func (p *phone) send() {
	p.t.Helper()
	p.do("done")
	p.wait("keyboard hidden")
	p.wait("keyboard shown")
}

// enterFirst touches the first room of the list.
func (p *phone) enterFirst() {
	p.t.Helper()
	p.tap(p.find("a room in the list", firstRoom))
	p.find("the room", isRoom)
}

// firstRoom is the first room of the list.
func firstRoom(s screen) (image.Rectangle, bool) {
	entry, ok := roomEntry(s)
	for _, b := range s.boxes(paper, image.Pt(300, 50)) {
		if ok && b.Min.Y > entry.Max.Y {
			return image.Rectangle{b.Min, image.Pt(b.Max.X, b.Min.Y+60)}, true
		}
	}
	return image.Rectangle{}, false
}

// testServer is the real server behind a network that can fail.
type testServer struct {
	address string // through the network
	behind  string

	mu       sync.Mutex
	off      bool
	accepted int
	conns    []net.Conn
	received bytes.Buffer // what came from the server
}

func startServer(t *testing.T) *testServer {
	t.Helper()
	s := &testServer{behind: servertest.Start(t).Addr()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); s.cut() })
	s.address = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.pass(c)
		}
	}()
	return s
}

// pass carries a connection's bytes until the network is cut.
func (s *testServer) pass(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	off := s.off
	s.accepted++
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	if off {
		return
	}
	b, err := net.Dial("tcp", s.behind)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(b, c); b.Close() }()
	_, _ = io.Copy(io.MultiWriter(c, s), b)
	b.Close()
}

// Write keeps what the server said.
func (s *testServer) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received.Write(data)
}

// resumed is the number of connections that the server has resumed where an earlier
// one ended.
func (s *testServer) resumed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Count(s.received.Bytes(), []byte(`"resumed":true`))
}

func (s *testServer) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = true
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *testServer) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = false
}

func (s *testServer) get(t *testing.T, path string, v any) {
	t.Helper()
	resp, err := http.Get("http://" + s.behind + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// people waits until a number of people are in a room.
func (s *testServer) people(t *testing.T, room string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d in %s", want, room), func() bool {
		var answer struct {
			Rooms []struct {
				Name  string
				Count int
			}
		}
		s.get(t, "/api/rooms", &answer)
		for _, r := range answer.Rooms {
			if r.Name == room {
				return r.Count == want
			}
		}
		return want == 0
	})
}

// history is what was said in the garden, a line each.
func (s *testServer) history(t *testing.T) (lines []string) {
	t.Helper()
	var answer struct {
		Messages []struct{ User, Message string }
	}
	s.get(t, "/api/rooms/Garden/messages", &answer)
	for _, m := range answer.Messages {
		lines = append(lines, m.User+": "+m.Message)
	}
	return lines
}

// said waits until the last thing said is line.
func (s *testServer) said(t *testing.T, line string) {
	t.Helper()
	eventually(t, "the server to have "+line, func() bool {
		h := s.history(t)
		return len(h) > 0 && h[len(h)-1] == line
	})
}

// member is someone else in a room.
type member struct{ *websocket.Conn }

func (s *testServer) join(t *testing.T, room, name string) member {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+s.behind+"/ws/chat/"+room+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	go func() {
		for {
			if _, _, err := c.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	return member{c}
}

func (m member) say(t *testing.T, text string) {
	t.Helper()
	if err := wsjson.Write(t.Context(), m.Conn, map[string]string{"message": strings.TrimSpace(text)}); err != nil {
		t.Fatal(err)
	}
}
