package session_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
)

// Questions, rooms, and the question that a room asks after an odd handshake all
// open their sockets by the one function that they are given.
func TestEverySocketIsDialled(t *testing.T) {
	var dialled, accepted atomic.Int64
	dial := session.DialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			http.NotFound(w, r)
			return
		}
		ws, err := websocket.Accept(w, r, nil) // without a protocol: the client wonders who that is
		if err == nil {
			_ = ws.CloseNow()
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	pins := session.NewPins(nil)
	if _, err := dial.Probe(t.Context(), server.URL, pins); err == nil {
		t.Error("that is no server of ours")
	}
	if _, err := dial.Rooms(t.Context(), server.URL, pins); err == nil {
		t.Error("that is no server of ours")
	}
	v := enter(t, session.Config{Server: server.URL, Room: "r", User: "Ann", Dial: dial,
		Backoff: func(int) time.Duration { return time.Hour }})
	v.cause(session.CauseNotParley)
	if dialled.Load() != 4 || accepted.Load() != 4 {
		t.Errorf("of %d connections %d were dialled by the function; there should be 4", accepted.Load(), dialled.Load())
	}
}

// No other part of the app opens sockets: one that a phone's Wi-Fi is not told of
// does not reach the server.
func TestNobodyElseOpensSockets(t *testing.T) {
	openers := map[string][]string{
		"net": {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Listen", "ListenConfig", "ListenPacket",
			"ListenTCP", "ListenUDP", "ListenMulticastUDP", "Resolver", "DefaultResolver", "LookupHost", "LookupIP", "LookupAddr"},
		"net/http":                   {"Get", "Post", "PostForm", "Head", "DefaultClient", "DefaultTransport", "Client", "Transport"},
		"crypto/tls":                 {"Dial", "DialWithDialer", "Dialer"},
		"github.com/coder/websocket": {"Dial"},
	}
	// The files that may open sockets, and with what.
	allowed := []string{
		"phone/dial.go net.Dialer",
		"session/connection.go github.com/coder/websocket.Dial",
		"session/network.go net.ListenConfig", // of a search, which binds each socket to its network
		"session/transport.go net.Dialer", "session/transport.go net/http.Client", "session/transport.go net/http.Transport",
		"session/transfer.go net/http.Client", "session/transfer.go net/http.Transport", // which has transport.go make it
	}
	var found []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "android" { // the build's programs
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		names := make(map[string]string) // of packages, to their paths
		for _, i := range file.Imports {
			imported := strings.Trim(i.Path.Value, `"`)
			name := imported[strings.LastIndex(imported, "/")+1:]
			if i.Name != nil {
				name = i.Name.Name
			}
			names[name] = imported
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(openers[names[x.Name]], s.Sel.Name) {
				place := strings.TrimPrefix(filepath.ToSlash(path), "../") + " " + names[x.Name] + "." + s.Sel.Name
				if !slices.Contains(found, place) {
					found = append(found, place)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	slices.Sort(allowed)
	if !slices.Equal(found, allowed) {
		t.Errorf("sockets are opened in\n%s\nnot in\n%s", strings.Join(found, "\n"), strings.Join(allowed, "\n"))
	}
}
