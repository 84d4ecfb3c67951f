package chat_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

// raise asks for a WebSocket and returns the answer's status and problem.
func (s *server) raise(path string, header ...string) (status int, detail string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.http.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var problem struct{ Detail string }
	if resp.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			s.t.Fatal(err)
		}
	}
	return resp.StatusCode, problem.Detail
}

var upgrade = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg=="}

// Whatever stops a connection on its way in, it leaves nothing behind.
func TestRefusedSocketsTakeNoPlace(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxMembers = 1 })
	locker, _ := s.join("locked", shared.Message{Type: shared.TypeHello, User: "Ann", Device: newDevice(), Key: "correct horse"})
	defer locker.leave()
	ann := newDevice()
	full, _ := s.join("full", hello("Ann", ann))
	defer full.leave()
	broken := append([]string{}, upgrade...)
	broken[5] = "12"
	for name, c := range map[string]struct {
		path   string
		header []string
		status int
	}{
		"no upgrade":                {"/ws/chat/a", nil, http.StatusUpgradeRequired},
		"unknown subprotocol":       {"/ws/chat/b", append([]string{"Sec-WebSocket-Protocol", "irc"}, upgrade...), http.StatusBadRequest},
		"broken upgrade":            {"/ws/chat/c", append([]string{"Sec-WebSocket-Protocol", shared.Protocol}, broken...), http.StatusBadRequest},
		"broken tutorial upgrade":   {"/ws/chat/d/Bob", broken, http.StatusBadRequest},
		"locked room":               {"/ws/chat/locked/Bob", upgrade, http.StatusForbidden},
		"full room":                 {"/ws/chat/full/Bob", upgrade, http.StatusServiceUnavailable},
		"bad name":                  {"/ws/chat/e/%2F", upgrade, http.StatusBadRequest},
		"bad path":                  {"/ws/chat/e/f/g", upgrade, http.StatusBadRequest},
		"bad name without upgrade":  {"/ws/chat/e/%2F", nil, http.StatusBadRequest},
		"hello refused, to the end": {"", nil, 0},
	} {
		if c.path == "" {
			client := s.raw("g")
			client.sendRaw(`{"type":"typing"}`)
			client.closed()
			client.conn.CloseNow()
		} else if status, _ := s.raise(c.path, c.header...); status != c.status {
			t.Errorf("%s: got %d, not %d", name, status, c.status)
		}
	}
	s.until("only the two who are in have a place", func() bool {
		rooms, connections := s.hub.Places()
		return rooms == 2 && connections == 2
	})
	full.leave()
	s.until("Ann has left", func() bool { rooms, _ := s.hub.Places(); return rooms == 1 })
	// Nobody is left behind in the room either.
	back, welcome := s.join("full", hello("Ann", ann))
	defer back.leave()
	if welcome.User != "Ann" || welcome.Count != 1 {
		t.Errorf("%s comes back as one of %d", welcome.User, welcome.Count)
	}
}

// A GET without an upgrade gets the problem that the upgrade gets.
func TestRefusalIsToldOverHTTP(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxPerAddress, c.MaxRooms = 2, 1 })
	one, _ := s.join("one", hello("Ann", newDevice()))
	defer one.leave()
	protocol := []string{"Sec-WebSocket-Protocol", shared.Protocol}
	same := func(what, path string, want int) {
		t.Helper()
		raised, sentence := s.raise(path, append(protocol, upgrade...)...)
		asked, told := s.raise(path)
		if raised != want || asked != want || sentence == "" || told != sentence {
			t.Errorf("%s: the upgrade got %d %q, the question %d %q", what, raised, sentence, asked, told)
		}
	}
	same("too many rooms", "/ws/chat/two", http.StatusServiceUnavailable)
	same("bad room", "/ws/chat/%2E", http.StatusBadRequest)
	two, _ := s.join("one", hello("Bob", newDevice()))
	defer two.leave()
	protocol = nil // the others may knock
	same("too many connections", "/ws/chat/one", http.StatusTooManyRequests)
}
