package chat_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
)

// A thousand members are told to spread, come back all at once nevertheless, and
// each resumes where it was.
func TestRestartStorm(t *testing.T) {
	const members = 1000
	s := start(t)
	type person struct {
		hello   shared.Message
		client  *client
		welcome shared.Message
	}
	people := make([]*person, members)
	each := func(f func(p *person)) {
		var all sync.WaitGroup
		for _, p := range people {
			all.Go(func() { f(p) })
		}
		all.Wait()
	}
	for i := range people {
		people[i] = &person{hello: hello(fmt.Sprint("P", i), newDevice())}
	}
	join := func(p *person) error {
		conn, _, err := websocket.Dial(context.Background(), s.http.URL+"/ws/chat/r", &websocket.DialOptions{Subprotocols: []string{shared.Protocol}})
		if err != nil {
			return err
		}
		p.client = s.newClient(conn)
		p.client.send(p.hello)
		p.welcome, err = p.client.read()
		return err
	}
	each(func(p *person) {
		if err := join(p); err != nil {
			t.Errorf("%s can't join: %v", p.hello.User, err)
		}
	})
	if t.Failed() {
		return
	}
	people[0].client.say("1", "one")
	stopped := make(chan bool)
	each(func(p *person) {
		for {
			m, err := p.client.read()
			if err != nil {
				t.Errorf("%s: %v", p.hello.User, err)
				return
			}
			if m.Type == shared.TypeChat {
				return
			}
		}
	})
	go func() { s.stop(); close(stopped) }()
	each(func(p *person) {
		if ce := p.client.closed(); ce.Code != websocket.StatusServiceRestart || shared.RestartSpread(ce.Reason) == 0 {
			t.Errorf("%s was closed with %v", p.hello.User, ce)
		}
	})
	<-stopped
	s.open()
	each(func(p *person) {
		p.hello.Epoch, p.hello.After = p.welcome.Epoch, 0
		if err := join(p); err != nil {
			t.Errorf("%s can't come back: %v", p.hello.User, err)
			return
		}
		if !p.welcome.Resumed {
			t.Errorf("%s can't resume: %+v", p.hello.User, p.welcome)
		}
		for {
			m, err := p.client.read()
			if err != nil || m.Type == shared.TypeChat {
				if err != nil || m.Offset != 1 || m.Text != "one" {
					t.Errorf("%s sees %+v, %v", p.hello.User, m, err)
				}
				return
			}
		}
	})
	each(func(p *person) { p.client.leave() })
}

// Everyone in a room that is written to in several shares gets every message
// once and in order, also where the last share is not whole.
func TestLargeRoom(t *testing.T) {
	const members, messages = 301, 40
	s := start(t, func(c *chat.Config) { c.PingEvery, c.SilenceLimit = time.Hour, time.Hour }) // a ping takes along what was left
	people := make([]*client, members)
	for i := range people {
		people[i], _ = s.join("r", hello(fmt.Sprint("P", i), newDevice()))
	}
	for i := range messages {
		people[i%members].say(fmt.Sprint(i), "hi")
	}
	var all sync.WaitGroup
	for _, p := range people {
		all.Go(func() {
			for want := int64(1); want <= messages; {
				m, err := p.read()
				if err != nil {
					t.Errorf("message %d: %v", want, err)
					return
				}
				if m.Type != shared.TypeChat {
					continue
				}
				if m.Offset != want {
					t.Errorf("message %d came in place of %d", m.Offset, want)
					return
				}
				want++
			}
		})
	}
	all.Wait()
}
