package shared

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

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
