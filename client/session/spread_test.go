package session_test

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
)

// TestRestartSpread lets a server tell a crowd to come back within half a minute.
// Each member picks another moment.
func TestRestartSpread(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	const members, within = 20, 30 * time.Second
	early, late := 0, 0
	for range members {
		v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
		p, _ := s.welcomed("e", 0, false)
		v.connected()
		_ = p.ws.Close(websocket.StatusServiceRestart, "The server is restarting. Come back within 30 s.")
		v.until("the end", func() bool { return v.status.State == session.Disconnected })
		switch wait := v.status.RetryAt.Sub(clock.Now()); {
		case wait < 0 || wait > within:
			t.Errorf("it waits for %v", wait)
		case wait < within/2:
			early++
		default:
			late++
		}
		v.room.Close()
	}
	if early == 0 || late == 0 {
		t.Errorf("%d come in the first half, %d in the second", early, late)
	}
}
