package shared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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

// maxType is how long a type may be, in code points.
const maxType = 32

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
	// By exact names: encoding/json matches those of a struct without regard to
	// case, and so accepts what a JavaScript client does not see.
	fields, ok := splitObject(data)
	if !ok {
		return Message{}, badFrame("The frame is not one JSON object.")
	}
	return decodeFields(fields)
}

func decodeFields(fields []field) (m Message, err error) {
	o := object{fields: fields}
	m.ID = o.text("id", MaxID)
	switch m.Type = Type(o.text("type", maxType)); m.Type {
	case "":
		if o.raw("message") == nil && o.err == nil {
			return m, badFrame("The frame has no type.")
		}
		m.Type = TypeChat
		fallthrough
	case TypeChat:
		m.Text = o.text("message", MaxText)
		m.User = o.text("user", MaxShown)
		m.By = o.text("by", MaxID)
		m.Time = o.time("time")
		m.Offset = o.number("offset", MaxOffset)
		if !o.plain() {
			o.state(&m)
		}
		if o.err == nil && m.File == nil && Blank(m.Text) {
			o.err = ErrEmpty
		}
	case TypeDelete:
		o.entry(&m)
		m.Targets = o.offsets("targets")
	case TypeReact:
		o.entry(&m)
		m.Emoji = o.text("emoji", MaxID)
		m.Counts = o.counts("counts")
		if o.err == nil && !o.has("emoji") {
			o.err = badFrame("The field %q is missing.", "emoji")
		}
	case TypeReactions:
		m.Target = o.number("target", MaxOffset)
		m.Reactors = o.reactors("users")
	case TypeSearch:
		m.Text = o.text("text", MaxSearch)
		m.Before = o.number("before", MaxAsked)
		m.More = o.flag("more")
		m.Messages, m.Skipped = o.frames("messages", TypeChat)
	case TypeHello:
		m.User = o.text("user", MaxShown)
		m.Device = o.text("device", MaxDevice)
		m.Key = o.text("key", MaxKey)
		listed := true
		o.into("listed", &listed)
		m.Hidden = !listed
		m.Host = o.flag("host")
		m.HostKey = o.text("host_key", MaxID)
		m.Epoch = o.text("epoch", MaxID)
		m.After = o.number("after", MaxAsked)
		m.Can = o.texts("can", MaxID)
	case TypeWelcome:
		m.Room = o.text("room", MaxShown)
		m.Like = o.text("like", MaxShown)
		m.User = o.text("user", MaxShown)
		m.By = o.text("by", MaxID)
		m.Can = o.texts("can", MaxID)
		m.Epoch = o.text("epoch", MaxID)
		m.Offset = o.number("offset", MaxOffset)
		m.Count = int(o.number("count", MaxCount))
		m.Resumed = read[bool](&o, "resumed")
		m.Members = o.texts("members", MaxShown)
		m.Limits = read[Limits](&o, "limits")
		m.Server = read[Server](&o, "server")
		m.Host = o.flag("host")
		m.Silenced = o.text("silenced", MaxShown)
		m.Settings = o.settings("settings", false)
		m.Pinned = o.number("pinned", MaxOffset)
		o.check(m.Limits, m.Server)
	case TypeAck:
		m.Offset = o.number("offset", MaxOffset)
	case TypeTyping:
		m.User = o.text("user", MaxShown)
	case TypePresence:
		m.Event = Event(o.text("event", MaxID))
		m.Count = int(o.number("count", MaxCount))
		m.Users = o.texts("users", MaxShown)
		if o.err == nil && m.Event != Join && m.Event != Leave {
			o.err = badFrame("A presence frame tells neither join nor leave.")
		}
	case TypeHistory:
		m.Before = o.number("before", MaxAsked)
		m.Limit = int(o.number("limit", MaxHistory))
		m.After = o.number("after", MaxOffset)
		m.Changed = o.number("changed", MaxAsked)
		m.More = o.flag("more")
		m.Messages, m.Skipped = o.frames("messages", TypeChat)
	case TypeError:
		m.Code = ErrorCode(o.text("code", MaxID))
		m.Text = o.text("message", MaxSentence)
		m.User = o.text("user", MaxShown)
		m.RetryMS = int(o.number("retry_ms", MaxCount))
	case TypeNotice:
		m.Did = o.text("did", MaxID)
		m.By = o.text("by", MaxID)
		m.User = o.text("user", MaxShown)
		m.About = o.text("about", MaxShown)
		m.Whom = o.text("whom", MaxID)
		m.Offset = o.number("offset", MaxOffset)
		m.Time = o.time("time")
		m.Settings = o.settings("settings", false)
		m.Pinned = o.number("pinned", MaxOffset)
	case TypeHost:
		m.Do = o.text("do", MaxID)
		m.User = o.text("user", MaxShown)
		m.Whom = o.text("whom", MaxID)
		m.Target = o.number("target", MaxOffset)
		m.Of = o.text("of", MaxID)
		m.Settings = o.settings("settings", true)
	case TypeNotices, TypeRoles:
		m.Before = o.number("before", MaxAsked)
		m.Limit = int(o.number("limit", MaxHistory))
		m.More = o.flag("more")
		m.Notices, m.Skipped = o.frames("notices", TypeNotice)
	case TypeUpload:
		m.Name = o.text("name", MaxShown)
		m.Size = o.number("size", MaxFile)
		m.Width = int(o.number("width", MaxFileSide))
		m.Height = int(o.number("height", MaxFileSide))
		m.Key = o.text("key", MaxKey)
		m.At = o.number("at", MaxFile)
	case TypePing, TypePong:
	default:
		o.fail(&FrameError{CodeUnknownType, fmt.Sprintf("This version knows no frame of type %q.", m.Type)})
	}
	return m, o.err
}

// object reads the fields of one JSON object and keeps the first error.
type object struct {
	fields []field
	err    error
}

func (o *object) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// raw returns a field's value; nil if there is none. If a name is
// repeated, the last one counts.
func (o *object) raw(name string) []byte {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if string(o.fields[i].name) == name {
			return o.fields[i].value
		}
	}
	return nil
}

// has reports whether there is a field, and not a null.
func (o *object) has(name string) bool {
	raw := o.raw(name)
	return raw != nil && string(raw) != "null"
}

func (o *object) into(name string, v any) {
	if raw := o.raw(name); raw != nil && json.Unmarshal(raw, v) != nil {
		o.fail(badFrame("The field %q is not of its kind.", name))
	}
}

// read returns a field of any kind. The address of a Message's own field would
// move every Message that is decoded to the heap.
func read[T any](o *object, name string) (v T) {
	o.into(name, &v)
	return v
}

// text reads a string of at most limit code points.
func (o *object) text(name string, limit int) string {
	raw := o.raw(name)
	if raw == nil {
		return ""
	}
	var s string
	if raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		s = string(raw[1 : len(raw)-1])
	} else {
		var escaped string
		o.into(name, &escaped)
		s = escaped
	}
	if !o.fits(name, s, limit) {
		return ""
	}
	return s
}

// texts reads a list of at most MaxMembers strings, each of at most limit code points.
func (o *object) texts(name string, limit int) []string {
	list := read[[]string](o, name)
	if len(list) > MaxMembers {
		o.fail(badFrame("The field %q holds over %d texts.", name, MaxMembers))
		return nil
	}
	for _, s := range list {
		if !o.fits(name, s, limit) {
			return nil
		}
	}
	return list
}

// fits reports whether a field's text has at most limit code points, or fails.
func (o *object) fits(name, s string, limit int) bool {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return true
	}
	o.fail(&FrameError{CodeTooLong, fmt.Sprintf("The field %q is over %d characters.", name, limit)})
	return false
}

// plain reports whether a chat_message has no fields for state to read, as
// almost all have that a server reads.
func (o *object) plain() bool {
	for _, f := range o.fields {
		switch string(f.name) {
		case "type", "id", "message", "user", "by", "time", "offset":
		default:
			return false
		}
	}
	return true
}

// state reads what a chat_message has beyond its text: which message it
// corrects or answers, and what has become of it since.
func (o *object) state(m *Message) {
	m.Edits = o.number("edits", MaxOffset)
	m.Reply = o.number("reply", MaxOffset)
	m.Of = o.text("of", MaxID)
	m.Quote = o.quote("quote")
	m.Edited = o.flag("edited")
	m.Deleted = o.flag("deleted")
	m.Changed = o.number("changed", MaxOffset)
	m.Reactions = o.counts("reactions")
	m.Mine = o.text("mine", MaxID)
	m.File = o.file("file")
}

// entry reads what a delete and a react have in common.
func (o *object) entry(m *Message) {
	m.Offset = o.number("offset", MaxOffset)
	m.User = o.text("user", MaxShown)
	m.By = o.text("by", MaxID)
	m.Time = o.time("time")
	m.Target = o.number("target", MaxOffset)
	m.Of = o.text("of", MaxID)
}

func (o *object) flag(name string) bool { return o.raw(name) != nil && read[bool](o, name) }

// offsets reads a list of at most MaxTargets offsets.
func (o *object) offsets(name string) (list []int64) {
	raw := read[[]json.RawMessage](o, name)
	if len(raw) > MaxTargets {
		o.fail(badFrame("The field %q holds over %d numbers.", name, MaxTargets))
		return nil
	}
	for _, r := range raw {
		item := object{fields: []field{{[]byte(name), r}}}
		if list = append(list, item.number(name, MaxOffset)); item.err != nil {
			o.fail(item.err)
			return nil
		}
	}
	return list
}

// object reads a field that is an object; it has no fields if there is none.
func (o *object) object(name string) (inner object) {
	if !o.has(name) {
		return inner
	}
	var ok bool
	if inner.fields, ok = splitObject(o.raw(name)); !ok {
		o.fail(badFrame("The field %q is not of its kind.", name))
	}
	return inner
}

// counts reads how many reacted with each of the Emojis. Others are of a later
// version, and passed over.
func (o *object) counts(name string) (counts []Count) {
	inner := o.object(name)
	if inner.fields == nil {
		return nil
	}
	for _, e := range Emojis {
		if n := inner.number(e, MaxCount); n > 0 {
			counts = append(counts, Count{e, int(n)})
		}
	}
	if inner.err != nil {
		o.fail(inner.err)
		return nil
	}
	return counts
}

// reactors reads who reacted with each of the Emojis, as counts does.
func (o *object) reactors(name string) (reactors []Reactors) {
	inner := o.object(name)
	for _, e := range Emojis {
		if names := inner.texts(e, MaxShown); len(names) > 0 {
			reactors = append(reactors, Reactors{e, names})
		}
	}
	if inner.err != nil {
		o.fail(inner.err)
		return nil
	}
	return reactors
}

func (o *object) quote(name string) *Quote {
	inner := o.object(name)
	if inner.fields == nil {
		return nil
	}
	q := &Quote{inner.text("user", MaxShown), inner.text("text", MaxQuote)}
	if inner.err != nil {
		o.fail(inner.err)
		return nil
	}
	return q
}

// check checks what a welcome says of its server.
func (o *object) check(l Limits, s Server) {
	within := func(n float64) bool { return n >= 0 && n <= MaxCount }
	if !within(float64(l.Message)) || !within(l.Rate) || !within(float64(l.Burst)) || !within(float64(l.Resume)) ||
		l.File < 0 || l.File > MaxFile {
		o.fail(badFrame("The field %q has a number below 0 or too large.", "limits"))
	}
	_ = o.fits("server", s.Name, MaxShown) && o.fits("server", s.Version, MaxShown)
}

// number reads a whole number from 0 to limit.
func (o *object) number(name string, limit int64) int64 {
	if o.raw(name) == nil {
		return 0
	}
	var f float64
	o.into(name, &f)
	if n := int64(f); f >= 0 && f <= float64(limit) && float64(n) == f {
		return n
	}
	o.fail(badFrame("The field %q is not a whole number from 0 to %d.", name, limit))
	return 0
}

func (o *object) time(name string) (t time.Time) {
	s := o.text(name, MaxID)
	if s == "" {
		return t
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		o.fail(badFrame("The field %q is not a time as in RFC 3339.", name))
	}
	return t.UTC()
}

// frames reads those of an answer that are of a type. What is of another one is of a
// later version: it is passed over and counted. One that can't be read spoils the
// answer, since without it the others would look whole.
func (o *object) frames(name string, want Type) (frames []Message, skipped int) {
	var raw []json.RawMessage
	o.into(name, &raw)
	if len(raw) > MaxHistory {
		o.fail(badFrame("An answer holds over %d frames.", MaxHistory))
		return nil, 0
	}
	for _, r := range raw {
		fields, ok := splitObject(r)
		if !ok {
			o.fail(badFrame("An answer holds what is no frame."))
			return nil, 0
		}
		typ := object{fields: fields}
		if t := Type(typ.text("type", maxType)); typ.err == nil && t != want && (t != "" || want != TypeChat) {
			skipped++
			continue
		}
		m, err := decodeFields(fields)
		if err != nil {
			o.fail(err)
			return nil, 0
		}
		frames = append(frames, m)
	}
	return frames, skipped
}

// Encode writes a frame with the fields of its Type. It does not check limits:
// what it writes was checked when it came in. Fields whose zero value means
// something are always there. It panics on a Message of no known Type.
func Encode(m Message) []byte { return Append(nil, m) }

// Append appends what Encode writes.
func Append(b []byte, m Message) []byte {
	switch m.Type {
	case TypeChat, TypeDelete, TypeReact: // by hand, since a server writes little else
		return appendEntry(b, m)
	}
	return appendJSON(b, fieldsOf(m))
}

func appendEntry(b []byte, m Message) []byte {
	b = append(append(append(b, `{"type":"`...), m.Type...), '"')
	if m.ID != "" {
		b = appendString(append(b, `,"id":`...), m.ID)
	}
	if m.Offset != 0 {
		b = appendInt(append(b, `,"offset":`...), m.Offset)
	}
	if m.User != "" {
		b = appendString(append(b, `,"user":`...), m.User)
	}
	if m.By != "" {
		b = appendString(append(b, `,"by":`...), m.By)
	}
	switch m.Type {
	case TypeChat:
		b = appendString(append(b, `,"message":`...), m.Text)
	case TypeReact:
		b = appendString(append(b, `,"emoji":`...), m.Emoji)
	}
	if !m.Time.IsZero() {
		b = m.Time.UTC().AppendFormat(append(b, `,"time":"`...), TimeFormat)
		b = append(b, '"')
	}
	return append(appendChange(b, m), '}')
}

// appendChange appends the fields that a plain message has not.
func appendChange(b []byte, m Message) []byte {
	for _, f := range [...]struct {
		name string
		n    int64
	}{{"edits", m.Edits}, {"reply", m.Reply}, {"target", m.Target}, {"changed", m.Changed}} {
		if f.n != 0 {
			b = appendInt(append(append(append(b, `,"`...), f.name...), `":`...), f.n)
		}
	}
	if m.Of != "" {
		b = appendString(append(b, `,"of":`...), m.Of)
	}
	if len(m.Targets) > 0 {
		b = append(b, `,"targets":[`...)
		for i, t := range m.Targets {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendInt(b, t)
		}
		b = append(b, ']')
	}
	if m.Quote != nil {
		b = appendString(append(b, `,"quote":{"user":`...), m.Quote.User)
		b = append(appendString(append(b, `,"text":`...), m.Quote.Text), '}')
	}
	if m.Edited {
		b = append(b, `,"edited":true`...)
	}
	if m.Deleted {
		b = append(b, `,"deleted":true`...)
	}
	if len(m.Counts) > 0 {
		b = appendCounts(append(b, `,"counts":`...), m.Counts)
	}
	if len(m.Reactions) > 0 {
		b = appendCounts(append(b, `,"reactions":`...), m.Reactions)
	}
	if m.Mine != "" {
		b = appendString(append(b, `,"mine":`...), m.Mine)
	}
	if m.File != nil {
		b = appendJSON(append(b, `,"file":`...), m.File)
	}
	return b
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

func appendString(b []byte, s string) []byte {
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] != '"' && s[i] != '\\'
	}
	if !plain {
		return appendJSON(b, s)
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendJSON(b []byte, v any) []byte {
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // a frame is no HTML, and < is shorter than \u003c
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// MarshalJSON makes a Message inside other JSON look as Encode writes it.
func (m Message) MarshalJSON() ([]byte, error) { return Encode(m), nil }

func fieldsOf(m Message) (v any) {
	switch m.Type {
	case TypeHello:
		v = struct {
			Type   Type     `json:"type"`
			User   string   `json:"user"`
			Device string   `json:"device"`
			Epoch  string   `json:"epoch,omitempty"`
			After  int64    `json:"after,omitempty"`
			Key    string   `json:"key,omitempty"`
			Listed *bool    `json:"listed,omitempty"`
			Can    []string `json:"can,omitempty"`

			Host    bool   `json:"host,omitempty"`
			HostKey string `json:"host_key,omitempty"`
		}{m.Type, m.User, m.Device, m.Epoch, m.After, m.Key, listed(m), m.Can, m.Host, m.HostKey}
	case TypeWelcome:
		v = struct {
			Type    Type     `json:"type"`
			Room    string   `json:"room"`
			Like    string   `json:"like,omitempty"`
			User    string   `json:"user"`
			By      string   `json:"by,omitempty"`
			Epoch   string   `json:"epoch"`
			Offset  int64    `json:"offset"`
			Resumed bool     `json:"resumed"`
			Members []string `json:"members"`
			Count   int      `json:"count"`
			Limits  Limits   `json:"limits"`
			Server  Server   `json:"server"`
			Can     []string `json:"can,omitempty"`

			Host     bool      `json:"host,omitempty"`
			Silenced string    `json:"silenced,omitempty"`
			Settings *Settings `json:"settings,omitempty"`
			Pinned   int64     `json:"pinned,omitempty"`
		}{m.Type, m.Room, m.Like, m.User, m.By, m.Epoch, m.Offset, m.Resumed, orEmpty(m.Members), m.Count, m.Limits, m.Server, m.Can,
			m.Host, m.Silenced, m.Settings, m.Pinned}
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
				Type    Type  `json:"type"`
				Before  int64 `json:"before,omitempty"`
				Changed int64 `json:"changed,omitempty"`
				Limit   int   `json:"limit"`
			}{m.Type, m.Before, m.Changed, m.Limit}
			break
		}
		v = struct {
			Type     Type      `json:"type"`
			Messages []Message `json:"messages"`
			More     bool      `json:"more"`
			After    int64     `json:"after,omitempty"`
			Changed  int64     `json:"changed,omitempty"`
		}{m.Type, orEmpty(m.Messages), m.More, m.After, m.Changed}
	case TypeReactions:
		var users json.RawMessage
		if len(m.Reactors) > 0 {
			users = appendReactors(nil, m.Reactors)
		}
		v = struct {
			Type   Type            `json:"type"`
			Target int64           `json:"target"`
			Users  json.RawMessage `json:"users,omitempty"`
		}{m.Type, m.Target, users}
	case TypeSearch:
		if m.Text != "" { // the question
			v = struct {
				Type   Type   `json:"type"`
				Text   string `json:"text"`
				Before int64  `json:"before,omitempty"`
			}{m.Type, m.Text, m.Before}
			break
		}
		v = struct {
			Type     Type      `json:"type"`
			Messages []Message `json:"messages"`
			Before   int64     `json:"before"`
			More     bool      `json:"more"`
		}{m.Type, orEmpty(m.Messages), m.Before, m.More}
	case TypeError:
		v = struct {
			Type    Type      `json:"type"`
			Code    ErrorCode `json:"code"`
			Text    string    `json:"message"`
			User    string    `json:"user"`
			ID      string    `json:"id,omitempty"`
			RetryMS int       `json:"retry_ms,omitempty"`
		}{m.Type, m.Code, m.Text, m.User, m.ID, m.RetryMS}
	case TypeNotice:
		v = struct {
			Type     Type      `json:"type"`
			ID       string    `json:"id,omitempty"`
			Offset   int64     `json:"offset,omitempty"`
			Did      string    `json:"did"`
			By       string    `json:"by,omitempty"`
			User     string    `json:"user"`
			About    string    `json:"about"`
			Whom     string    `json:"whom,omitempty"`
			Time     string    `json:"time,omitempty"`
			Settings *Settings `json:"settings,omitempty"`
			Pinned   int64     `json:"pinned,omitempty"`
		}{m.Type, m.ID, m.Offset, m.Did, m.By, m.User, m.About, m.Whom, timeText(m.Time), m.Settings, m.Pinned}
	case TypeHost:
		v = struct {
			Type     Type      `json:"type"`
			ID       string    `json:"id,omitempty"`
			Do       string    `json:"do"`
			User     string    `json:"user,omitempty"`
			Whom     string    `json:"whom,omitempty"`
			Target   int64     `json:"target,omitempty"`
			Of       string    `json:"of,omitempty"`
			Settings *Settings `json:"settings,omitempty"`
		}{m.Type, m.ID, m.Do, m.User, m.Whom, m.Target, m.Of, m.Settings}
	case TypeNotices, TypeRoles:
		if m.Limit > 0 { // the question
			v = struct {
				Type   Type  `json:"type"`
				Before int64 `json:"before,omitempty"`
				Limit  int   `json:"limit"`
			}{m.Type, m.Before, m.Limit}
			break
		}
		v = struct {
			Type    Type      `json:"type"`
			Notices []Message `json:"notices"`
			More    bool      `json:"more"`
		}{m.Type, orEmpty(m.Notices), m.More}
	case TypeUpload:
		if m.Key != "" { // the answer
			v = struct {
				Type Type   `json:"type"`
				ID   string `json:"id"`
				Key  string `json:"key"`
				At   int64  `json:"at"`
			}{m.Type, m.ID, m.Key, m.At}
			break
		}
		v = struct {
			Type   Type   `json:"type"`
			ID     string `json:"id"`
			Name   string `json:"name"`
			Size   int64  `json:"size"`
			Width  int    `json:"width,omitempty"`
			Height int    `json:"height,omitempty"`
		}{m.Type, m.ID, m.Name, m.Size, m.Width, m.Height}
	case TypePing, TypePong:
		v = struct {
			Type Type `json:"type"`
		}{m.Type}
	default:
		panic(fmt.Sprintf("no frame of type %q", m.Type))
	}
	return v
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}

// listed is what a hello says of listing, which it says only to turn it off.
func listed(m Message) *bool {
	if !m.Hidden {
		return nil
	}
	return new(bool)
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
