package shared

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

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
