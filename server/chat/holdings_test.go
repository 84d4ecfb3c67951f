package chat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Where new messages delete old ones, nobody deletes what others said: a device that
// holds half of what is kept is refused for good, until it holds less. Others, and
// whoever is alone in a room, write on.
func TestShareOfRetention(t *testing.T) {
	const size = chat.EntryOverhead + 3 + 1000 // of each message
	s := start(t, func(cfg *chat.Config) { cfg.RetainBytes = 20 * size })
	text := strings.Repeat("x", 1000)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	eve, _ := s.join("r", hello("Eve", newDevice()))
	ann.say("1", text)
	ann.next(shared.TypeChat)
	eve.next(shared.TypeChat)
	for i := range 12 {
		eve.say(fmt.Sprint(i), text)
		want := shared.TypeChat
		if i >= 10 {
			want = shared.TypeError
		}
		if m := eve.next(want); want == shared.TypeError && (m.Code != shared.CodeNotAllowed || !m.Code.Final() || !strings.Contains(m.Text, "half")) {
			t.Errorf("Eve's message %d gets %+v", i, m)
		}
	}
	if n := s.metric(`parley_limit_hits_total{limit="share"}`); n != "2" {
		t.Errorf("%s were counted", n)
	}
	ann.texts(10)
	for i := range 10 {
		ann.say(fmt.Sprint("more", i), text)
	}
	for said := 0; said < 9; { // she holds half then
		m, err := ann.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == shared.TypeChat {
			said++
		}
	}
	s.expire(chat.Retention{Bytes: 15 * size}, 5)
	s.until("Eve may go on", func() bool {
		eve.say(fmt.Sprint(time.Now().UnixNano()), text)
		for {
			switch m, err := eve.read(); {
			case err != nil:
				t.Fatal(err)
			case m.Type == shared.TypeError:
				return false
			case m.User == "Eve":
				return true
			}
		}
	})

	bob, _ := s.join("alone", hello("Bob", newDevice()))
	for i := range 40 {
		bob.say(fmt.Sprint(i), text)
		bob.next(shared.TypeChat)
	}
}
