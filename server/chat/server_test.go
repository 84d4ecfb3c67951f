package chat_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

func TestRestartKeepsHistory(t *testing.T) {
	s := start(t)
	device := newDevice()
	ann, before := s.join("r", hello("Ann", device))
	ann.say("1", "one")
	ann.texts(1)
	stopped := make(chan bool)
	go func() { s.stop(); close(stopped) }()
	if ce := ann.closed(); ce.Code != websocket.StatusServiceRestart {
		t.Errorf("she was closed with %v", ce)
	}
	<-stopped
	s.open()
	h := hello("Ann", device)
	h.Epoch, h.After = before.Epoch, 0
	ann, welcome := s.join("r", h)
	if !welcome.Resumed || welcome.Epoch != before.Epoch || welcome.Offset != 1 {
		t.Errorf("the welcome is %+v", welcome)
	}
	equal(t, "replayed", ann.texts(1), "one")
	ann.say("1", "one")
	if m := ann.next(shared.TypeAck); m.Offset != 1 {
		t.Errorf("got %+v", m)
	}
}

// Every message that was taken is answered before its sender is closed.
func TestShutdownAnswersWhatItTook(t *testing.T) {
	s := start(t)
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	for i := range 500 {
		ann.say(fmt.Sprint(i), "x")
	}
	ann.next(shared.TypeChat)
	acknowledged := int64(1)
	stopped := make(chan bool)
	go func() { s.stop(); close(stopped) }()
	for {
		m, err := ann.read()
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("the end was %v", err)
			}
			break
		}
		acknowledged = max(acknowledged, m.Offset)
	}
	<-stopped
	s.open()
	h := hello("Bob", newDevice())
	h.Epoch = welcome.Epoch
	if _, welcome := s.join("r", h); welcome.Offset != acknowledged {
		t.Errorf("%d were acknowledged, %d are kept", acknowledged, welcome.Offset)
	}
}

// A peer that does not answer its close frame is cut off at the deadline.
func TestShutdownCutsAtItsDeadline(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.CloseLimit = time.Hour })
	ann, _ := s.join("r", hello("Ann", newDevice())) // reads nothing from here on
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- s.hub.Shutdown(ctx) }()
	select {
	case err := <-ended:
		if err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("it waits for a peer that does not answer")
		ann.conn.CloseNow()
		<-ended
	}
	s.http.Close()
	s.log.Close()
	s.http = nil // stopped
}

// lockDatabase has another program hold the log's database, so that nothing is written
// until unlock.
func (s *server) lockDatabase() (unlock func()) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, sqlitelog.FileName)+"?_pragma=busy_timeout(60000)")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		if _, err := db.Exec("ROLLBACK"); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestLockedDatabase(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	unlock := s.lockDatabase()
	ann.say("1", "lost?")
	if m := ann.next(shared.TypeError); m.Code != shared.CodeUnavailable || m.ID != "1" || m.Text == "" {
		t.Errorf("got %+v", m)
	}
	if status, body, _ := s.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d %s", status, body)
	}
	if status, _, _ := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("health: %d", status)
	}
	unlock()
	s.until("ready again", func() bool { status, _, _ := s.get("/readyz"); return status == http.StatusOK })
	ann.say("2", "two")
	ann.say("1", "one")
	equal(t, "Bob", bob.texts(2), "two", "one")
}

func TestRoomsAndServer(t *testing.T) {
	s := start(t)
	_, body, _ := s.get("/api/rooms")
	if strings.TrimSpace(body) != `{"rooms":[]}` {
		t.Errorf("at first: %s", body)
	}
	ann, _ := s.join("Quiet", hello("Ann", newDevice()))
	bob, _ := s.join("Lively", hello("Bob", newDevice()))
	s.join("lively", hello("Ann", newDevice()))
	bob.say("1", "hi")
	bob.texts(1)
	var list struct {
		Rooms []struct {
			Name  string
			Count int
			Last  time.Time `json:"last_activity"`
		}
	}
	_, body, _ = s.get("/api/rooms")
	decodeJSON(t, body, &list)
	if len(list.Rooms) != 2 || list.Rooms[0].Name != "Lively" || list.Rooms[0].Count != 2 || list.Rooms[0].Last.IsZero() ||
		list.Rooms[1].Name != "Quiet" || list.Rooms[1].Count != 1 || !list.Rooms[1].Last.IsZero() {
		t.Errorf("the rooms are %s", body)
	}
	var info struct {
		Name, Version, ID, Protocol string
		People, Rooms               int
		Limits                      shared.Limits
	}
	_, body, _ = s.get("/api/server")
	decodeJSON(t, body, &info)
	if info.Name != "test" || info.Version != shared.Version || info.ID != testID || info.Protocol != shared.Protocol || info.People != 3 || // two are called Ann

		info.Rooms != 2 || info.Limits.Message != 4096 {
		t.Errorf("the server is %s", body)
	}
	for name, want := range map[string]string{
		"parley_connections": "3", "parley_rooms": "2", "parley_messages_received_total": "1", "parley_append_seconds_count": "1",
	} {
		if got := s.metric(name); got != want {
			t.Errorf("%s is %q, not %s", name, got, want)
		}
	}
	ann.sendRaw(`{"type":"dance"}`)
	ann.next(shared.TypeError)
	if got := s.metric(`parley_frames_refused_total{code="unknown_type"}`); got != "1" {
		t.Errorf("refused: %q", got)
	}
}

func TestMessagesOverHTTP(t *testing.T) {
	s := start(t)
	ann, _ := s.join("Café", hello("Ann", newDevice()))
	for i := range 3 {
		ann.say(fmt.Sprint(i), fmt.Sprint(i))
	}
	ann.texts(3)
	_, body, header := s.get("/api/rooms/caf%C3%A9/messages?before=3&limit=1")
	m, err := shared.Decode([]byte(strings.TrimSpace(body)))
	if err != nil || m.Type != shared.TypeHistory || len(m.Messages) != 1 || m.Messages[0].Text != "1" || !m.More {
		t.Errorf("got %s, %v", body, err)
	}
	if got := header.Get("Content-Type"); got != "application/json" {
		t.Errorf("the type is %s", got)
	}
	if status, _, header := s.get("/api/rooms/x"); status != 404 || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("an unknown path: %d", status)
	}
}

func TestEmptyRoomLeavesMemory(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("1", "hi")
	ann.texts(1)
	ann.leave()
	for s.metric("parley_rooms") != "0" {
	}
	bob, _ := s.join("R", hello("Bob", newDevice()))
	equal(t, "in the room again", bob.texts(1), "hi")
	if rooms := s.hub.Rooms(); rooms[0].Name != "r" {
		t.Errorf("the room is now %q", rooms[0].Name)
	}
}

// Bob's connection stalls; Alice and Carol must still receive, and Bob misses
// nothing once he reads again.
func TestFrozenMember(t *testing.T) {
	const total = 500 // 2 MB: more than the kernel keeps for Bob
	s := start(t, func(c *chat.Config) { c.TailBytes = 64 << 10 })
	alice, _ := s.join("r", hello("Alice", newDevice()))
	carol, _ := s.join("r", hello("Carol", newDevice()))
	bob := s.joinNarrow("r", hello("Bob", newDevice()))
	text := strings.Repeat("x", 4000)
	go func() {
		for i := range total {
			data := shared.Encode(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(i), Text: text})
			if alice.write(websocket.MessageText, data) != nil {
				return
			}
		}
	}()
	for _, c := range []struct {
		name string
		*client
	}{{"Alice", alice}, {"Carol", carol}, {"Bob", bob}} {
		for i := range int64(total) {
			if m := c.next(shared.TypeChat); m.Offset != i+1 {
				t.Fatalf("%s saw %d in the place of %d", c.name, m.Offset, i+1)
			}
		}
		if c.name == "Alice" && s.metric("parley_slow_consumers_total") != "0" {
			t.Error("somebody was closed")
		}
	}
}

func TestSlowConsumerIsClosed(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.StallLimit = 100 * time.Millisecond })
	alice, welcome := s.join("r", hello("Alice", newDevice()))
	device := newDevice()
	bob := s.joinNarrow("r", hello("Bob", device))
	text := strings.Repeat("x", 4000)
	sent := int64(0)
	for s.metric("parley_slow_consumers_total") == "0" {
		for range 100 {
			sent++
			alice.say(fmt.Sprint(sent), text)
			alice.next(shared.TypeChat)
		}
	}
	last := int64(0)
	for {
		m, err := bob.read()
		if err != nil {
			break // with or without a close frame: he was frozen
		}
		if m.Type == shared.TypeChat {
			last = m.Offset
		}
	}
	alice.leave()
	s.stop()
	s.open() // where nobody who is slow to resume is closed again
	h := hello("Bob", device)
	h.Epoch, h.After = welcome.Epoch, last
	bob, _ = s.join("r", h)
	for last++; last <= sent; last++ {
		if m := bob.next(shared.TypeChat); m.Offset != last {
			t.Fatalf("after resuming came %d in the place of %d", m.Offset, last)
		}
	}
}

// Who goes away while he is behind was no slow consumer.
func TestGoneWhileBehind(t *testing.T) {
	s := start(t)
	alice, _ := s.join("r", hello("Alice", newDevice()))
	bob := s.joinNarrow("r", hello("Bob", newDevice()))
	text := strings.Repeat("x", 4000)
	for i := range 500 { // 2 MB: more than the kernel keeps for Bob
		alice.say(fmt.Sprint(i), text)
		alice.next(shared.TypeChat)
	}
	bob.conn.CloseNow()
	for s.metric("parley_connections") != "1" {
	}
	if got := s.metric("parley_slow_consumers_total"); got != "0" {
		t.Errorf("%s slow consumers", got)
	}
}

// A TLS connection can't be written without blocking; its members are written
// by goroutines, from the same tail.
func TestTLS(t *testing.T) {
	s := &server{t: t, dir: t.TempDir(), tls: true}
	s.open(func(c *chat.Config) { c.TailBytes = 8 << 10 }) // small, so that they fall out of it
	t.Cleanup(s.stop)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob := s.tutorial("r/bob")
	const total = 300
	go func() {
		for i := range total {
			data := shared.Encode(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(i), Text: strings.Repeat("x", 500)})
			if ann.write(websocket.MessageText, data) != nil {
				return
			}
		}
	}()
	for _, c := range []*client{ann, bob} {
		for i := range int64(total) {
			if m := c.next(shared.TypeChat); m.Offset != i+1 {
				t.Fatalf("%d came in the place of %d", m.Offset, i+1)
			}
		}
	}
}

// Members to whom nothing is said cost nothing, and one that goes without a
// word keeps nobody from stopping the server.
func TestQuietMembersCostNothing(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprint("tls=", encrypted), func(t *testing.T) {
			s := &server{t: t, dir: t.TempDir(), tls: encrypted}
			s.open()
			t.Cleanup(s.stop)
			ann, _ := s.join("r", hello("Ann", newDevice()))
			bob, _ := s.join("r", hello("Bob", newDevice()))
			ann.say("1", "hi")
			ann.texts(1)
			bob.texts(1)
			started := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
			metrics.Read(started)
			before := started[0].Value.Uint64()
			const looks = 200 // in place of a clock
			for range looks {
				s.get("/healthz")
			}
			metrics.Read(started)
			if n := started[0].Value.Uint64() - before; n > 5*looks {
				t.Errorf("%d goroutines were started for two silent members", n)
			}
			bob.conn.CloseNow()
			for s.metric("parley_connections") != "1" {
			}
		})
	}
}

// Presence is told once a second at most, and so does not grow with members squared.
func TestPresenceStorm(t *testing.T) {
	s, began := start(t), time.Now()
	ann, _ := s.join("r", hello("Ann", newDevice()))
	const storm = 60
	for i := range storm {
		s.join("r", hello(fmt.Sprint("Guest ", i), newDevice()))
	}
	frames := 0
	for {
		m := ann.next(shared.TypePresence)
		if frames++; len(m.Users) > 50 {
			t.Errorf("%d names in one frame", len(m.Users))
		}
		if m.Count == storm+1 {
			break
		}
	}
	if most := 1 + int(time.Since(began)/time.Second); frames > most {
		t.Errorf("%d frames told of %d people, not %d", frames, storm, most)
	}
}

// probed is a log that counts how often it was asked whether it can be written.
type probed struct {
	chat.Log
	n atomic.Int64
}

func (p *probed) Ready(ctx context.Context) error {
	p.n.Add(1)
	return p.Log.Ready(ctx)
}

// However often anybody asks, the log is asked once a second at most.
func TestReadyIsCheap(t *testing.T) {
	log := &probed{}
	s := start(t, func(c *chat.Config) { log.Log, c.Log = c.Log, log })
	began := time.Now()
	for range 200 {
		if status, _, _ := s.get("/readyz"); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	if n, most := log.n.Load(), 1+int64(time.Since(began)/time.Second); n > most {
		t.Errorf("the log was asked %d times, not %d", n, most)
	}
}
