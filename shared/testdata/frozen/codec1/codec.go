package codec1

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// FrameError is why Decode refused a frame. Code is what an error frame tells
// the sender, Reason a sentence for a person. Two FrameErrors of one Code match
// under errors.Is.
type FrameError struct {
	Code   ErrorCode
	Reason string
}

func (e *FrameError) Error() string { return string(e.Code) + ": " + e.Reason }

// Is matches any FrameError of the same Code.
func (e *FrameError) Is(target error) bool {
	var t *FrameError
	return errors.As(target, &t) && t.Code == e.Code
}

// What Decode returns, for errors.Is.
var (
	ErrBadFrame    = &FrameError{CodeBadFrame, "The frame is not valid."}
	ErrUnknownType = &FrameError{CodeUnknownType, "The frame has an unknown type."}
	ErrEmpty       = &FrameError{CodeEmpty, "The message is empty."}
	ErrTooLong     = &FrameError{CodeTooLong, "The message is too long."}
)

func badFrame(format string, args ...any) error {
	return &FrameError{CodeBadFrame, fmt.Sprintf(format, args...)}
}

// Decode reads one frame of either dialect; a frame with a message and no type
// is a chat_message, as the tutorial's page sends it. Fields that it does not
// know are ignored, a null is an absent field. A refused frame gives a
// *FrameError and whatever of Type and ID could be read, so that its sender
// can be told which message it was.
func Decode(data []byte) (Message, error) {
	if !utf8.Valid(data) {
		return Message{}, badFrame("The frame is not UTF-8.")
	}
	return decodeObject(data)
}

func decodeObject(data []byte) (m Message, err error) {
	// A map, since a struct would match names without regard to case and
	// accept what a JavaScript client does not see.
	var fields map[string]json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(data))
	if dec.Decode(&fields) != nil || fields == nil {
		return m, badFrame("The frame is not a JSON object.")
	}
	if _, err := dec.Token(); err != io.EOF {
		return m, badFrame("Something follows the frame's JSON object.")
	}
	o := object{fields: fields}
	m.ID = o.text("id", MaxID)
	switch m.Type = Type(o.text("type", 32)); m.Type {
	case "":
		if _, ok := fields["message"]; !ok && o.err == nil {
			return m, badFrame("The frame has no type.")
		}
		m.Type = TypeChat
		fallthrough
	case TypeChat:
		m.Text = o.text("message", MaxText)
		m.User = o.text("user", 0)
		m.Time = o.time("time")
		m.Offset = o.number("offset", MaxOffset)
		if o.err == nil && Blank(m.Text) {
			o.err = ErrEmpty
		}
	case TypeHello:
		m.User = o.text("user", 0)
		m.Device = o.text("device", MaxDevice)
		m.Key = o.text("key", MaxKey)
		m.Epoch = o.text("epoch", MaxID)
		m.After = o.number("after", MaxOffset)
	case TypeWelcome:
		m.Room = o.text("room", 0)
		m.User = o.text("user", 0)
		m.Epoch = o.text("epoch", MaxID)
		m.Offset = o.number("offset", MaxOffset)
		m.Count = int(o.number("count", MaxOffset))
		o.into("resumed", &m.Resumed)
		o.into("members", &m.Members)
		o.into("limits", &m.Limits)
		o.into("server", &m.Server)
	case TypeAck:
		m.Offset = o.number("offset", MaxOffset)
	case TypeTyping:
		m.User = o.text("user", 0)
	case TypePresence:
		m.Event = Event(o.text("event", 0))
		m.Count = int(o.number("count", MaxOffset))
		o.into("users", &m.Users)
		if o.err == nil && m.Event != Join && m.Event != Leave {
			o.err = badFrame("A presence frame tells neither join nor leave.")
		}
	case TypeHistory:
		m.Before = o.number("before", MaxOffset)
		m.Limit = int(o.number("limit", MaxHistory))
		m.More, m.Messages = o.history()
	case TypeError:
		m.Code = ErrorCode(o.text("code", 0))
		m.Text = o.text("message", 0)
		m.User = o.text("user", 0)
		m.RetryMS = int(o.number("retry_ms", MaxOffset))
	default:
		o.fail(&FrameError{CodeUnknownType, fmt.Sprintf("This version knows no frame of type %q.", m.Type)})
	}
	return m, o.err
}

// object reads the fields of one JSON object and keeps the first error.
type object struct {
	fields map[string]json.RawMessage
	err    error
}

func (o *object) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

func (o *object) into(name string, v any) {
	if raw, ok := o.fields[name]; ok && json.Unmarshal(raw, v) != nil {
		o.fail(badFrame("The field %q is not of its kind.", name))
	}
}

// text reads a string of at most limit code points; 0 is no limit of its own.
func (o *object) text(name string, limit int) (s string) {
	o.into(name, &s)
	if limit > 0 && len(s) > limit && utf8.RuneCountInString(s) > limit {
		o.fail(&FrameError{CodeTooLong, fmt.Sprintf("The field %q is over %d characters.", name, limit)})
		return ""
	}
	return s
}

// number reads a whole number from 0 to limit.
func (o *object) number(name string, limit int64) int64 {
	var f float64
	o.into(name, &f)
	if n := int64(f); f >= 0 && f <= float64(limit) && float64(n) == f {
		return n
	}
	o.fail(badFrame("The field %q is not a whole number from 0 to %d.", name, limit))
	return 0
}

func (o *object) time(name string) (t time.Time) {
	s := o.text(name, 0)
	if s == "" {
		return t
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		o.fail(badFrame("The field %q is not a time as in RFC 3339.", name))
	}
	return t.UTC()
}

func (o *object) history() (more bool, messages []Message) {
	o.into("more", &more)
	var raw []json.RawMessage
	o.into("messages", &raw)
	if len(raw) > MaxHistory {
		o.fail(badFrame("A history frame holds over %d messages.", MaxHistory))
		return false, nil
	}
	for _, r := range raw {
		m, err := decodeObject(r)
		if err == nil && m.Type != TypeChat {
			err = badFrame("A history frame holds a frame of type %q.", m.Type)
		}
		if err != nil {
			o.fail(err)
			return false, nil
		}
		messages = append(messages, m)
	}
	return more, messages
}

// Encode writes a frame with the fields of its Type. It does not check limits:
// what it writes was checked when it came in.
// Fields whose zero value means something are always there. It panics on a
// Message of no known Type.
func Encode(m Message) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a frame is no HTML, and < is shorter than \u003c
	if err := enc.Encode(fieldsOf(m)); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// MarshalJSON makes a Message inside other JSON look as Encode writes it.
func (m Message) MarshalJSON() ([]byte, error) { return Encode(m), nil }

func fieldsOf(m Message) (v any) {
	switch m.Type {
	case TypeChat:
		v = chatJSON{m.Type, m.ID, m.Offset, m.User, m.Text, formatTime(m.Time)}
	case TypeHello:
		v = struct {
			Type   Type   `json:"type"`
			User   string `json:"user"`
			Device string `json:"device"`
			Epoch  string `json:"epoch,omitempty"`
			After  int64  `json:"after,omitempty"`
			Key    string `json:"key,omitempty"`
		}{m.Type, m.User, m.Device, m.Epoch, m.After, m.Key}
	case TypeWelcome:
		v = struct {
			Type    Type     `json:"type"`
			Room    string   `json:"room"`
			User    string   `json:"user"`
			Epoch   string   `json:"epoch"`
			Offset  int64    `json:"offset"`
			Resumed bool     `json:"resumed"`
			Members []string `json:"members"`
			Count   int      `json:"count"`
			Limits  Limits   `json:"limits"`
			Server  Server   `json:"server"`
		}{m.Type, m.Room, m.User, m.Epoch, m.Offset, m.Resumed, orEmpty(m.Members), m.Count, m.Limits, m.Server}
	case TypeAck:
		v = struct {
			Type   Type   `json:"type"`
			ID     string `json:"id"`
			Offset int64  `json:"offset"`
		}{m.Type, m.ID, m.Offset}
	case TypeTyping:
		v = struct {
			Type Type   `json:"type"`
			User string `json:"user,omitempty"`
		}{m.Type, m.User}
	case TypePresence:
		v = struct {
			Type  Type     `json:"type"`
			Event Event    `json:"event"`
			Users []string `json:"users"`
			Count int      `json:"count"`
		}{m.Type, m.Event, orEmpty(m.Users), m.Count}
	case TypeHistory:
		if m.Limit > 0 { // the question
			v = struct {
				Type   Type  `json:"type"`
				Before int64 `json:"before,omitempty"`
				Limit  int   `json:"limit"`
			}{m.Type, m.Before, m.Limit}
			break
		}
		v = struct {
			Type     Type      `json:"type"`
			Messages []Message `json:"messages"`
			More     bool      `json:"more"`
		}{m.Type, orEmpty(m.Messages), m.More}
	case TypeError:
		v = struct {
			Type    Type      `json:"type"`
			Code    ErrorCode `json:"code"`
			Text    string    `json:"message"`
			User    string    `json:"user"`
			ID      string    `json:"id,omitempty"`
			RetryMS int       `json:"retry_ms,omitempty"`
		}{m.Type, m.Code, m.Text, m.User, m.ID, m.RetryMS}
	default:
		panic(fmt.Sprintf("no frame of type %q", m.Type))
	}
	return v
}

type chatJSON struct {
	Type   Type   `json:"type"`
	ID     string `json:"id,omitempty"`
	Offset int64  `json:"offset,omitempty"`
	User   string `json:"user,omitempty"`
	Text   string `json:"message"`
	Time   string `json:"time,omitempty"`
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
