package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
	"parley/shared/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// output is a writer that can be waited on.
type output struct {
	mu   sync.Mutex
	cond sync.Cond
	b    bytes.Buffer
	over bool
}

func newOutput() *output {
	o := &output{}
	o.cond.L = &o.mu
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cond.Broadcast()
	return o.b.Write(p)
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.cond.Broadcast()
}

// wait returns what matches, or fails when the writer has ended without it.
func (o *output) wait(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if m := re.FindString(o.b.String()); m != "" {
			return m
		}
		if o.over {
			t.Fatalf("it ended without %s:\n%s", pattern, o.b.String())
		}
		o.cond.Wait()
	}
}

// startServer runs the server as main does and returns its page's address.
func startServer(t *testing.T, data string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := newOutput()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--addr", "127.0.0.1:0", "--data", data}, nil, out, out)
		out.end()
	}()
	url = out.wait(t, `http://127\.0\.0\.1:\d+`)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with: %v", err)
		}
		out.wait(t, "msg=stopped")
		if strings.Contains(out.b.String(), "secret words") {
			t.Error("a message's text is in the log")
		}
	})
	t.Cleanup(stop)
	return url, stop
}

func dial(t *testing.T, url, protocol string) *websocket.Conn {
	t.Helper()
	opt := &websocket.DialOptions{}
	if protocol != "" {
		opt.Subprotocols = []string{protocol}
	}
	c, _, err := websocket.Dial(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func write(t *testing.T, c *websocket.Conn, frame string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// readUntil returns the first frame of a type.
func readUntil(t *testing.T, c *websocket.Conn, typ shared.Type) shared.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", typ, err)
		}
		if m, err := shared.Decode(data); err != nil || m.Type == typ {
			return m
		}
	}
}

// readOn reads until the connection ends, so that its close handshake does.
func readOn(c *websocket.Conn) {
	go func() {
		for {
			if _, _, err := c.Read(context.Background()); err != nil {
				return
			}
		}
	}()
}

const device = "0123456789abcdefghijklmnop"

func TestBothDialectsAndARestart(t *testing.T) {
	data := t.TempDir()
	url, stop := startServer(t, data)
	hello := func(after int64, epoch string) string {
		return string(shared.Encode(shared.Message{Type: shared.TypeHello, User: "Ann", Device: device, Epoch: epoch, After: after}))
	}
	ann := dial(t, url+"/ws/chat/Lobby", shared.Protocol)
	write(t, ann, hello(0, ""))
	welcome := readUntil(t, ann, shared.TypeWelcome)
	bob := dial(t, url+"/ws/chat/lobby/bob", "")

	write(t, bob, `{"type":"chat_message","message":"secret words","user":"bob"}`)
	if m := readUntil(t, ann, shared.TypeChat); m.Text != "secret words" || m.User != "bob" || m.Offset != 1 {
		t.Errorf("Ann sees %+v", m)
	}
	readUntil(t, bob, shared.TypeChat)
	write(t, ann, `{"type":"chat_message","id":"1","message":"more secret words"}`)
	if m := readUntil(t, bob, shared.TypeChat); m.Text != "more secret words" || m.User != "Ann" {
		t.Errorf("Bob sees %+v", m)
	}
	var rooms struct{ Rooms []struct{ Name string } }
	resp, err := http.Get(url + "/api/rooms")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&rooms); len(rooms.Rooms) != 1 || rooms.Rooms[0].Name != "Lobby" {
		t.Errorf("the rooms are %+v", rooms)
	}
	readOn(ann)
	readOn(bob)
	stop()

	url, _ = startServer(t, data)
	ann = dial(t, url+"/ws/chat/Lobby/", shared.Protocol)
	write(t, ann, hello(1, welcome.Epoch))
	if m := readUntil(t, ann, shared.TypeWelcome); !m.Resumed || m.Offset != 2 {
		t.Errorf("after the restart: %+v", m)
	}
	if m := readUntil(t, ann, shared.TypeChat); m.Text != "more secret words" || m.ID != "1" {
		t.Errorf("after the restart Ann sees %+v", m)
	}
	readOn(ann)
}

func TestWhatCannotStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := startServer(t, t.TempDir())
	for want, args := range map[string][]string{
		"is in use by another program":           {"--addr", strings.TrimPrefix(url, "http://"), "--data", t.TempDir()},
		"can't be written":                       {"--addr", "127.0.0.1:0", "--data", filepath.Join(file, "x")},
		"--addr takes an address":                {"--addr", "nonsense"},
		"all of them with --addr :8000":          {"--addr", "192.0.2.77:0"},
		"--data takes a folder":                  {"--addr", "127.0.0.1:0", "--data", ""},
		"--sync takes full or normal":            {"--sync", "sometimes"},
		"--log-format takes text or json":        {"--log-format", "xml"},
		"--metrics-addr takes an address":        {"--addr", "127.0.0.1:0", "--metrics-addr", "nonsense"},
		"--pprof needs":                          {"--pprof"},
		"--base-path can't have the part":        {"--base-path", "/chat"},
		"is more than a name":                    {"--allow-host", "https://chat.example.org/"},
		"is more than an origin":                 {"--allow-origin", "https://chat.example.org/chat"},
		"take no negative numbers":               {"--rate", "-1"},
		"0 keeps everything":                     {"--retain-age", "-1h"},
		"--tail-bytes takes at least 4096":       {"--tail-bytes", "1"},
		"--edit-for takes no negative times":     {"--edit-for", "-1s"},
		"--name-hold-spoken take at least 1s":    {"--name-hold", "0"},
		"take at least 1s":                       {"--name-hold-spoken", "0"},
		"--name takes at most 256 characters":    {"--name", strings.Repeat("é", 257)},
		"numbers up to 1073741824":               {"--burst", "1073741825"},
		`there is no command or argument "serv"`: {"serv"},
		"there is no flag --rats: see --help":    {"--rats"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, nil, &out, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), nil, []string{"PARLEY_BURST=many"}, &out, &out); err == nil || !strings.Contains(err.Error(), `PARLEY_BURST can't be "many"`) {
		t.Errorf("a bad variable: %v", err)
	}
}

// A folder of --apk that has no app is told at the start; one that nobody has named is not.
func TestFolderOfAPKs(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "parley.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{filepath.Join(empty, "nowhere"), file, empty} {
		out, _ := runServer(t, "--data", t.TempDir(), "--apk", folder)
		out.wait(t, `level=WARN msg="/app offers no app: give --apk a folder that has .apk files.*`+regexp.QuoteMeta(folder))
	}
	for _, flags := range [][]string{nil, {"--apk", ""}} {
		out, stop := runServer(t, append(flags, "--data", t.TempDir())...)
		out.wait(t, `http://127\.0\.0\.1:\d+`)
		stop()
		if text := out.wait(t, `(?s)^.*$`); strings.Contains(text, "/app") {
			t.Errorf("nobody has asked for apps:\n%s", text)
		}
	}
}

// The listener for metrics has them without a token, and nothing else; the page's
// has none.
func TestMetricsListener(t *testing.T) {
	out, _ := runServer(t, "--data", t.TempDir(), "--metrics-addr", "127.0.0.1:0", "--pprof")
	metrics := strings.TrimSuffix(out.wait(t, `http://127\.0\.0\.1:\d+/metrics`), "/metrics")
	page := strings.TrimSuffix(out.wait(t, `http://127\.0\.0\.1:\d+/\n`), "/\n")
	for url, want := range map[string]int{
		metrics + "/metrics": 200, metrics + "/debug/pprof/cmdline": 200, metrics + "/api/server": 404, metrics + "/": 404,
		page + "/metrics": 403, page + "/debug/pprof/cmdline": 403, page + "/api/server": 200,
	} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, resp.StatusCode, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"--rate", "0", "--allow-origin", "https://a.example,https://b.example", "--allow-origin=c.example"},
		[]string{"PARLEY_TAIL_BYTES=8192", "PARLEY_RATE=7", "PARLEY_NAME=Attic", "OTHER=x"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if o.chat.Rate != 0 || o.chat.TailBytes != 8192 || o.chat.Name != "Attic" || o.addr != ":8000" || o.sync != "full" ||
		!slices.Equal(o.chat.AllowOrigin, []string{"https://a.example", "https://b.example", "c.example"}) {
		t.Errorf("got %+v", o)
	}
}

func TestVersionAndHelp(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, nil, &out, &out); err != nil || !strings.Contains(out.String(), shared.Version) {
		t.Errorf("--version: %s, %v", out.String(), err)
	}
	out.Reset()
	if err := run(t.Context(), []string{"--help"}, nil, &out, io.Discard); err != errHelp {
		t.Errorf("--help: %v", err)
	}
	for _, flag := range []string{"addr", "data", "rate", "burst", "max-per-address", "allow-origin", "tail-bytes", "edit-for", "name-hold", "name-hold-spoken", "sync", "retain-age", "retain-bytes", "log-format", "version"} {
		if !strings.Contains(out.String(), "  --"+flag) {
			t.Errorf("--help does not name --%s", flag)
		}
	}
}
