//go:build linux

package chaos

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
	"parley/shared/servertest"
)

var kills = flag.Int("kills", 5, "how often TestChaosOfHosts kills the server; -short makes it 3")

// class is a room with a host, whose acts are under way when the server is killed.
type class struct {
	t      *testing.T
	random *rand.Rand
	server *server
	device string // the host's
	pupils []pupil
	sent   []shared.Message // by the host
	heard  map[string]int64 // the offsets of those that the host heard of
}

type pupil struct {
	user, by string
	said     shared.Message
}

// TestChaosOfHosts kills the server amid what a host does. Each act is carried out and
// told, or neither; and what the notices say is what holds, after each restart, and after
// a backup was restored.
func TestChaosOfHosts(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	if testing.Short() {
		*kills = 3
	}
	t.Logf("seed %d", *seed)
	c := &class{t: t, random: rand.New(rand.NewPCG(*seed, 3)), server: newServer(t), device: newDevice(), heard: make(map[string]int64)}
	c.server.MustStart()
	c.come(true).Conn.CloseNow()
	for i := range 12 {
		p := pupil{user: fmt.Sprint("Pupil ", i)}
		m := c.server.Join("Class", p.user)
		m.Say("hi")
		p.by, p.said = m.Welcome.By, m.Hear("hi")
		m.Conn.CloseNow()
		c.pupils = append(c.pupils, p)
	}
	told := 0
	for range *kills {
		c.actUntilKilled()
		c.server.MustStart()
		told = c.check()
	}
	if told < *kills {
		t.Errorf("only %d of %d acts are told", told, len(c.sent))
	}

	copied := filepath.Join(t.TempDir(), "copy")
	c.server.Run("backup", copied)
	c.actUntilKilled() // which the backup does not have
	c.server.Run("restore", "--replace", copied)
	c.heard = make(map[string]int64)
	c.server.MustStart()
	if now := c.check(); now != told {
		t.Errorf("after a restore, %d acts are told, and not %d", now, told)
	}
	c.server.Stop()
	c.server.Run("check")
	t.Logf("%d kills, %d acts, %d carried out", *kills, len(c.sent), told)
}

// come returns the host's connection.
func (c *class) come(opens bool) *servertest.Member {
	return c.server.Hello("Class", shared.Message{User: "Ann", Device: c.device, Host: opens})
}

// actUntilKilled sends acts without waiting for an answer, the last ones of before again,
// until the server is killed: at a random moment after its first answer.
func (c *class) actUntilKilled() {
	host := c.come(false)
	pid := c.server.Pid()
	moment := time.Duration(c.random.Int64N(int64(80 * time.Millisecond)))
	deadly := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // if it gives no answer
	defer deadly.Stop()
	answered := false
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			_, data, err := host.Conn.Read(context.Background())
			if err != nil {
				return
			}
			m, err := shared.Decode(data)
			if err != nil {
				c.t.Errorf("%s: %v", data, err)
			}
			if m.Type == shared.TypeNotice && m.ID != "" || m.Type == shared.TypeAck {
				c.heard[m.ID] = m.Offset
				if !answered {
					answered = true
					deadly.Reset(moment)
				}
			}
		}
	}()
	again := slices.Clone(c.sent[max(0, len(c.sent)-10):])
	for range 60 {
		again = append(again, c.act())
	}
	for _, m := range again {
		if host.Conn.Write(context.Background(), websocket.MessageText, shared.Encode(m)) != nil {
			break
		}
	}
	<-over
	c.server.Kill()
	host.Conn.CloseNow()
}

// act returns something new for the host to do.
func (c *class) act() shared.Message {
	pick := func(of ...string) string { return of[c.random.IntN(len(of))] }
	m := shared.Message{Type: shared.TypeHost, ID: fmt.Sprintf("act-%d", len(c.sent))}
	p := c.pupils[c.random.IntN(len(c.pupils))]
	switch n := c.random.IntN(100); {
	case n < 10:
		m.Do, m.Settings = shared.DoSet, &shared.Settings{Write: pick(shared.WhoAll, shared.WhoHosts), Slow: new(c.random.IntN(100))}
	case n < 20:
		m.Do, m.Settings = shared.DoSet, &shared.Settings{Door: pick(shared.DoorOpen, shared.DoorClosed), Files: pick(shared.WhoAll, shared.WhoNone)}
	case n < 30:
		m.Do, m.Target, m.Of = shared.DoPin, p.said.Offset, p.said.ID
	case n < 32:
		m.Do = shared.DoPin
	case n < 34:
		m.Do, m.Target, m.Of = shared.DoDeleteAll, p.said.Offset, p.said.ID
	default:
		m.Do = pick(shared.DoRemove, shared.DoAdmit, shared.DoSilence, shared.DoUnsilence, shared.DoHost, shared.DoUnhost)
		switch c.random.IntN(3) {
		case 0:
			m.User = p.user
		case 1:
			m.Whom = p.by
		default:
			m.Target, m.Of = p.said.Offset, p.said.ID
		}
	}
	c.sent = append(c.sent, m)
	return m
}

// holds is what holds in a room.
type holds struct {
	settings shared.Settings
	pinned   int64
	roles    map[string]bool // what was done, and to whom
	deleted  map[int64]bool
}

// check compares what holds with what the notices say, and returns how many there are.
func (c *class) check() (told int) {
	c.t.Helper()
	host := c.come(false)
	defer host.Conn.CloseNow()
	ask := func(typ shared.Type) (all []shared.Message) {
		for before, more := int64(0), true; more; {
			host.Send(shared.Message{Type: typ, Before: before, Limit: 100})
			page := host.Next(typ)
			all, more = append(append(page.Notices, page.Messages...), all...), page.More
			if more {
				before = all[0].Offset
			}
		}
		return all
	}

	says := holds{shared.OpenSettings(), 0, map[string]bool{"host " + host.Welcome.By: true}, make(map[int64]bool)}
	at := make(map[string]int64)
	for _, n := range ask(shared.TypeNotices) {
		if at[n.ID] != 0 {
			c.t.Errorf("%s is told at %d and at %d", n.ID, at[n.ID], n.Offset)
		}
		at[n.ID] = n.Offset
		switch n.Did {
		case shared.DoSet:
			says.settings = says.settings.With(*n.Settings)
		case shared.DoPin:
			says.pinned = n.Pinned
		case shared.DoRemove, shared.DoSilence, shared.DoHost:
			says.roles[n.Did+" "+n.Whom] = true
		case shared.DoAdmit:
			delete(says.roles, "remove "+n.Whom)
		case shared.DoUnsilence:
			delete(says.roles, "silence "+n.Whom)
		case shared.DoUnhost:
			delete(says.roles, "host "+n.Whom)
		case shared.DoDeleteAll:
			for _, p := range c.pupils {
				if p.by == n.Whom {
					says.deleted[p.said.Offset] = true
				}
			}
			if says.deleted[says.pinned] {
				says.pinned = 0
			}
		}
	}
	for id, offset := range c.heard {
		if at[id] != offset {
			c.t.Errorf("%s was told at %d, and is at %d", id, offset, at[id])
		}
	}

	is := holds{*host.Welcome.Settings, host.Welcome.Pinned, make(map[string]bool), make(map[int64]bool)}
	for _, r := range ask(shared.TypeRoles) {
		is.roles[r.Did+" "+r.Whom] = true
	}
	for _, m := range ask(shared.TypeHistory) {
		if m.Deleted {
			is.deleted[m.Offset] = true
		}
	}
	if !reflect.DeepEqual(is, says) {
		c.t.Errorf("there is\n%+v %v\nand the notices say\n%+v %v", is, slices.Sorted(maps.Keys(is.roles)), says, slices.Sorted(maps.Keys(says.roles)))
	}
	return len(at)
}
