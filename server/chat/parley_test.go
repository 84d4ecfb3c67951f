package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
)

func TestEchoIsTheAcknowledgement(t *testing.T) {
	s := start(t)
	ann, welcome := s.join("Lobby", hello("Ann", newDevice()))
	if welcome.Room != "Lobby" || welcome.User != "Ann" || welcome.Epoch == "" || welcome.Resumed || welcome.Count != 1 ||
		welcome.Limits != (shared.Limits{Message: 4096, Burst: 10, Resume: 10000}) || welcome.Server.Name != "test" {
		t.Errorf("the welcome is %+v", welcome)
	}
	bob, _ := s.join("LOBBY", hello("Bob", newDevice()))
	before := time.Now().Add(-time.Second)
	ann.sendRaw(`{"type":"chat_message","id":"a1","message":"hi","user":"Eve","offset":99,"time":"2000-01-01T00:00:00Z","room":"x"}`)
	for _, c := range []*client{ann, bob} {
		m := c.next(shared.TypeChat)
		if m.ID != "a1" || m.Offset != 1 || m.User != "Ann" || m.Text != "hi" || m.Time.Before(before) {
			t.Errorf("got %+v", m)
		}
	}
	ann.say("a1", "hi")
	if m := ann.next(shared.TypeAck); m.ID != "a1" || m.Offset != 1 {
		t.Errorf("the answer to a repeat is %+v", m)
	}
	ann.say("a2", "there")
	equal(t, "what Bob sees after the repeat", bob.texts(1), "there")
}

func TestFirstVisitGetsTheLastFifty(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for i := range 60 {
		ann.say(fmt.Sprint(i), fmt.Sprint(i))
	}
	ann.texts(60)
	bob, welcome := s.join("r", hello("Bob", newDevice()))
	if welcome.Resumed || welcome.Offset != 60 {
		t.Errorf("the welcome is %+v", welcome)
	}
	for i := 10; i < 60; i++ {
		if m := bob.next(shared.TypeChat); m.Text != fmt.Sprint(i) || m.Offset != int64(i+1) {
			t.Fatalf("in the place of %d came %+v", i, m)
		}
	}
}

func TestResume(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.ResumeLimit = 20 })
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	for i := range 30 {
		ann.say(fmt.Sprint(i), fmt.Sprint(i))
	}
	ann.texts(30)
	for _, c := range []struct {
		what    string
		epoch   string
		after   int64
		resumed bool
		first   int64
	}{
		{"three behind", welcome.Epoch, 27, true, 28},
		{"as far behind as allowed", welcome.Epoch, 10, true, 11},
		{"nothing behind", welcome.Epoch, 30, true, 31},
		{"too far behind", welcome.Epoch, 9, false, 11},
		{"beyond the head", welcome.Epoch, 31, false, 11},
		{"another epoch", "another", 27, false, 11},
	} {
		t.Run(c.what, func(t *testing.T) {
			h := hello("Bob "+c.what, newDevice())
			h.Epoch, h.After = c.epoch, c.after
			bob, welcome := s.join("r", h)
			if welcome.Resumed != c.resumed {
				t.Fatalf("resumed is %v", welcome.Resumed)
			}
			for offset := c.first; offset <= 30; offset++ {
				if m := bob.next(shared.TypeChat); m.Offset != offset {
					t.Fatalf("in the place of %d came %+v", offset, m)
				}
			}
			bob.send(shared.Message{Type: shared.TypeHistory, Limit: 1})
			bob.next(shared.TypeHistory) // and not an entry more
		})
	}
}

// Members that come while others talk see every message once, in order, from
// where they resumed.
func TestResumeWhileOthersTalk(t *testing.T) {
	t.Parallel()
	const total = 2000
	s := start(t, func(c *chat.Config) { c.TailBytes = 8 << 10 }) // small, so that they also fall out of it
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	go func() {
		for i := range total {
			data := shared.Encode(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(i), Text: strings.Repeat("x", 200)})
			if ann.write(websocket.MessageText, data) != nil {
				return
			}
		}
	}()
	seen := make(chan int64, 1)
	done := make(chan string, 20)
	for i := range 20 {
		go func() {
			after := int64(0)
			if i > 0 {
				after = <-seen
			}
			h := hello(fmt.Sprintf("Bob %d", i), newDevice())
			h.Epoch, h.After = welcome.Epoch, after
			bob, _, err := s.tryDial("/ws/chat/r", shared.Protocol, nil)
			if err == nil {
				err = bob.write(websocket.MessageText, shared.Encode(h))
			}
			if err != nil {
				done <- err.Error()
				return
			}
			for after < total {
				data, err := bob.readRaw()
				if err != nil {
					done <- err.Error()
					return
				}
				m, err := shared.Decode(data)
				switch {
				case err != nil:
					done <- err.Error()
					return
				case m.Type == shared.TypeWelcome && !m.Resumed:
					done <- "not resumed"
					return
				case m.Type != shared.TypeChat:
					continue
				case m.Offset != after+1:
					done <- fmt.Sprintf("after %d came %d", after, m.Offset)
					return
				}
				after = m.Offset
			}
			done <- ""
		}()
	}
	for next := int64(1); next <= total; next++ {
		m := ann.next(shared.TypeChat)
		if m.Offset != next {
			t.Fatalf("Ann saw %d in the place of %d", m.Offset, next)
		}
		if next%(total/20) == 0 && next < total {
			seen <- next
		}
	}
	for range 20 {
		if problem := <-done; problem != "" {
			t.Error(problem)
		}
	}
}

func TestHistory(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for i := range 5 {
		ann.say(fmt.Sprint(i), fmt.Sprint(i))
	}
	ann.texts(5)
	ask := func(before int64, limit int) (texts []string, more bool) {
		ann.send(shared.Message{Type: shared.TypeHistory, Before: before, Limit: limit})
		m := ann.next(shared.TypeHistory)
		for _, e := range m.Messages {
			texts = append(texts, e.Text)
		}
		return texts, m.More
	}
	texts, more := ask(4, 2)
	equal(t, "two before the fourth", texts, "1", "2")
	if !more {
		t.Error("there is more")
	}
	texts, more = ask(4, 3)
	equal(t, "three before the fourth", texts, "0", "1", "2")
	if more {
		t.Error("there is no more")
	}
	texts, _ = ask(0, 1)
	equal(t, "the newest", texts, "4")
}

func TestHistoryFitsAFrame(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	long := strings.Repeat("\x01", shared.MaxText-1) + "x" // six bytes each in JSON
	for i := range 20 {
		ann.say(fmt.Sprint(i), long)
	}
	ann.texts(20)
	ann.send(shared.Message{Type: shared.TypeHistory, Limit: 100})
	m := ann.next(shared.TypeHistory)
	if n := len(m.Messages); n < 5 || n >= 20 || !m.More || m.Messages[n-1].Offset != 20 {
		t.Errorf("%d messages, more is %v", n, m.More)
	}
	if size := len(shared.Encode(m)); size > shared.MaxServerFrame {
		t.Errorf("the frame has %d bytes", size)
	}
}

func TestTyping(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	for range 3 {
		ann.send(shared.Message{Type: shared.TypeTyping})
	}
	ann.say("1", "done")
	if m := bob.next(shared.TypeTyping); m.User != "Ann" {
		t.Errorf("typing: %+v", m)
	}
	for { // one for the three, then the message
		m, err := bob.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == shared.TypeChat {
			break
		}
		if m.Type == shared.TypeTyping {
			t.Error("typing was told twice within three seconds")
		}
	}
}

func TestPresence(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	device := newDevice()
	bob, welcome := s.join("r", hello("Bob", device))
	equal(t, "members", welcome.Members, "Ann", "Bob")
	phone, welcome := s.join("r", hello("bob", device))
	if welcome.User != "Bob" || welcome.Count != 2 {
		t.Errorf("the same person on another connection: %+v", welcome)
	}
	expect := func(event shared.Event, user string, count int) {
		t.Helper()
		for {
			m := ann.next(shared.TypePresence)
			if m.Event == shared.Join && len(m.Users) == 1 && m.Users[0] == "Ann" {
				continue // her own arrival
			}
			if m.Event == shared.Join && len(m.Users) == 2 && event == shared.Join {
				m.Users = m.Users[1:] // both within one second
			}
			if m.Event != event || len(m.Users) != 1 || m.Users[0] != user || m.Count != count {
				t.Fatalf("got %+v, want %s of %s, %d", m, event, user, count)
			}
			return
		}
	}
	expect(shared.Join, "Bob", 2)
	phone.leave()
	bob.leave()
	expect(shared.Leave, "Bob", 1)
}

func TestNamesBelongToDevices(t *testing.T) {
	s := start(t)
	device := newDevice()
	ann, _ := s.join("r", hello("Ann", device))
	for _, name := range []string{"Ann", "ann", "ＡＮＮ"} {
		c := s.raw("r")
		c.send(hello(name, newDevice()))
		ce := c.closed()
		if shared.CloseCode(ce.Code) != shared.CloseNameTaken {
			t.Fatalf("%s on another device: %v", name, ce)
		}
		if !strings.EqualFold(ce.Reason, "Ann (2)") {
			t.Errorf("the free name is %q", ce.Reason)
		}
	}
	// The name stays hers after she left, in this room.
	ann.leave()
	c := s.raw("r")
	c.send(hello("Ann", newDevice()))
	if ce := c.closed(); shared.CloseCode(ce.Code) != shared.CloseNameTaken {
		t.Errorf("after she left: %v", ce)
	}
	if _, welcome := s.join("elsewhere", hello("Ann", newDevice())); welcome.User != "Ann" {
		t.Errorf("in another room: %+v", welcome)
	}
	if _, welcome := s.join("r", hello("Ann", device)); welcome.User != "Ann" {
		t.Errorf("on her own device: %+v", welcome)
	}
	ann2 := s.tutorial("r/ann")
	ann2.sendRaw(`{"message":"hi"}`)
	if m := ann2.next(shared.TypeChat); m.User != "ann (2)" {
		t.Errorf("in the tutorial's dialect she is %q", m.User)
	}
}

func TestNameIsFreeAfterTheHold(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := start(t, func(c *chat.Config) { c.Now = func() time.Time { return now } })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.leave()
	s.stop()
	now = now.Add(12 * time.Hour)
	s.open(func(c *chat.Config) { c.Now = func() time.Time { return now } })
	if _, welcome := s.join("r", hello("Ann", newDevice())); welcome.User != "Ann" {
		t.Errorf("got %+v", welcome)
	}
}

func TestGuestName(t *testing.T) {
	s := start(t)
	if _, welcome := s.join("r", hello("", newDevice())); !strings.HasPrefix(welcome.User, "Guest-") || len(welcome.User) != 10 {
		t.Errorf("got %+v", welcome)
	}
}

func TestBadHello(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.HelloTimeout = 50 * time.Millisecond })
	for what, frame := range map[string]string{
		"nothing in time":   "",
		"another frame":     `{"type":"typing"}`,
		"a message":         `{"message":"hi"}`,
		"no JSON":           `hi`,
		"a bad name":        `{"type":"hello","user":"a/b","device":"` + newDevice() + `"}`,
		"a short device":    `{"type":"hello","user":"ann","device":"short"}`,
		"no device":         `{"type":"hello","user":"ann"}`,
		"a device of blank": `{"type":"hello","user":"ann","device":"` + strings.Repeat(" ", 30) + `"}`,
	} {
		c := s.raw("r")
		if frame != "" {
			c.sendRaw(frame)
		}
		if ce := c.closed(); shared.CloseCode(ce.Code) != shared.CloseBadHello || ce.Reason == "" {
			t.Errorf("%s: %v", what, ce)
		}
	}
}

func TestRefusedFrames(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for frame, want := range map[string]shared.Message{
		`{`: {Code: shared.CodeBadFrame},
		`{"type":"chat_message","id":"1","message":""}`:                                  {Code: shared.CodeEmpty, ID: "1"},
		`{"type":"chat_message","id":"2","message":" \u200b "}`:                          {Code: shared.CodeEmpty, ID: "2"},
		`{"type":"chat_message","id":"3","message":"` + strings.Repeat("x", 4097) + `"}`: {Code: shared.CodeTooLong, ID: "3"},
		`{"type":"chat_message","message":"no id"}`:                                      {Code: shared.CodeBadFrame},
		`{"type":"chat_message","id":"a b","message":"x"}`:                               {Code: shared.CodeBadFrame, ID: "a b"},
		`{"type":"dance"}`: {Code: shared.CodeUnknownType},
		`{"type":"hello","user":"Ann","device":"` + newDevice() + `"}`: {Code: shared.CodeBadFrame},
		`{"type":"welcome"}`: {Code: shared.CodeNotAllowed},
		`{"type":"presence","event":"join","users":["Eve"],"count":9}`: {Code: shared.CodeNotAllowed},
		`{"type":"history","limit":101}`:                               {Code: shared.CodeBadFrame},
	} {
		ann.sendRaw(frame)
		m := ann.next(shared.TypeError)
		if m.Code != want.Code || m.ID != want.ID || m.Text == "" {
			t.Errorf("%.60s: got %+v", frame, m)
		}
	}
	ann.say("ok", "still here")
	if m := ann.next(shared.TypeChat); m.Offset != 1 {
		t.Errorf("something refused was stored: %+v", m)
	}
}

func TestFramesThatClose(t *testing.T) {
	s := start(t)
	big, _ := s.join("r", hello("Big", newDevice()))
	big.sendRaw(`{"type":"chat_message","id":"1","message":"` + strings.Repeat("x", shared.MaxClientFrame) + `"}`)
	if ce := big.closed(); ce.Code != websocket.StatusMessageTooBig {
		t.Errorf("a frame over the limit: %v", ce)
	}
	bin, _ := s.join("r", hello("Bin", newDevice()))
	if err := bin.write(websocket.MessageBinary, []byte(`{"type":"typing"}`)); err != nil {
		t.Fatal(err)
	}
	if ce := bin.closed(); ce.Code != websocket.StatusUnsupportedData {
		t.Errorf("a binary frame: %v", ce)
	}
}

func TestRate(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Rate, c.Burst = 0.001, 3 })
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	if welcome.Limits.Rate != 0.001 || welcome.Limits.Burst != 3 {
		t.Errorf("the limits are %+v", welcome.Limits)
	}
	for i := range 3 {
		ann.say(fmt.Sprint(i), "x")
	}
	ann.texts(3)
	ann.say("over", "x")
	if m := ann.next(shared.TypeError); m.Code != shared.CodeRateLimited || m.ID != "over" || m.RetryMS != 1000000 {
		t.Errorf("over the rate: %+v", m)
	}
	data := shared.Encode(shared.Message{Type: shared.TypeChat, ID: "over", Text: "x"})
	go func() {
		for range 10*3 + 100 {
			if ann.write(websocket.MessageText, data) != nil {
				return
			}
		}
	}()
	if ce := ann.closed(); shared.CloseCode(ce.Code) != shared.CloseFlooding {
		t.Errorf("flooding: %v", ce)
	}
}

func TestFullRoom(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxMembers = 1 })
	s.join("r", hello("Ann", newDevice()))
	c := s.raw("r")
	c.send(hello("Bob", newDevice()))
	if ce := c.closed(); ce.Code != websocket.StatusTryAgainLater {
		t.Errorf("got %v", ce)
	}
}

func TestSilentPeerIsGone(t *testing.T) {
	// A busy machine may keep an answer back for longer than the limit, whoever gives it.
	for limit := 200 * time.Millisecond; !silentPeerIsGone(t, limit); limit *= 2 {
		if limit > 5*time.Second {
			t.Fatal("who answers pings is taken for silent")
		}
	}
}

// silentPeerIsGone has one peer answer pings and one not. It reports false if the one
// that answers was taken for silent.
func silentPeerIsGone(t *testing.T, limit time.Duration) bool {
	s := start(t, func(c *chat.Config) { c.PingEvery, c.SilenceLimit = limit/4, limit })
	frozen, _ := s.join("r", hello("Frozen", newDevice())) // reads nothing, so it answers no ping
	pings := make(chan bool, 8)                            // twice the limit
	ctx, cancel := context.WithTimeout(frozen.ctx, patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.http.URL+"/ws/chat/r/Ann", &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pings <- true:
			default:
			}
			return true
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	ann := conn.CloseRead(ctx)
	for range cap(pings) {
		select {
		case <-pings:
		case <-ann.Done():
			return false
		}
	}
	for err == nil {
		_, err = frozen.read()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the frozen peer is still connected")
	}
	got := s.metric("parley_silent_peers_total")
	if ann.Err() != nil {
		return false
	}
	if got != "1" {
		t.Errorf("%s silent peers were counted", got)
	}
	return true
}
