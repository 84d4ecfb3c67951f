package session_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// oddServer says what the real server can't be made to say: a test plays it,
// frame by frame. It takes one connection after the other.
type oddServer struct {
	t     testing.TB
	base  string
	peers chan *peer
	files chan *fileRequest
}

// peer is the server's end of a connection.
type peer struct {
	t      testing.TB
	ws     *websocket.Conn
	frames chan shared.Message // what the client sent; closed at the end
}

func startOddServer(t testing.TB) *oddServer {
	t.Helper()
	s := &oddServer{t: t, peers: make(chan *peer), files: make(chan *fileRequest)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		if strings.HasPrefix(r.URL.Path, "/files/") {
			s.file(ctx, w, r)
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{shared.Protocol}})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		p := &peer{t: t, ws: ws, frames: make(chan shared.Message, 1000)}
		defer close(p.frames)
		select {
		case s.peers <- p:
		case <-ctx.Done():
			return
		}
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				return
			}
			m, err := shared.Decode(data)
			if err != nil {
				t.Errorf("the client sent %q: %v", data, err)
			}
			p.frames <- m
		}
	}))
	s.base = web.URL
	t.Cleanup(func() {
		cancel()
		web.CloseClientConnections()
		web.Close()
		wg.Wait()
	})
	return s
}

// next waits for a connection and its hello.
func (s *oddServer) next() (p *peer, hello shared.Message) {
	s.t.Helper()
	select {
	case p = <-s.peers:
	case <-time.After(stuckAfter):
		s.t.Fatal("nobody connects")
	}
	hello = p.expect(shared.TypeHello)
	return p, hello
}

// welcomed accepts the next connection and welcomes it, like a server that does
// not tell who wrote.
func (s *oddServer) welcomed(epoch string, head int64, resumed bool) (p *peer, hello shared.Message) {
	s.t.Helper()
	return s.welcomedAs("", epoch, head, resumed)
}

// welcomedAs is welcomed by a server that tells who wrote: this client is by.
func (s *oddServer) welcomedAs(by, epoch string, head int64, resumed bool) (p *peer, hello shared.Message) {
	s.t.Helper()
	p, hello = s.next()
	p.welcome(hello, by, epoch, head, resumed, 0)
	return p, hello
}

// welcome lets a client in; maxFile is 0 of a server that takes no files.
func (p *peer) welcome(hello shared.Message, by, epoch string, head int64, resumed bool, maxFile int64) {
	p.t.Helper()
	welcome := shared.Message{
		Type: shared.TypeWelcome, Room: "Room", User: hello.User, By: by, Epoch: epoch, Offset: head, Resumed: resumed,
		Members: []string{hello.User}, Count: 1, Limits: shared.Limits{Message: 4096, Rate: 1000, Burst: 100, Resume: 100},
	}
	if by != "" {
		welcome.Can = []string{shared.CanBy, shared.CanPing}
	}
	if maxFile > 0 {
		welcome.Can, welcome.Limits.File = append(welcome.Can, shared.CanFiles), maxFile
	}
	p.send(welcome)
}

// fileRequest is a request for a file, which the test answers.
type fileRequest struct {
	method, path string
	key          string
	at           string // Upload-Offset
	body         []byte
	w            http.ResponseWriter
	done         chan struct{}
}

func (s *oddServer) file(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f := &fileRequest{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Upload-Offset"), body, w, make(chan struct{})}
	select {
	case s.files <- f:
	case <-ctx.Done():
		return
	case <-r.Context().Done():
		return
	}
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// asked waits for the next request for a file.
func (s *oddServer) asked(method, path string) *fileRequest {
	s.t.Helper()
	select {
	case f := <-s.files:
		if f.method != method || f.path != path {
			s.t.Fatalf("%s %s came, want %s %s", f.method, f.path, method, path)
		}
		return f
	case <-time.After(stuckAfter):
		s.t.Fatalf("no %s %s came", method, path)
	}
	panic("unreachable")
}

// answer answers with a status, and unless it is negative, with how much is there.
func (f *fileRequest) answer(status int, offset int64, body string) {
	if offset >= 0 {
		f.w.Header().Set("Upload-Offset", fmt.Sprint(offset))
	}
	f.w.WriteHeader(status)
	_, _ = io.WriteString(f.w, body) // the test sees what the client makes of it
	close(f.done)
}

func (p *peer) send(messages ...shared.Message) {
	p.t.Helper()
	for _, m := range messages {
		if err := p.ws.Write(context.Background(), websocket.MessageText, shared.Encode(m)); err != nil {
			p.t.Errorf("sending %s: %v", m.Type, err)
		}
	}
}

// sendRaw sends what no codec of ours writes.
func (p *peer) sendRaw(frame string) {
	p.t.Helper()
	if err := p.ws.Write(context.Background(), websocket.MessageText, []byte(frame)); err != nil {
		p.t.Errorf("sending %s: %v", frame, err)
	}
}

// expect waits for the client's next frame.
func (p *peer) expect(want shared.Type) shared.Message {
	p.t.Helper()
	select {
	case m, ok := <-p.frames:
		if !ok || m.Type != want {
			p.t.Fatalf("the client sent %q (%v), want %q", m.Type, ok, want)
		}
		return m
	case <-time.After(stuckAfter):
		p.t.Fatalf("no %s came", want)
	}
	panic("unreachable")
}

// gone waits until the client has left, having sent nothing more.
func (p *peer) gone() {
	p.t.Helper()
	select {
	case m, ok := <-p.frames:
		if ok {
			p.t.Fatalf("the client sent %+v", m)
		}
	case <-time.After(stuckAfter):
		p.t.Fatal("the client stays")
	}
}

// entryBy is an entry of a log that tells who wrote.
func entryBy(by string, offset int64, id, user, text string) shared.Message {
	m := entry(offset, id, user, text)
	m.By = by
	return m
}

// entry is an entry of a log.
func entry(offset int64, id, user, text string) shared.Message {
	return shared.Message{
		Type: shared.TypeChat, ID: id, Offset: offset, User: user, Text: text,
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(offset) * time.Second),
	}
}
