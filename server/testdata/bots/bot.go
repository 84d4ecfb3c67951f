// Command bot answers "@bot" in a room, each question once, also if the bot, the
// server or the network fails in between.
//
//	go run ./server/testdata/bots/bot.go ws://localhost:8000/ws/chat/Lobby bot.json
//
// The file keeps the bot's secret and its place in the room: use one for each
// room. To make a bot of your own, change its name, question and answer.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log"
	mathrand "math/rand/v2"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const name = "bot"

var question = regexp.MustCompile(`(?i)\B@` + name + `\b`)

func answer(asked frame) string { return "Here I am, " + asked.User + "." }

// frame has the fields of the protocol that the bot needs.
type frame struct {
	Type    string `json:"type"`
	ID      string `json:"id,omitempty"`
	User    string `json:"user,omitempty"`
	Message string `json:"message,omitempty"`
	By      string `json:"by,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Edits   int64  `json:"edits,omitempty"`
	Reply   int64  `json:"reply,omitempty"`
	Of      string `json:"of,omitempty"`
	Device  string `json:"device,omitempty"`
	Epoch   string `json:"epoch,omitempty"`
	After   int64  `json:"after,omitempty"`
	Resumed bool   `json:"resumed,omitempty"`
	Code    string `json:"code,omitempty"`
	RetryMS int64  `json:"retry_ms,omitempty"`
}

// state is what the file keeps. All up to After in Epoch is answered.
type state struct {
	Device string `json:"device"`
	Epoch  string `json:"epoch"`
	After  int64  `json:"after"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run bot.go ws://HOST:PORT/ws/chat/ROOM FILE")
	}
	url, file := os.Args[1], os.Args[2]
	s := load(file)
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		began := time.Now()
		err := talk(url, file, &s)
		var closed websocket.CloseError
		if errors.As(err, &closed) && closed.Code >= 4500 && closed.Code <= 4999 {
			log.Fatalf("The server closed the connection for good, with code %d: %q", closed.Code, closed.Reason)
		}
		log.Printf("The connection failed, the bot tries again: %q", err.Error()) // a terminal obeys control characters
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		time.Sleep(mathrand.N(wait))
	}
}

// talk joins the room and answers until the connection ends.
func talk(url, file string, s *state) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	soon, done := context.WithTimeout(ctx, 10*time.Second)
	defer done()
	conn, _, err := websocket.Dial(soon, url, &websocket.DialOptions{Subprotocols: []string{"parley.v1"}})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	send := func(f frame) { _ = wsjson.Write(ctx, conn, f) } // if it fails, Read does, too
	send(frame{Type: "hello", User: name, Device: s.Device, Epoch: s.Epoch, After: s.After})
	go watch(ctx, conn)

	var me, epoch string
	var answered, head, seen int64 // offsets: done before, where the room was, read by now
	var waiting []frame            // answers that the server has not confirmed; the first is on its way
	confirm := func(id string) {
		if i := slices.IndexFunc(waiting, func(a frame) bool { return a.ID == id }); i >= 0 {
			waiting = slices.Delete(waiting, i, i+1)
			if i == 0 && len(waiting) > 0 {
				send(waiting[0])
			}
		}
	}
	for {
		var f frame
		if err := wsjson.Read(ctx, conn, &f); err != nil {
			return err
		}
		switch f.Type {
		case "welcome":
			me, epoch = f.By, f.Epoch
			switch {
			case s.Epoch == "": // a new bot answers only what is asked from now on
				answered = f.Offset
			case s.Epoch == epoch:
				answered = s.After
			}
			if !f.Resumed {
				head = f.Offset // the newest messages follow, up to here
			}
			seen = answered
		case "chat_message", "delete", "react", "notice":
			seen = max(seen, f.Offset)
			if f.By == me {
				confirm(f.ID)
			} else if f.Type == "chat_message" && f.Edits == 0 && f.Offset > answered && question.MatchString(f.Message) {
				// The id follows from the question. If the bot answers again, since it
				// does not know that it has, the server keeps the first answer.
				sum := sha256.Sum256([]byte(f.By + " " + f.ID))
				a := frame{Type: "chat_message", ID: hex.EncodeToString(sum[:16]), Message: answer(f), Reply: f.Offset, Of: f.ID}
				if waiting = append(waiting, a); len(waiting) == 1 {
					send(a)
				}
			}
		case "ack":
			confirm(f.ID)
		case "error":
			if f.Code == "rate_limited" || f.Code == "unavailable" {
				if len(waiting) > 0 && waiting[0].ID == f.ID {
					a := waiting[0]
					time.AfterFunc(time.Duration(cmp.Or(f.RetryMS, 1000))*time.Millisecond, func() { send(a) })
				}
				continue
			}
			log.Printf("The server refuses: %q", f.Message)
			confirm(f.ID)
		}
		after := seen
		if len(waiting) > 0 {
			after = waiting[0].Reply - 1
		}
		if seen >= head && (after != s.After || epoch != s.Epoch) {
			s.Epoch, s.After = epoch, after
			s.save(file)
		}
	}
}

// watch ends the connection if the server no longer answers.
func watch(ctx context.Context, conn *websocket.Conn) {
	for ctx.Err() == nil {
		time.Sleep(30 * time.Second)
		soon, done := context.WithTimeout(ctx, 5*time.Second)
		if conn.Ping(soon) != nil {
			conn.CloseNow()
		}
		done()
	}
}

func load(file string) (s state) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.Device = rand.Text()
		s.save(file)
	case err != nil:
		log.Fatal(err)
	case json.Unmarshal(data, &s) != nil || s.Device == "":
		log.Fatalf("%q is not a bot's file: name another one.", file)
	}
	return s
}

// save replaces the file at once, so that a crash leaves the old one or the new.
func (s state) save(file string) {
	data, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(file+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		log.Fatal(err)
	}
}
