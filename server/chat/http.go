package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"golang.org/x/time/rate"

	"parley/server/chat/wire"
	"parley/shared"
)

// Routes adds the sockets, the API and the probes to a router.
func (h *Hub) Routes(r chi.Router) {
	r.Use(h.guard)
	r.Group(func(r chi.Router) {
		if h.cfg.MaxUpgrades > 0 {
			r.Use(httprate.LimitBy(h.cfg.MaxUpgrades, time.Second,
				func(r *http.Request) (string, error) { return h.address(r), nil },
				httprate.WithLimitHandler(func(w http.ResponseWriter, _ *http.Request) {
					h.metrics.limit("upgrades")
					refuse(w, http.StatusTooManyRequests, "too_many", "Too many connections in one second from this address.")
				})))
		}
		r.Get("/ws/chat/*", h.serveSocket)
	})
	r.Get("/api/server", h.serveServer)
	r.Get("/api/rooms", h.serveRooms)
	r.Get("/api/rooms/*", h.serveMessages)
	r.Post("/api/rooms/*", h.servePost)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	r.Get("/readyz", h.serveReady)
	r.Get("/metrics", h.hostOrToken(h.metrics.handler()))
	if h.cfg.Profiles {
		r.HandleFunc("/debug/pprof/*", h.profiles)
	}
}

// segments splits the escaped path behind prefix and unescapes each part once,
// so that an escaped slash does not split. A slash at the end is dropped.
func segments(r *http.Request, prefix string) ([]string, error) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), prefix), "/")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// serveSocket serves /ws/chat/{room} and /ws/chat/{room}/{name}.
func (h *Hub) serveSocket(w http.ResponseWriter, r *http.Request) {
	parts, err := segments(r, "/ws/chat/")
	if err != nil || len(parts) > 2 {
		Problem(w, http.StatusBadRequest, "The path is not /ws/chat/{room} or /ws/chat/{room}/{name}, percent-encoded.")
		return
	}
	room, err := shared.RoomName(parts[0])
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_room", err.Error())
		return
	}
	var name shared.Name
	if len(parts) == 2 {
		if name, err = h.personName(parts[1]); err != nil {
			Problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	s := &session{hub: h, address: h.address(r), named: name.Key != "", sock: wire.NewSock()}
	if offers := r.Header.Values("Sec-WebSocket-Protocol"); len(offers) > 0 {
		if !offersParley(offers) {
			Problem(w, http.StatusBadRequest, "This server speaks the subprotocol "+shared.Protocol+", or the tutorial's dialect without one.")
			return
		}
		s.dialect = parley
	}
	if h.memory.full() {
		h.metrics.limit("memory")
		refuse(w, http.StatusServiceUnavailable, "server_full", "The server has no memory for more people right now.")
		return
	}
	switch err := h.reserve(s.address); {
	case errors.Is(err, errTooMany):
		h.metrics.limit("connections")
		refuse(w, http.StatusTooManyRequests, "too_many", "Too many connections from this address.")
		return
	case errors.Is(err, errServerFull):
		h.metrics.limit("connections")
		refuse(w, http.StatusServiceUnavailable, "server_full", "The server is full.")
		return
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "server_restart", "The server is stopping.")
		return
	}
	abandon := func(status int, code, detail string) {
		h.release(s.address)
		if detail != "" {
			refuse(w, status, code, detail)
		}
	}
	switch s.room, err = h.enter(room); {
	case errors.Is(err, errRooms):
		abandon(http.StatusServiceUnavailable, "server_full", saysRooms)
		return
	case err != nil:
		abandon(http.StatusServiceUnavailable, "unavailable", "The server can't read its log right now.")
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		// A page asks so why its upgrade was refused, which browsers do not tell.
		h.leave(s.room)
		w.Header().Set("Upgrade", "websocket")
		abandon(http.StatusUpgradeRequired, "", "This path takes WebSocket connections only.")
		return
	}
	if s.dialect == tutorial {
		// Before the upgrade is answered, as in the tutorial: whoever is connected
		// is in the room.
		if status, detail := s.joinTutorial(name, skipOwn(r, s.named)); detail != "" {
			h.leave(s.room)
			abandon(status, "", detail)
			return
		}
	}
	s.conn, err = websocket.Accept(&wire.Hijacker{ResponseWriter: w, Sock: s.sock}, r, &websocket.AcceptOptions{
		Subprotocols:       []string{shared.Protocol},
		InsecureSkipVerify: true, // guard has
		OnPingReceived:     func(_ context.Context, payload []byte) bool { s.pong(payload); return false },
		OnPongReceived:     func(context.Context, []byte) { s.hear() },
	})
	if err != nil { // Accept has answered
		if s.member != nil {
			s.depart()
		}
		h.leave(s.room)
		abandon(0, "", "")
		return
	}
	s.messages = h.newLimiter()
	h.admit(s)
	s.sock.OnPong = s.hear
	// Goes on in a fresh goroutine, since this one's stack has grown to 16 KB.
	if s.greet(name) {
		h.work.Go(s.run)
	} else {
		h.work.Go(s.linger)
	}
}

const saysRooms = "So many rooms are in use that the server opens no other one now."

// personName is shared.PersonName under this server's own limit.
func (h *Hub) personName(s string) (shared.Name, error) {
	name, err := shared.PersonName(s)
	if err == nil && utf8.RuneCountInString(name.Text) > h.cfg.MaxName {
		err = &shared.NameError{Reason: fmt.Sprintf("The name is over %d characters.", h.cfg.MaxName)}
	}
	if err != nil {
		h.metrics.limit("name")
	}
	return name, err
}

func (h *Hub) newLimiter() *rate.Limiter {
	if h.cfg.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, h.cfg.Burst)
	}
	return rate.NewLimiter(rate.Limit(h.cfg.Rate), h.cfg.Burst)
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

func writeJSON(w http.ResponseWriter, v any) { writeJSONStatus(w, http.StatusOK, v) }

func writeJSONStatus(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (h *Hub) serveServer(w http.ResponseWriter, _ *http.Request) {
	rooms := h.Rooms()
	people := 0
	for _, room := range rooms {
		people += room.Count
	}
	writeJSON(w, struct {
		shared.Server
		Protocol string        `json:"protocol"`
		People   int           `json:"people"`
		Rooms    int           `json:"rooms"`
		Limits   shared.Limits `json:"limits"`
	}{shared.Server{Name: h.cfg.Name, Version: h.cfg.Version}, shared.Protocol, people, len(rooms), h.cfg.limits()})
}

// serveRooms serves /api/rooms: the rooms with people in them, the liveliest
// first, then up to 50 in which something was said and nobody is now. Hidden
// rooms are in neither; of a locked one nothing that was said is told.
func (h *Hub) serveRooms(w http.ResponseWriter, r *http.Request) {
	type room struct {
		Name  string `json:"name"`
		Count int    `json:"count"`                   // people in it; 0 in the second part
		Last  string `json:"last_activity,omitempty"` // when the newest message was sent
		Lock  bool   `json:"locked,omitempty"`
	}
	rooms, err := h.AllRooms(r.Context())
	if err != nil && r.Context().Err() == nil {
		h.cfg.Logger.Error("rooms not read", "error", err)
	}
	list := []room{}
	for _, info := range rooms {
		entry := room{Name: info.Name, Count: info.Count, Lock: info.Locked}
		if !info.Last.IsZero() {
			entry.Last = info.Last.UTC().Format(shared.TimeFormat)
		}
		list = append(list, entry)
	}
	writeJSON(w, struct {
		Rooms []room `json:"rooms"`
	}{list})
}

// serveMessages serves /api/rooms/{room}/messages.
func (h *Hub) serveMessages(w http.ResponseWriter, r *http.Request) {
	room, ok := apiRoom(w, r)
	if !ok {
		return
	}
	if lock, err := h.cfg.Registry.Lock(r.Context(), room.Key); err != nil {
		h.cfg.Logger.Error("lock not read", "error", err)
		Problem(w, http.StatusServiceUnavailable, "The server can't read its log right now.")
		return
	} else if lock.locks() {
		Problem(w, http.StatusForbidden, saysNoHistory)
		return
	}
	before, err := queryNumber(r, "before", shared.MaxOffset)
	if err == nil {
		var limit int64
		if limit, err = queryNumber(r, "limit", shared.MaxHistory); err == nil {
			var answer []byte
			if answer, err = h.history(r.Context(), room.Key, before, int(limit)); err != nil {
				h.cfg.Logger.Error("history not read", "error", err)
				Problem(w, http.StatusServiceUnavailable, "The server can't read its log right now.")
				return
			}
			writeJSON(w, json.RawMessage(answer))
			return
		}
	}
	Problem(w, http.StatusBadRequest, err.Error())
}

// apiRoom reads the room of /api/rooms/{room}/messages, or answers why there is none.
func apiRoom(w http.ResponseWriter, r *http.Request) (room shared.Name, ok bool) {
	parts, err := segments(r, "/api/rooms/")
	if err != nil || len(parts) != 2 || parts[1] != "messages" {
		Problem(w, http.StatusNotFound, "There is nothing at this path; a room's messages are at /api/rooms/{room}/messages.")
		return room, false
	}
	if room, err = shared.RoomName(parts[0]); err != nil {
		Problem(w, http.StatusBadRequest, err.Error())
		return room, false
	}
	return room, true
}

// readLimited reads a request's body, up to limit bytes.
func readLimited(r *http.Request, limit int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err == nil && len(body) > limit {
		err = errors.New("the body is too long")
	}
	return body, err
}

func queryNumber(r *http.Request, name string, limit int64) (int64, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > limit {
		return 0, errors.New("The parameter " + name + " is not a whole number from 1 to " + strconv.FormatInt(limit, 10) + ".")
	}
	return n, nil
}

// history returns a history frame's payload: the newest entries before an
// offset, cut at the older end to what one frame may hold.
func (h *Hub) history(ctx context.Context, room string, before int64, limit int) ([]byte, error) {
	if limit == 0 {
		limit = defaultHistory
	}
	entries, err := h.cfg.Log.History(ctx, room, before, limit+1)
	if err != nil {
		return nil, err
	}
	answer := shared.Message{Type: shared.TypeHistory, More: len(entries) > limit}
	if answer.More {
		answer.After = entries[0].Offset
		entries = entries[1:]
	}
	size := 100 // for the frame around them
	for i := len(entries) - 1; i >= 0; i-- {
		m := message(entries[i], shared.By(room, entries[i].Device))
		if size += len(shared.Encode(m)) + 1; size > shared.MaxServerFrame {
			answer.More, answer.After = true, entries[i].Offset
			break
		}
		answer.Messages = append(answer.Messages, m)
	}
	slices.Reverse(answer.Messages)
	return shared.Encode(answer), nil
}

func (h *Hub) serveReady(w http.ResponseWriter, r *http.Request) {
	if err := h.cfg.Log.Ready(r.Context()); err != nil {
		h.cfg.Logger.Warn("not ready", "error", err)
		Problem(w, http.StatusServiceUnavailable, "The log can't be written.")
		return
	}
	w.Write([]byte("ok\n"))
}
