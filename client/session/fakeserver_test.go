package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
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
}

// peer is the server's end of a connection.
type peer struct {
	t      testing.TB
	ws     *websocket.Conn
	frames chan shared.Message // what the client sent; closed at the end
}

func startOddServer(t testing.TB) *oddServer {
	t.Helper()
	s := &oddServer{t: t, peers: make(chan *peer)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
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
	welcome := shared.Message{
		Type: shared.TypeWelcome, Room: "Room", User: hello.User, By: by, Epoch: epoch, Offset: head, Resumed: resumed,
		Members: []string{hello.User}, Count: 1, Limits: shared.Limits{Message: 4096, Rate: 1000, Burst: 100, Resume: 100},
	}
	if by != "" {
		welcome.Can = []string{shared.CanBy, shared.CanPing}
	}
	p.send(welcome)
	return p, hello
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
