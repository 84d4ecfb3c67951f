package chat

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"parley/shared"
)

// Routes adds the sockets, the API and the probes to a router.
func (h *Hub) Routes(r chi.Router) {
	r.Use(h.metered, h.guard)
	r.Group(func(r chi.Router) {
		if h.cfg.MaxUpgrades > 0 {
			r.Use(httprate.LimitBy(h.cfg.MaxUpgrades, time.Second,
				func(r *http.Request) (string, error) { return sourceOf(h.address(r)), nil },
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
	r.Group(func(r chi.Router) {
		r.Use(h.withToken)
		h.operatorRoutes(r)
	})
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

func writeJSON(w http.ResponseWriter, v any) { writeJSONStatus(w, http.StatusOK, v) }

func writeJSONStatus(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (h *Hub) serveServer(w http.ResponseWriter, r *http.Request) {
	rooms := h.Rooms()
	meterOf(r).charge(time.Duration(len(rooms)) * costRow)
	writeJSON(w, struct {
		shared.Server
		ID       string        `json:"id,omitempty"`
		Protocol string        `json:"protocol"`
		People   int           `json:"people"`
		Rooms    int           `json:"rooms"`
		Who      []string      `json:"who,omitempty"`
		Limits   shared.Limits `json:"limits"`
	}{shared.Server{Name: h.cfg.Name, Version: h.cfg.Version}, h.cfg.ID, shared.Protocol, h.online.count(h), len(rooms), h.someWho(5), h.cfg.limits()})
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
	meterOf(r).charge(time.Duration(len(rooms)) * costRow)
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
	err := h.prove(r.Context(), room.Key)
	var lock Lock
	if err == nil {
		lock, err = h.cfg.Registry.Lock(r.Context(), room.Key)
	}
	if err != nil {
		h.cfg.Logger.Error("lock not read", "error", err)
		Problem(w, http.StatusServiceUnavailable, "The server can't read its log right now.")
		return
	}
	if lock.locks() {
		Problem(w, http.StatusForbidden, saysNoHistory)
		return
	}
	if no := h.doorOf(r.Context(), room); no != nil {
		Problem(w, no.status, no.detail)
		return
	}
	before, err := queryNumber(r, "before", shared.MaxAsked)
	if err == nil {
		var limit int64
		if limit, err = queryNumber(r, "limit", shared.MaxHistory); err == nil {
			var answer []byte
			if answer, err = h.history(r.Context(), reader{meter: meterOf(r), room: room.Key}, before, int(cmp.Or(limit, defaultHistory))); err != nil {
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

func (h *Hub) serveReady(w http.ResponseWriter, _ *http.Request) {
	if h.draining.Load() {
		Problem(w, http.StatusServiceUnavailable, "The server is stopping.")
		return
	}
	if err := h.readiness.look(h.cfg.Log, h.cfg.Logger); err != nil {
		Problem(w, http.StatusServiceUnavailable, "The log can't be written.")
		return
	}
	w.Write([]byte("ok\n"))
}

// readiness is whether the log takes entries, as it was found a moment ago. Finding
// out writes to the disk, which must not be anybody's to do as often as they like.
type readiness struct {
	mu     sync.Mutex
	looked time.Time
	err    error
}

const readinessEvery = time.Second

func (r *readiness) look(log Log, logger *slog.Logger) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.looked) >= readinessEvery {
		if r.err = log.Ready(background); r.err != nil {
			logger.Warn("not ready", "error", r.err)
		}
		r.looked = time.Now()
	}
	return r.err
}
