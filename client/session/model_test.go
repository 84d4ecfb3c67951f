package session_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

// relay passes frames between clients and a real server. While forgets is set, the server
// does not learn what a client has seen: it answers as after a long absence. In some
// connections what is live overtakes answers with history, in others it is overtaken.
type relay struct {
	base    string
	forgets atomic.Bool
}

func startRelay(t *testing.T, server string) *relay {
	t.Helper()
	r := &relay{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	direct := &http.Transport{DisableKeepAlives: true}
	files := &httputil.ReverseProxy{Transport: direct, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ErrorLog: log.New(io.Discard, "", 0)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		wg.Add(1)
		defer wg.Done()
		if strings.HasPrefix(req.URL.Path, "/files/") {
			files.ServeHTTP(w, req)
			return
		}
		options := &websocket.DialOptions{Subprotocols: []string{shared.Protocol}}
		to, _, err := websocket.Dial(ctx, strings.Replace(server, "http", "ws", 1)+req.URL.EscapedPath(), options)
		if err != nil {
			return
		}
		defer to.CloseNow()
		to.SetReadLimit(shared.ReadLimit)
		from, err := websocket.Accept(w, req, &websocket.AcceptOptions{Subprotocols: []string{shared.Protocol}})
		if err != nil {
			return
		}
		defer from.CloseNow()
		var back sync.WaitGroup
		back.Go(func() {
			defer from.CloseNow()
			r.deliver(ctx, to, from)
		})
		for {
			data, m, err := next(ctx, from)
			if err != nil {
				break
			}
			if m.Type == shared.TypeHello && r.forgets.Load() {
				m.Epoch, m.After = "", 0
				data = shared.Encode(m)
			}
			if to.Write(ctx, websocket.MessageText, data) != nil {
				break
			}
		}
		_ = to.CloseNow()
		back.Wait()
	}))
	r.base = web.URL
	t.Cleanup(func() {
		cancel()
		web.CloseClientConnections()
		web.Close()
		wg.Wait()
	})
	return r
}

// deliver passes on what the server sends.
func (r *relay) deliver(ctx context.Context, server, client *websocket.Conn) {
	live := make(chan []byte, 100_000)
	lateLive, lateHistory := rand.N(2*time.Millisecond), rand.N(20*time.Millisecond)
	if rand.N(2) == 0 {
		lateLive = 0
	}
	var late sync.WaitGroup
	late.Go(func() {
		for data := range live {
			time.Sleep(lateLive)
			_ = client.Write(ctx, websocket.MessageText, data) // it fails if the client has gone, which deliver sees
		}
	})
	defer late.Wait()
	defer close(live)
	for {
		data, m, err := next(ctx, server)
		switch {
		case err != nil:
			return
		case m.Type == shared.TypeHistory && lateLive == 0:
			late.Go(func() {
				time.Sleep(lateHistory)
				_ = client.Write(ctx, websocket.MessageText, data)
			})
		case m.Type == shared.TypeHistory:
			_ = client.Write(ctx, websocket.MessageText, data)
		default:
			live <- data
		}
	}
}

// next is the next frame of a connection, as it came and decoded.
func next(ctx context.Context, c *websocket.Conn) (data []byte, m shared.Message, err error) {
	if _, data, err = c.Read(ctx); err == nil {
		m, err = shared.Decode(data)
	}
	return data, m, err
}

// walker is a client that is away at times, and one that is there, in a room of a real
// server.
type walker struct {
	t        *testing.T
	random   *rand.Rand
	relay    *relay
	config   session.Config // of the one that is away at times
	path     string
	ann, bob *viewer
	visitors []*viewer // who came in later, and load history while it changes
	said     int
}

// some is a row of a viewer, if there is one.
func (w *walker) some(v *viewer) (session.Item, bool) {
	v.take()
	if len(v.rows) == 0 {
		return session.Item{}, false
	}
	return v.rows[w.random.IntN(len(v.rows))], true
}

func (w *walker) text() string {
	w.said++
	return fmt.Sprint("text ", w.said)
}

func (w *walker) step() {
	v := w.bob
	if w.random.IntN(2) == 0 {
		v = w.ann
	}
	row, ok := w.some(v)
	if !ok {
		return
	}
	switch w.random.IntN(21) {
	case 0, 1:
		v.send(w.text())
	case 2:
		if _, err := v.room.SendReply(w.text(), row.ID); err != nil {
			w.t.Error(err)
		}
	case 3, 4, 5:
		_ = v.room.Edit(row.ID, w.text())
	case 6:
		v.room.Delete(row.ID)
	case 7, 8, 9:
		v.room.React(row.ID, append(slices.Clone(shared.Emojis), "")[w.random.IntN(len(shared.Emojis)+1)])
	case 10:
		w.bob.room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(int)}})
		w.relay.forgets.Store(w.random.IntN(2) == 0)
		w.ann.room.Pause()
	case 11:
		w.ann.room.Resume()
	case 12:
		w.restart()
	case 13:
		w.ann.room.LoadOlder()
	case 14:
		w.ann.room.LoadGap(row.ID)
	case 15:
		w.ann.room.Around(row.Offset)
	case 16:
		if len(w.visitors) < 5 {
			config := session.Config{Server: w.relay.base, Room: w.config.Room, User: fmt.Sprint("Visitor ", len(w.visitors))}
			w.visitors = append(w.visitors, enter(w.t, config))
		}
	case 17:
		if w.random.IntN(3) > 0 {
			return // a file takes the disk some time
		}
		caption := ""
		if w.random.IntN(2) == 0 {
			caption = w.text()
		}
		w.ann.until("files", func() bool { return w.ann.status.MaxFile > 0 })
		w.ann.attach(fmt.Sprint("file ", w.said), content(1, 1+w.random.IntN(100_000)), caption)
	default:
		for _, v := range w.visitors {
			v.room.LoadOlder()
		}
	}
}

func (w *walker) openStore() *store.Store {
	s := openStore(w.t, w.path)
	s.NoSync() // nothing is killed here
	return s
}

func (w *walker) restart() {
	w.ann.room.Close()
	if err := w.config.Store.(*store.Store).Close(); err != nil {
		w.t.Fatal(err)
	}
	w.config.Store = w.openStore()
	w.ann = enter(w.t, w.config)
}

// all waits until a viewer shows all of the log.
func all(v *viewer, last string) {
	v.t.Helper()
	v.until("the last message", func() bool {
		return slices.Contains(v.texts(), last) && v.settled()
	})
	for {
		gap := slices.IndexFunc(v.rows, func(i session.Item) bool { return i.Kind == session.KindGap })
		if gap < 0 && !v.more {
			return
		}
		seen := len(v.changes)
		if gap >= 0 {
			v.room.LoadGap(v.rows[gap].ID)
		} else {
			v.room.LoadOlder()
		}
		v.until("an answer", func() bool {
			return slices.ContainsFunc(v.changes[seen:], func(c session.Change) bool {
				return c.Kind == session.Prepend || c.Kind == session.Insert || c.Kind == session.Remove || c.Err != nil
			})
		})
	}
}

// TestEveryClientEndsWithTheLog lets a client write, edit, delete and react, go away for
// long and short times, and load what it has missed in any order, while somebody else
// does the same. In the end it shows what one shows that comes in anew.
func TestEveryClientEndsWithTheLog(t *testing.T) {
	const walks, steps = 12, 150
	s := startServer(t, "--rate", "0")
	var group sync.WaitGroup
	for seed := range uint64(walks) {
		group.Go(func() {
			w := &walker{
				t: t, random: rand.New(rand.NewPCG(seed, 9)), relay: startRelay(t, s.base),
				path: filepath.Join(t.TempDir(), fmt.Sprint("store", seed)),
			}
			w.config = session.Config{Server: w.relay.base, Room: fmt.Sprint("walk ", seed), User: "Ann", Device: session.NewDevice(), Store: w.openStore()}
			w.bob = enter(t, session.Config{Server: s.base, Room: w.config.Room, User: "Bob", Host: true})
			w.ann = enter(t, w.config)
			const first = 180 // over what a first visit gets
			for range first {
				w.bob.send(w.text())
			}
			w.bob.until("its messages", func() bool { return slices.Contains(w.bob.texts(), fmt.Sprint("text ", first)) && w.bob.settled() })
			w.ann.until("them", func() bool { return len(w.ann.rows) > 0 && w.ann.status.CanChange })
			for range steps {
				w.step()
				time.Sleep(time.Duration(w.random.IntN(1000)) * time.Microsecond) // so that answers come in between
			}
			w.ann.room.Resume()
			w.ann.send("ann ends") // after all that waits
			w.ann.until("its end", func() bool { return slices.Contains(w.ann.texts(), "ann ends") && w.ann.settled() })
			w.bob.send("bob ends")
			all(w.ann, "bob ends")
			all(w.bob, "bob ends")

			anew := w.config
			anew.Store, anew.Server = nil, s.base
			fresh := enter(t, anew)
			all(fresh, "bob ends")
			w.ann.showsLog(fresh, true)
			w.bob.showsLog(fresh, false)
			for _, v := range w.visitors {
				all(v, "bob ends")
				v.showsLog(fresh, false)
			}
			for _, v := range append(w.visitors, w.ann, w.bob, fresh) {
				v.room.Close()
			}
			_ = w.config.Store.(*store.Store).Close()
		})
	}
	group.Wait()
}

// showsLog waits until a viewer shows the same log as a fresh one; whose the rows are and
// who reacted are compared only for the same person.
func (v *viewer) showsLog(fresh *viewer, person bool) {
	v.t.Helper()
	var odd string
	defer func() {
		if odd != "" {
			v.t.Log(odd)
		}
	}()
	v.until("the log", func() bool {
		odd = ""
		if len(v.rows) != len(fresh.rows) {
			odd = fmt.Sprintf("%d rows of %d", len(v.rows), len(fresh.rows))
		}
		for i := range min(len(v.rows), len(fresh.rows)) {
			x, y := v.rows[i], fresh.rows[i]
			x.ID = y.ID
			if !person {
				x.Mine, x.Reacted = y.Mine, y.Reacted
			}
			if !reflect.DeepEqual(x, y) {
				odd = fmt.Sprintf("%s shows\n%+v, %+v\nwhere the log has\n%+v, %+v", v.user, x, x.Quote, y, y.Quote)
			}
		}
		return odd == ""
	})
}
