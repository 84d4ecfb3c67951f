package chat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"golang.org/x/time/rate"

	"parley/shared"
)

// upgradesPerSecond is how many sockets one address may open in a second.
const upgradesPerSecond = 100

// Routes adds the sockets, the API and the probes to a router.
func (h *Hub) Routes(r chi.Router) {
	r.Use(h.guard)
	r.Group(func(r chi.Router) {
		if h.cfg.MaxPerAddress > 0 {
			r.Use(httprate.LimitBy(upgradesPerSecond, time.Second,
				func(r *http.Request) (string, error) { return h.address(r), nil },
				httprate.WithLimitHandler(func(w http.ResponseWriter, _ *http.Request) {
					Problem(w, http.StatusTooManyRequests, "Too many connections in one second from this address.")
				})))
		}
		r.Get("/ws/chat/*", h.serveSocket)
	})
	r.Get("/api/server", h.serveServer)
	r.Get("/api/rooms", h.serveRooms)
	r.Get("/api/rooms/*", h.serveMessages)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	r.Get("/readyz", h.serveReady)
	r.Method(http.MethodGet, "/metrics", h.metrics.handler())
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
		Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	var name shared.Name
	if len(parts) == 2 {
		if name, err = shared.PersonName(parts[1]); err != nil {
			Problem(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		Problem(w, http.StatusUpgradeRequired, "This path takes WebSocket connections only.")
		return
	}
	s := &session{hub: h, address: h.address(r), named: name.Key != "", sock: newSock()}
	if offers := r.Header.Values("Sec-WebSocket-Protocol"); len(offers) > 0 {
		if !offersParley(offers) {
			Problem(w, http.StatusBadRequest, "This server speaks the subprotocol "+shared.Protocol+", or the tutorial's dialect without one.")
			return
		}
		s.dialect = parley
	}
	switch err := h.reserve(s.address); {
	case errors.Is(err, errTooMany):
		Problem(w, http.StatusTooManyRequests, "Too many connections from this address.")
		return
	case err != nil:
		Problem(w, http.StatusServiceUnavailable, "The server is stopping.")
		return
	}
	abandon := func(status int, detail string) {
		h.release(s.address)
		if detail != "" {
			Problem(w, status, detail)
		}
	}
	if s.room, err = h.enter(room); err != nil {
		abandon(http.StatusServiceUnavailable, "The server can't read its log right now.")
		return
	}
	if s.dialect == tutorial {
		// Before the upgrade is answered, as in the tutorial: whoever is connected
		// is in the room.
		if status, detail := s.joinTutorial(name, skipOwn(r, s.named)); detail != "" {
			h.leave(s.room)
			abandon(status, detail)
			return
		}
	}
	s.conn, err = websocket.Accept(&hijacker{ResponseWriter: w, sock: s.sock}, r, &websocket.AcceptOptions{
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
		abandon(0, "")
		return
	}
	s.messages = h.newLimiter()
	h.admit(s)
	s.sock.onPong = s.hear
	// Goes on in a fresh goroutine, since this one's stack has grown to 16 KB.
	if s.greet(name) {
		h.work.Go(s.run)
	} else {
		h.work.Go(s.linger)
	}
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

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
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

func (h *Hub) serveRooms(w http.ResponseWriter, _ *http.Request) {
	type room struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
		Last  string `json:"last_activity,omitempty"`
		Lock  bool   `json:"locked,omitempty"`
	}
	list := []room{}
	for _, info := range h.Rooms() {
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
	parts, err := segments(r, "/api/rooms/")
	if err != nil || len(parts) != 2 || parts[1] != "messages" {
		Problem(w, http.StatusNotFound, "There is nothing at this path; a room's messages are at /api/rooms/{room}/messages.")
		return
	}
	room, err := shared.RoomName(parts[0])
	if err != nil {
		Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if lock, err := h.cfg.Log.Lock(r.Context(), room.Key); err != nil {
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
		entries = entries[1:]
	}
	size := 100 // for the frame around them
	for i := len(entries) - 1; i >= 0; i-- {
		m := message(entries[i])
		if size += len(shared.Encode(m)) + 1; size > shared.MaxServerFrame {
			answer.More = true
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
