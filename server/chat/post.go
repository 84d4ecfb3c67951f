package chat

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"parley/server/chat/lookalike"
	"parley/shared"
)

// servePost serves POST /api/rooms/{room}/messages: a program with the token
// says something in a room. The body is a chat_message; its user is the name to
// speak under, "Bot" if there is none. Whoever repeats an Idempotency-Key learns
// where the message is and adds none.
func (h *Hub) servePost(w http.ResponseWriter, r *http.Request) {
	if h.cfg.Token == "" {
		Problem(w, http.StatusForbidden, "This server takes no messages over the API. Started with --api-token-file, it does.")
		return
	}
	if !h.bearer(r) {
		unauthorized(w, "Posting needs the header Authorization: Bearer and the token in the server's --api-token-file.")
		return
	}
	room, ok := apiRoom(w, r)
	if !ok {
		return
	}
	id, err := postID(r)
	if err != nil {
		Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if isForm(r) {
		h.serveForm(w, r, room, id)
		return
	}
	m, status, detail := h.readPost(r)
	if detail != "" {
		Problem(w, status, detail)
		return
	}
	m.ID = id
	if !h.mayPost(w) {
		return
	}
	by := h.source(h.address(r))
	defer h.sources.release(by.name)
	receipt, status, detail := h.post(room, by, m)
	answerPost(w, id, receipt, status, detail)
}

// mayPost reports whether the API's rate allows another message, or answers that it does
// not.
func (h *Hub) mayPost(w http.ResponseWriter) bool {
	if !h.posts.allow(time.Now()) {
		h.metrics.limit("rate")
		w.Header().Set("Retry-After", "1")
		Problem(w, http.StatusTooManyRequests, "You are sending too fast.")
		return false
	}
	return true
}

// postID returns the id of a POST's message: its Idempotency-Key, or a new one.
func postID(r *http.Request) (string, error) {
	id := strings.Trim(r.Header.Get("Idempotency-Key"), `"`)
	if id == "" {
		return ulid.Make().String(), nil
	}
	if shared.CheckID(id) != nil {
		return "", errors.New("The Idempotency-Key does not have 1 to 64 printable ASCII characters.") //nolint:staticcheck // for a person
	}
	return id, nil
}

// answerPost answers where the message is, or what is wrong.
func answerPost(w http.ResponseWriter, id string, receipt Receipt, status int, detail string) {
	if detail != "" {
		Problem(w, status, detail)
		return
	}
	status = http.StatusCreated
	if receipt.Duplicate {
		status = http.StatusOK
	}
	writeJSONStatus(w, status, struct {
		ID     string `json:"id"`
		Offset int64  `json:"offset"`
	}{id, receipt.Offset})
}

// readPost reads the message of a POST; what is wrong with it, otherwise.
func (h *Hub) readPost(r *http.Request) (m shared.Message, status int, detail string) {
	const unlike = `The body is not a message like {"message":"Hello","user":"Bot"}.`
	body, err := readLimited(r, h.cfg.MaxFrame)
	var frameErr *shared.FrameError
	switch {
	case err != nil:
		return m, http.StatusRequestEntityTooLarge, "The body is over " + strconv.Itoa(h.cfg.MaxFrame) + " bytes, or did not come whole."
	case len(body) == 0:
		return m, http.StatusBadRequest, unlike
	}
	if m, err = shared.Decode(body); errors.As(err, &frameErr) {
		if strings.HasPrefix(frameErr.Reason, "The frame ") || frameErr.Code == shared.CodeUnknownType {
			return m, http.StatusBadRequest, unlike // whoever posts knows no frames
		}
		return m, http.StatusBadRequest, frameErr.Reason
	}
	if n := utf8.RuneCountInString(m.Text); n > h.cfg.MaxText {
		h.metrics.limit("text")
		return m, http.StatusBadRequest, fmt.Sprintf("The message has %d characters, of at most %d.", n, h.cfg.MaxText)
	}
	if m.Type != shared.TypeChat {
		return m, http.StatusBadRequest, unlike
	}
	if m.Edits != 0 || m.Reply != 0 || m.File != nil {
		return m, http.StatusBadRequest, "Programs can only send new messages. A file comes in a form (multipart/form-data)."
	}
	return m, 0, ""
}

// post appends a message of the API's and waits for its receipt.
func (h *Hub) post(name shared.Name, by *source, m shared.Message) (receipt Receipt, status int, detail string) {
	if m.User == "" {
		m.User = "Bot"
	}
	user, err := h.personName(m.User)
	if err != nil {
		return receipt, http.StatusBadRequest, err.Error()
	}
	room, status, detail := h.enterPost(name, by)
	if detail != "" {
		return receipt, status, detail
	}
	defer h.leave(room)
	look := lookalike.Of(user.Text)
	claim := Claim{Room: name.Key, Name: user.Key, Device: APIDevice, Seen: h.cfg.Now(), Spoken: true}
	if !look.Mixed {
		claim.Look = look.Skeleton
	}
	const taken = "The name belongs to somebody else in this room: choose another user."
	if room.here(user.Key) {
		return receipt, http.StatusConflict, taken // and must not own what somebody else uses
	}
	room.mu.Lock()
	claim.Shy = room.alike(user, look) != nil
	room.mu.Unlock()
	standing, err := h.cfg.Registry.Claim(background, claim, h.cfg.nameRules())
	switch {
	case err != nil:
		return receipt, http.StatusServiceUnavailable, sayUnavailable(nil) + saysAgain
	case standing.Taken:
		return receipt, http.StatusConflict, taken
	case !room.begin():
		return receipt, http.StatusServiceUnavailable, saysEnded
	}
	room.mu.Lock()
	user, _ = room.shown(user, look, standing)
	room.mu.Unlock()
	h.metrics.messages.Inc()
	type result struct {
		Receipt
		error
	}
	done := make(chan result, 1)
	e := Entry{ID: m.ID, Device: APIDevice, User: user.Text, Text: m.Text, Time: h.cfg.Now()}
	if m.File != nil {
		e.Extra = &Extra{File: &File{ID: m.File.ID}}
	}
	h.cfg.Log.Append(background, room.name, e, func(r Receipt, err error) {
		defer room.appended()
		done <- result{r, err}
	})
	got := <-done
	if refusal := refusalOf(got.error); refusal != nil {
		return receipt, http.StatusForbidden, h.sayRule(refusal)
	}
	if got.error != nil {
		h.notStored(got.error)
		return receipt, http.StatusServiceUnavailable, sayUnavailable(got.error) + saysAgain
	}
	return got.Receipt, 0, ""
}

const (
	saysAgain = " Send it again with the same Idempotency-Key."
	saysEnded = "The server is stopping, or the room was deleted or renamed."
)

// enterPost returns the room that the API posts in, until leave.
func (h *Hub) enterPost(name shared.Name, by *source) (room *Room, status int, detail string) {
	room, err := h.enter(name, by)
	switch {
	case err == errRooms:
		return nil, http.StatusServiceUnavailable, "Too many rooms are open. Try again later."
	case err != nil:
		return nil, http.StatusServiceUnavailable, sayUnavailable(nil) + saysAgain
	case room.settledLock().locks():
		h.leave(room)
		return nil, http.StatusForbidden, saysNoPost
	}
	return room, 0, ""
}

// sayRule counts a refusal by one of a room's rules, and returns its sentence.
func (h *Hub) sayRule(refusal *Refusal) string {
	h.metrics.rule(refusal)
	return refusal.Reason
}
