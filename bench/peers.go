package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// peer is a server that is measured, and how a client speaks to it.
type peer struct {
	name     string
	version  string
	protocol string // subprotocol
	path     func(room string) string
	// greet is what a client sends first, for member i.
	greet func(room string, i int) []byte
	// ready reports whether a frame that holds no message says that the member is
	// in; nil means that it is in with the handshake.
	ready func(payload []byte) bool
	// news counts what a frame that holds no message says of who came or went.
	news func(payload []byte) int
	gone time.Duration // until everyone has been told that somebody went
	// message is what a client sends to publish a text.
	message func(room string, seq int, text string) []byte
	command func(addr string) (*exec.Cmd, error)
}

func plain(name, version string) peer {
	return peer{
		name: name, version: version,
		path: func(room string) string { return "/" + room },
		message: func(_ string, _ int, text string) []byte {
			return fmt.Appendf(nil, `{"type":"chat_message","message":"%s","user":"ann"}`, text)
		},
		command: self(name),
	}
}

// self runs this program again, as a server.
func self(name string) func(string) (*exec.Cmd, error) {
	return func(addr string) (*exec.Cmd, error) {
		exe, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return exec.Command(exe, "serve", name, addr), nil
	}
}

func parley(binary string) peer {
	return peer{
		name: "parley", version: "log on, sync full", protocol: "parley.v1",
		path: func(room string) string { return "/ws/chat/" + room },
		greet: func(room string, i int) []byte {
			return fmt.Appendf(nil, `{"type":"hello","user":"user %d","device":"device-of-%s-%022d"}`, i, room, i)
		},
		ready: func(p []byte) bool { return bytes.Contains(p, []byte(`"type":"welcome"`)) },
		news:  func(p []byte) int { return bytes.Count(p, []byte(`"type":"presence"`)) },
		gone:  12 * time.Second, // it waits 5 s, another server 5 s more, since most come back
		message: func(_ string, seq int, text string) []byte {
			return fmt.Appendf(nil, `{"type":"chat_message","id":"%026d","message":"%s"}`, seq, text)
		},
		command: serverCommand(binary, "--rate", "0", "--max-per-address", "0", "--max-upgrades", "0"),
	}
}

// serverCommand returns what starts the server on a new folder, with an API's token.
func serverCommand(binary string, flags ...string) func(addr string) (*exec.Cmd, error) {
	return func(addr string) (*exec.Cmd, error) {
		dir, err := os.MkdirTemp("", "parley-bench-")
		if err != nil {
			return nil, err
		}
		tokenFile := filepath.Join(dir, "token")
		if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
			return nil, err
		}
		return exec.Command(binary, append([]string{"--addr", addr, "--data", dir, "--api-token-file", tokenFile}, flags...)...), nil
	}
}

func centrifugePeer() peer {
	return peer{
		name: "centrifuge", version: moduleVersion("github.com/centrifugal/centrifuge") + ", JSON, memory engine",
		path: func(string) string { return "/connection/websocket" },
		greet: func(room string, _ int) []byte {
			return fmt.Appendf(nil, "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"%s\"}}", room)
		},
		ready: func(p []byte) bool { return bytes.Contains(p, []byte(`"subscribe"`)) },
		news: func(p []byte) int {
			return bytes.Count(p, []byte(`"join":`)) + bytes.Count(p, []byte(`"leave":`))
		},
		message: func(room string, seq int, text string) []byte {
			return fmt.Appendf(nil, `{"id":%d,"publish":{"channel":"%s","data":{"message":"%s","user":"ann"}}}`, seq+2, room, text)
		},
		command: self("centrifuge"),
	}
}

// peers returns the servers that can run here.
func peers(binary, extra string) []peer {
	list := []peer{
		parley(binary),
		centrifugePeer(),
		plain("coder", moduleVersion("github.com/coder/websocket")+", pattern of its chat example"),
		plain("gorilla", moduleVersion("github.com/gorilla/websocket")+", pattern of its chat example"),
		plain("gws", moduleVersion("github.com/lxzan/gws")+", Broadcaster"),
	}
	if _, err := os.Stat(filepath.Join(extra, "node_modules", "ws")); err == nil {
		p := plain("node-ws", "ws on Node")
		p.command = func(addr string) (*exec.Cmd, error) {
			cmd := exec.Command("node", "peers/node-ws.js", addr)
			cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(extra, "node_modules"))
			return cmd, nil
		}
		list = append(list, p)
	}
	if exec.Command("/usr/bin/python3", "-c", "import channels, daphne").Run() == nil {
		list = append(list, peer{
			name: "daphne", version: "Django Channels, in-memory layer",
			path:    func(room string) string { return "/ws/chat/" + room + "/" },
			message: func(_ string, _ int, text string) []byte { return fmt.Appendf(nil, `{"message":"%s"}`, text) },
			command: func(addr string) (*exec.Cmd, error) {
				host, port, _ := strings.Cut(addr, ":")
				cmd := exec.Command("/usr/bin/python3", "-m", "daphne", "-b", host, "-p", port, "asgi:application")
				cmd.Dir = "peers"
				return cmd, nil
			},
		})
	}
	return list
}

// centrifugeOn is servers of centrifuge that share a Redis. It has the messages of the
// last hour, 1,000 of a room at most, and who is there.
func centrifugeOn() peer {
	p := centrifugePeer()
	p.greet = func(room string, i int) []byte {
		return fmt.Appendf(nil, "{\"id\":1,\"connect\":{\"name\":\"user %d\"}}\n{\"id\":2,\"subscribe\":{\"channel\":\"%s\"}}", i, room)
	}
	return p
}

// serve is one of the servers that this program holds; redis is the address of what it
// shares with others, if it does.
func serve(name, addr, redis string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	var h http.Handler
	switch name {
	case "centrifuge":
		h, err = serveCentrifuge(redis)
	case "coder":
		h = coderRooms()
	case "gorilla":
		h = gorillaRooms()
	case "gws":
		h = gwsRooms()
	case "limit":
		h = limitRooms()
	default:
		err = fmt.Errorf("no server %q", name)
	}
	if err != nil {
		return err
	}
	return http.Serve(l, h)
}

func serveCentrifuge(redis string) (http.Handler, error) {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, err
	}
	var subscribed centrifuge.SubscribeReply
	var published centrifuge.PublishReply
	if redis != "" {
		shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: redis})
		if err != nil {
			return nil, err
		}
		shards := []*centrifuge.RedisShard{shard}
		broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: shards})
		if err != nil {
			return nil, err
		}
		presence, err := centrifuge.NewRedisPresenceManager(node, centrifuge.RedisPresenceManagerConfig{Shards: shards})
		if err != nil {
			return nil, err
		}
		node.SetBroker(broker)
		node.SetPresenceManager(presence)
		subscribed.Options = centrifuge.SubscribeOptions{EmitPresence: true, EmitJoinLeave: true, PushJoinLeave: true}
		published.Options = centrifuge.PublishOptions{HistorySize: 1000, HistoryTTL: time.Hour}
	}
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "u" + e.Name}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(subscribed, nil)
		})
		client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			done(published, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	return centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{WriteTimeout: 30 * time.Second}), nil
}

// rooms of connections of type C.
type rooms[C comparable] struct {
	mu sync.Mutex
	m  map[string]map[C]struct{}
}

func (r *rooms[C]) add(room string, c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = make(map[string]map[C]struct{})
	}
	if r.m[room] == nil {
		r.m[room] = make(map[C]struct{})
	}
	r.m[room][c] = struct{}{}
}

func (r *rooms[C]) remove(room string, c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.m[room], c)
}

func (r *rooms[C]) each(room string, f func(C)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.m[room] {
		f(c)
	}
}

// coderRooms follows the library's chat example: a channel for each member, and
// a Write for each message and member. The channel is deep enough to lose none.
func coderRooms() http.Handler {
	var all rooms[chan []byte]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		messages := make(chan []byte, 4096)
		all.add(r.URL.Path, messages)
		defer all.remove(r.URL.Path, messages)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			for {
				select {
				case m := <-messages:
					if c.Write(ctx, coder.MessageText, m) != nil {
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		for {
			_, m, err := c.Read(ctx)
			if err != nil {
				return
			}
			all.each(r.URL.Path, func(messages chan []byte) { messages <- m })
		}
	})
}

// gorillaRooms follows that library's chat example: what waits for a member is
// written as one frame, a line for each message.
func gorillaRooms() http.Handler {
	var all rooms[chan []byte]
	upgrader := gorilla.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		messages := make(chan []byte, 4096)
		all.add(r.URL.Path, messages)
		defer close(messages)
		defer all.remove(r.URL.Path, messages)
		go func() {
			for m := range messages {
				w, err := c.NextWriter(gorilla.TextMessage)
				if err != nil {
					return
				}
				w.Write(m)
				for range len(messages) {
					w.Write([]byte{'\n'})
					w.Write(<-messages)
				}
				if w.Close() != nil {
					return
				}
			}
		}()
		for {
			_, m, err := c.ReadMessage()
			if err != nil {
				return
			}
			all.each(r.URL.Path, func(messages chan []byte) { messages <- m })
		}
	})
}

type gwsHandler struct {
	gws.BuiltinEventHandler
	all  *rooms[*gws.Conn]
	room string
}

func (h *gwsHandler) OnOpen(c *gws.Conn) { h.all.add(h.room, c) }

func (h *gwsHandler) OnClose(c *gws.Conn, _ error) { h.all.remove(h.room, c) }

func (h *gwsHandler) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(gws.OpcodeText, m.Bytes())
	defer b.Close()
	h.all.each(h.room, func(c *gws.Conn) { b.Broadcast(c) })
}

func gwsRooms() http.Handler {
	var all rooms[*gws.Conn]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := gws.NewUpgrader(&gwsHandler{all: &all, room: r.URL.Path}, nil).Upgrade(w, r)
		if err == nil {
			go c.ReadLoop()
		}
	})
}
