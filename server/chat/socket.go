package chat

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"parley/server/chat/wire"
	"parley/shared"
)

// refusal is why a connection is not upgraded.
type refusal struct {
	status int    // of HTTP
	code   string // that shared/lang has a sentence for, or ""
	detail string // a sentence for a person
	limit  string // the limit that was reached, as metrics name it, or ""
}

// roomFull is the refusal of a room that has all the members it may have, which was
// counted already.
func roomFull() *refusal {
	return &refusal{http.StatusServiceUnavailable, "room_full", shared.ReasonRoomFull, ""}
}

// serveSocket serves /ws/chat/{room} and /ws/chat/{room}/{name}. A GET that asks
// for no upgrade gets the problem that an upgrade would get, because a page
// learns nothing else about a WebSocket that was refused.
func (h *Hub) serveSocket(w http.ResponseWriter, r *http.Request) {
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	s := &session{core: &h.core, address: h.address(r), sock: wire.NewSock()}
	s.source, s.sock.Meter = h.source(s.address), s
	s.account.memory, s.account.source = h.memory, s.source
	room, name, no := h.readSocketPath(r)
	if offers := r.Header.Values("Sec-WebSocket-Protocol"); no == nil && len(offers) > 0 {
		s.dialect = parley
		if !offersParley(offers) {
			no = &refusal{status: http.StatusBadRequest,
				detail: "This server speaks the subprotocol " + shared.Protocol + ", or the tutorial's dialect without one."}
		}
	}
	if no == nil {
		s.source.meter.charge(costConnection)
		no = h.takePlace(s, room, upgrade)
	}
	if no == nil && s.dialect == tutorial && upgrade {
		// Before the upgrade is answered, as in the tutorial: whoever is connected
		// is in the room.
		no = s.joinTutorial(name, skipOwn(r, name.Key != ""))
	}
	if no == nil && !upgrade {
		no = h.mayJoin(room, r)
	}
	if no == nil && !upgrade {
		w.Header().Set("Upgrade", "websocket")
		no = &refusal{status: http.StatusUpgradeRequired, detail: "This path takes WebSocket connections only."}
	}
	if no != nil {
		h.end(s)
		if no.limit != "" && upgrade {
			h.metrics.limit(no.limit)
		}
		refuse(w, no.status, no.code, no.detail)
		return
	}
	s.named = name.Key != ""
	conn, err := websocket.Accept(&wire.Hijacker{ResponseWriter: w, Sock: s.sock}, r, &websocket.AcceptOptions{
		Subprotocols:       []string{shared.Protocol},
		InsecureSkipVerify: true, // guard has
		OnPingReceived:     func(_ context.Context, payload []byte) bool { s.pong(payload); return false },
		OnPongReceived:     func(context.Context, []byte) { s.ponged() },
	})
	if err != nil { // Accept has answered
		h.end(s)
		return
	}
	s.conn = conn
	s.hear()
	h.admit(s)
	s.sock.OnPong = s.hear
	// Goes on in a fresh goroutine, since this one's stack has grown to 16 KB.
	if s.greet(name) {
		h.work.Go(func() { h.run(s) })
	} else {
		h.work.Go(func() { h.linger(s) })
	}
}

// readSocketPath returns the room and the name, which may be missing, of a
// socket's path.
func (h *Hub) readSocketPath(r *http.Request) (room, name shared.Name, no *refusal) {
	bad := func(code, detail string) (shared.Name, shared.Name, *refusal) {
		return room, name, &refusal{status: http.StatusBadRequest, code: code, detail: detail}
	}
	parts, err := segments(r, "/ws/chat/")
	if err != nil || len(parts) > 2 {
		return bad("", "The path is not /ws/chat/{room} or /ws/chat/{room}/{name}, percent-encoded.")
	}
	if room, err = shared.RoomName(parts[0]); err != nil {
		return bad("bad_room", err.Error())
	}
	if len(parts) == 2 {
		if name, err = h.personName(parts[1]); err != nil {
			return bad("", err.Error())
		}
	}
	return room, name, nil
}

// takePlace counts the session's connection and opens its room; end undoes both.
// Whoever asks for no upgrade opens none, because that reads the log.
func (h *Hub) takePlace(s *session, room shared.Name, upgrade bool) *refusal {
	unavailable := func(code, detail, limit string) *refusal {
		return &refusal{http.StatusServiceUnavailable, code, detail, limit}
	}
	if h.memory.full(s.source) {
		return unavailable("server_full", "The server has no memory for more people right now.", "memory")
	}
	switch err := h.reserve(s, upgrade); {
	case errors.Is(err, errTooMany):
		return &refusal{http.StatusTooManyRequests, "too_many", shared.ReasonCrowded, "address"}
	case errors.Is(err, errServerFull):
		return unavailable("server_full", saysFull, "connections")
	case err != nil:
		return unavailable("server_restart", "The server is stopping.", "")
	}
	s.reserved = true
	s.account.hold(heldBySession)
	enter := h.enter
	if !upgrade {
		enter = h.mayEnter
	}
	r, err := enter(room, s.source)
	switch {
	case errors.Is(err, errRooms):
		return unavailable("server_full", "Too many rooms are open. Try again later.", "") // enter has counted it
	case err != nil:
		return unavailable("unavailable", "The server can't read its log right now.", "")
	}
	s.room = r
	return nil
}

// mayJoin returns the refusal that an upgrade would get from a room. Parley's page,
// which names its origin, asks for a passphrase; other GETs are the tutorial's.
func (h *Hub) mayJoin(name shared.Name, r *http.Request) *refusal {
	h.mu.Lock()
	room := h.rooms[name.Key]
	h.mu.Unlock()
	if room != nil && room.size.Load() >= int64(h.cfg.MaxMembers) {
		return roomFull()
	}
	if r.Header.Get("Page-Origin") != "" || r.Header.Get("Sec-WebSocket-Protocol") != "" {
		return nil
	}
	switch lock, err := h.cfg.Registry.Lock(r.Context(), name.Key); {
	case err != nil:
		return &refusal{http.StatusServiceUnavailable, "unavailable", "The server can't read its log right now.", ""}
	case lock.locks():
		return &refusal{http.StatusForbidden, "", saysTutorial, ""}
	}
	return h.doorOf(r.Context(), name)
}

func offersParley(offers []string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(offers, ","), ","), func(o string) bool {
		return strings.TrimSpace(o) == shared.Protocol
	})
}

// skipOwn reports whether a client draws its own messages itself: the seed's
// Flutter client does, on its named path. ?echo=0 and ?echo=1 say it outright.
func skipOwn(r *http.Request, named bool) bool {
	switch r.URL.Query().Get("echo") {
	case "0":
		return true
	case "1":
		return false
	}
	return named && strings.HasPrefix(r.UserAgent(), "Dart/")
}
