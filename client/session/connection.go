package session

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// byeWait is how long a connection has to say goodbye.
const byeWait = 2 * time.Second

// report is what a connection tells its loop: a frame, or its end.
type report struct {
	connection *connection
	frame      shared.Message
	unreadable bool      // of the frame only the type is known, or not even that
	end        *Problem  // nil for a frame
	upload     *sentPart // nil unless a file comes on
}

// connection is one try to be in the room, from dialing to its end.
type connection struct {
	generation int
	dial       DialFunc
	clock      Clock
	server     string
	pins       *Pins
	room       string
	hello      shared.Message // the first frame; without a Device, it gets that of pins
	reports    chan<- report

	begun  time.Time
	ctx    context.Context // ends when the connection is cut
	cancel context.CancelFunc
	out    chan []byte   // frames to write
	checks chan struct{} // pings to write
	bye    chan struct{} // closed: write what waits, then close with 1000
	// released is closed when the loop wants no reports any more.
	released chan struct{}

	open   atomic.Bool
	heard  atomic.Int64 // nanoseconds after begun, of the last byte that came in
	reads  atomic.Int64 // that brought bytes
	socket atomic.Pointer[heardConn]

	// Owned by the loop.

	welcomed time.Time // zero until the welcome came
	answers  bool      // the server answers a ping frame
	checkBy  time.Time // when a sign of life is due; zero while none was asked for
	checked  int64     // reads when it was asked for
}

// run is the read loop. It returns when the connection has ended and its
// writer has, too.
func (c *connection) run() *Problem {
	defer c.cut()
	if _, err := shared.RoomName(c.room); err != nil {
		return &Problem{CauseBadRoom, err.Error()}
	}
	client := DialFunc(c.dialHeard).client(c.server, c.pins)
	defer client.CloseIdleConnections()
	ws, resp, err := websocket.Dial(c.ctx, c.url(), &websocket.DialOptions{ //nolint:bodyclose // Dial has closed it
		HTTPClient:   client,
		Subprotocols: []string{shared.Protocol},
	})
	if err != nil {
		return c.refused(resp, err)
	}
	defer func() { _ = ws.CloseNow() }() // closed already if all went well
	if ws.Subprotocol() != shared.Protocol {
		return c.otherProtocol("")
	}
	ws.SetReadLimit(shared.ReadLimit)
	if c.hello.Device == "" { // which server this is, is known only now
		c.hello.Device = c.pins.Device(c.server)
	}
	c.open.Store(true)

	var writer sync.WaitGroup
	writer.Go(func() { c.write(ws) })
	err = c.read(ws)
	select {
	case <-c.bye: // the writer is closing, which takes a reply
	default:
		c.cut()
	}
	writer.Wait()
	return closeProblem(err)
}

func (c *connection) url() string {
	u, err := url.Parse(c.server)
	if err != nil {
		return c.server // Dial tells what is wrong with it
	}
	return u.JoinPath("ws", "chat", url.PathEscape(c.room)).String()
}

func (c *connection) read(ws *websocket.Conn) error {
	for {
		// A deadline here would cut a connection on which only pings come in:
		// the loop watches heard instead.
		kind, data, err := ws.Read(c.ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			continue
		}
		m, err := shared.Decode(data)
		if !c.deliver(report{connection: c, frame: m, unreadable: err != nil}) {
			return net.ErrClosed
		}
	}
}

// deliver hands a report to the loop. It reports false if the loop has dropped the
// connection.
func (c *connection) deliver(r report) bool {
	select {
	case c.reports <- r:
		return true
	case <-c.released:
		return false
	}
}

func (c *connection) write(ws *websocket.Conn) {
	var pings sync.WaitGroup
	defer pings.Wait()
	if ws.Write(c.ctx, websocket.MessageText, shared.Encode(c.hello)) != nil {
		c.cut()
		return
	}
	for {
		select {
		case data := <-c.out:
			if ws.Write(c.ctx, websocket.MessageText, data) != nil {
				c.cut()
				return
			}
		case <-c.checks:
			pings.Go(func() {
				ctx, cancel := context.WithTimeout(c.ctx, checkWait)
				defer cancel()
				_ = ws.Ping(ctx) // the loop sees by heard whether the answer came
			})
		case <-c.bye:
			c.sayBye(ws)
			return
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *connection) sayBye(ws *websocket.Conn) {
	for {
		select {
		case data := <-c.out:
			if ws.Write(c.ctx, websocket.MessageText, data) != nil {
				return
			}
			continue
		default:
		}
		_ = ws.Close(websocket.StatusNormalClosure, "") // it is over in any case
		c.cut()
		return
	}
}

// hangUp ends the connection in good order, in the background. The loop calls
// it at most once.
func (c *connection) hangUp() {
	close(c.bye)
	if !c.open.Load() {
		c.cut()
		return
	}
	cutter := time.AfterFunc(byeWait, c.cut)
	context.AfterFunc(c.ctx, func() { cutter.Stop() })
}

// cut ends the connection at once.
func (c *connection) cut() {
	c.cancel()
	if s := c.socket.Load(); s != nil {
		_ = s.Close() // it is being thrown away
	}
}

// lastHeard is when the last byte came in, or when the connection began.
func (c *connection) lastHeard() time.Time {
	return c.begun.Add(time.Duration(c.heard.Load()))
}

// quiet is when the server has been silent long enough to be asked for a sign of
// life, or to be given up if it answers no such question. It is zero while the
// answer is due.
func (c *connection) quiet() time.Time {
	switch {
	case !c.answers:
		return c.lastHeard().Add(silenceWait)
	case c.checkBy.IsZero():
		return c.lastHeard().Add(shared.PingAfter)
	}
	return time.Time{}
}

// expect gives the server so long for a sign of life.
func (c *connection) expect(within time.Duration) {
	c.checked, c.checkBy = c.reads.Load(), c.clock.Now().Add(within)
}

func (c *connection) dialHeard(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dial.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s := &heardConn{conn, c}
	c.socket.Store(s)
	return s, nil
}

// heardConn notes when bytes come in: any byte is a sign of life, of a ping or
// of the middle of a long frame.
type heardConn struct {
	net.Conn
	c *connection
}

func (h *heardConn) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 {
		h.c.heard.Store(int64(h.c.clock.Now().Sub(h.c.begun)))
		h.c.reads.Add(1)
	}
	return n, err
}

// refused says why a handshake failed.
func (c *connection) refused(resp *http.Response, err error) *Problem {
	if resp == nil {
		return dialProblem(c.ctx, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return c.otherProtocol(resp.Header.Get("Sec-WebSocket-Protocol"))
	}
	return statusProblem(resp, readBody(resp))
}

// otherProtocol tells a Parley of another version from another kind of server,
// after a handshake that ended with another protocol than ours.
func (c *connection) otherProtocol(protocol string) *Problem {
	_, err := c.dial.Probe(c.ctx, c.server, c.pins)
	var p *Problem
	if errors.As(err, &p) && p.Cause == CauseVersion {
		return p
	}
	return &Problem{CauseNotParley, protocol}
}

// closeProblem says what the end of a connection means.
func closeProblem(err error) *Problem {
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return &Problem{Cause: CauseLost}
	}
	p := &Problem{CauseLost, closed.Reason}
	switch code := shared.CloseCode(closed.Code); code {
	case shared.CloseGoingAway, shared.CloseRestart:
		p.Cause = CauseServerRestart
	case shared.CloseTryLater:
		switch closed.Reason {
		case shared.ReasonRoomFull:
			p.Cause = CauseRoomFull
		case shared.ReasonTooMany:
			p.Cause = CauseTooManyTries
		case shared.ReasonCrowded:
			p.Cause = CauseTooMany
		default:
			p.Cause = CauseServerFull
		}
	case shared.CloseSlowConsumer:
		p.Cause = CauseSlow
	case shared.CloseFlooding:
		p.Cause = CauseFlooding
	case shared.CloseBadHello:
		p.Cause = CauseBadHello
	case shared.CloseNameTaken:
		p.Cause = CauseNameTaken
	case shared.CloseWrongKey:
		p.Cause = CauseWrongKey // of the loop's, which knows whether it gave one
	case shared.CloseOpenRoom:
		p.Cause = CauseOpenRoom
	case shared.CloseRemoved:
		p.Cause = CauseRemoved
	default:
		if !code.Reconnect() {
			p.Cause = CauseStopped
		}
	}
	return p
}
