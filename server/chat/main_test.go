package chat_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"go.uber.org/goleak"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/sqlitelog"
	"parley/shared"
)

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil { // each is a room's life; -rapid.checks has the last word
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// server is a hub over a real log on a real port.
type server struct {
	t     *testing.T
	hub   *chat.Hub
	log   *sqlitelog.Log
	files *files.Store // nil if it takes none
	http  *httptest.Server
	dir   string
	tls   bool
}

const testID = "00112233445566778899aabbccddeeff"

// start starts a server whose sessions may do as they like, but for what change
// says. It is stopped with the test.
func start(t *testing.T, change ...func(*chat.Config)) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	s.open(change...)
	t.Cleanup(s.stop)
	return s
}

func (s *server) open(change ...func(*chat.Config)) {
	s.t.Helper()
	log, err := sqlitelog.Open(context.Background(), s.dir, sqlitelog.Options{
		Sync: sqlitelog.Normal, BusyTimeout: time.Millisecond,
		Observe: func(d time.Duration) { s.hub.ObserveAppend(d) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := chat.Config{
		Log: log, Registry: log, Name: "test", Version: shared.Version, ID: testID, LeaveDelay: time.Millisecond,
		HelloTimeout: time.Hour, SilenceLimit: time.Hour, StallLimit: time.Hour, // a busy machine keeps its peers waiting for long
	}
	for _, c := range change {
		c(&cfg)
	}
	s.log, s.hub = log, chat.NewHub(cfg)
	router := chi.NewRouter()
	s.hub.Routes(router)
	if s.files, _ = cfg.Files.(*files.Store); s.files != nil {
		s.files.Routes(router)
	}
	if s.tls {
		s.http = httptest.NewTLSServer(router)
	} else {
		s.http = httptest.NewServer(router)
	}
}

func (s *server) stop() {
	s.t.Helper()
	if s.http == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.hub.Shutdown(ctx); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
	s.http.Close()
	if s.files != nil {
		s.files.Close()
	}
	if err := s.log.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	s.http = nil
}

// client is one WebSocket connection. Its methods fail the test.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	ctx  context.Context // ends with the test
}

// patience is how long a test waits for one thing that must come.
const patience = time.Minute

// tryDial opens path with or without the subprotocol.
func (s *server) tryDial(path string, protocol string, header http.Header) (*client, *http.Response, error) {
	return s.dialWith(s.http.Client(), path, protocol, header)
}

func (s *server) dialWith(hc *http.Client, path, protocol string, header http.Header) (*client, *http.Response, error) {
	opt := &websocket.DialOptions{HTTPHeader: header, HTTPClient: hc}
	if protocol != "" {
		opt.Subprotocols = []string{protocol}
	}
	conn, resp, err := websocket.Dial(context.Background(), s.http.URL+path, opt)
	if err != nil {
		return nil, resp, err
	}
	return s.newClient(conn), resp, nil
}

// joinNarrow joins as join does, over a connection whose receiving end holds
// little: it is full soon after its owner stops reading.
func (s *server) joinNarrow(room string, h shared.Message, header ...http.Header) *client {
	s.t.Helper()
	opt := &websocket.DialOptions{Subprotocols: []string{shared.Protocol}}
	if len(header) > 0 {
		opt.HTTPHeader = header[0]
	}
	narrow := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(64 << 10)
		}
		return c, err
	}}}
	opt.HTTPClient = narrow
	conn, _, err := websocket.Dial(context.Background(), s.http.URL+"/ws/chat/"+room, opt)
	if err != nil {
		s.t.Fatal(err)
	}
	c := s.newClient(conn)
	c.send(h)
	c.next(shared.TypeWelcome)
	return c
}

func (s *server) newClient(conn *websocket.Conn) *client {
	conn.SetReadLimit(shared.ReadLimit)
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(func() { cancel(); conn.CloseNow() })
	return &client{s.t, conn, ctx}
}

// tutorial connects in the tutorial's dialect.
func (s *server) tutorial(path string) *client {
	s.t.Helper()
	c, _, err := s.tryDial("/ws/chat/"+path, "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// raw connects in parley.v1 and says nothing yet.
func (s *server) raw(room string) *client {
	s.t.Helper()
	c, _, err := s.tryDial("/ws/chat/"+url.PathEscape(room), shared.Protocol, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func hello(user, device string) shared.Message {
	return shared.Message{Type: shared.TypeHello, User: user, Device: device}
}

func newDevice() string { return rand.Text() }

// join connects in parley.v1, says hello and takes the welcome.
func (s *server) join(room string, h shared.Message) (*client, shared.Message) {
	s.t.Helper()
	c := s.raw(room)
	c.send(h)
	return c, c.next(shared.TypeWelcome)
}

func (c *client) send(m shared.Message) { c.t.Helper(); c.sendRaw(string(shared.Encode(m))) }

func (c *client) sendRaw(frame string) {
	c.t.Helper()
	if err := c.write(websocket.MessageText, []byte(frame)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) write(typ websocket.MessageType, frame []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	return c.conn.Write(ctx, typ, frame)
}

func (c *client) say(id, text string) {
	c.t.Helper()
	c.send(shared.Message{Type: shared.TypeChat, ID: id, Text: text})
}

func (c *client) readRaw() (data []byte, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	_, data, err = c.conn.Read(ctx)
	return data, err
}

func (c *client) read() (shared.Message, error) {
	data, err := c.readRaw()
	if err != nil {
		return shared.Message{}, err
	}
	m, err := shared.Decode(data)
	if err != nil {
		c.t.Errorf("the server sent %q: %v", data, err)
	}
	return m, nil
}

// next returns the next frame of a type and passes over presence and typing,
// unless they are asked for. Any other frame fails the test.
func (c *client) next(typ shared.Type) shared.Message {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", typ, err)
		}
		switch m.Type {
		case typ:
			return m
		case shared.TypePresence, shared.TypeTyping:
		default:
			c.t.Fatalf("waiting for %s, got %+v", typ, m)
		}
	}
}

// texts returns the next n messages' texts.
func (c *client) texts(n int) (texts []string) {
	c.t.Helper()
	for range n {
		texts = append(texts, c.next(shared.TypeChat).Text)
	}
	return texts
}

// closed reads to the end and returns the close frame.
func (c *client) closed() websocket.CloseError {
	c.t.Helper()
	for {
		if _, err := c.readRaw(); err != nil {
			var ce websocket.CloseError
			if !errors.As(err, &ce) {
				c.t.Fatalf("no close frame: %v", err)
			}
			return ce
		}
	}
}

func (c *client) leave() { c.conn.Close(websocket.StatusNormalClosure, "") }

// get returns the status and the body of a path.
func (s *server) get(path string) (int, string, http.Header) {
	s.t.Helper()
	resp, err := s.http.Client().Get(s.http.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// metrics returns what the listener for metrics answers with.
func (s *server) metrics(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.hub.Metrics().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:9090"+path, nil))
	return w
}

// metric returns the value of a line of /metrics.
func (s *server) metric(name string) string {
	s.t.Helper()
	for line := range strings.Lines(s.metrics("/metrics").Body.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func decodeJSON(t *testing.T, body string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
}

// until waits until something is so.
func (s *server) until(what string, so func() bool) {
	s.t.Helper()
	late := time.After(patience)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-late:
			s.t.Fatalf("it never came to this: %s", what)
		}
	}
}
