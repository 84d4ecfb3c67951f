package pglog

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat"
)

// The content of a notification is the epoch, and then parts, each with a tag. Numbers are
// varints, and a text has its length before it.
const (
	tagRoom    = 'r' // key, and the first three of heads: there is more in a room
	tagEntries = 's' // of that room follow: the first one's offset, and tailOf the one before
	tagEntry   = 'e' // author, id, time, text; each in the form of appendEntry
	tagHead    = 'h' // how far that room goes
	tagPeople  = 'w' // somebody has come or gone
	tagPassed  = 'p' // key, frame
)

// author is whose an entry is.
type author struct{ device, user string }

// heads is which row a room has, and from where to where its log goes.
type heads struct{ Room, Version, First, Head int64 }

// news is that a room has more, up to Head. What entries do not have has to be read.
type news struct {
	heads
	epoch   string       // in which it was written
	before  int64        // tailOf the id of the entry before the first of entries; 0 if it is not known
	entries []chat.Entry // one after the other
	own     bool         // this server has written it
	about   bool         // some of entries are about another one, which has to be read with them
	since   time.Time    // when it was first tried to hand it on
	answers []answer     // for those who have sent the entries
}

// tailOf stands for an entry with that id. It is above 0.
func tailOf(id string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return int64(h.Sum64()>>1 | 1)
}

// plain reports whether another server can hand all of the entries on as they are.
func (n *news) plain() bool {
	return !n.about && (n.before != 0 || n.entries[0].Offset == 1) && !slices.ContainsFunc(n.entries, func(e chat.Entry) bool { return e.Extras().File != nil })
}

// upTo is the offset of the last of the entries, 0 if there are none.
func (n *news) upTo() int64 {
	if len(n.entries) == 0 {
		return 0
	}
	return n.entries[len(n.entries)-1].Offset
}

// bytes is about how much memory the entries take.
func (n *news) bytes() (sum int64) {
	for i := range n.entries {
		sum += n.entries[i].Size()
	}
	return sum
}

// place is where it comes in a room: what is only said to be there, last.
func (n *news) place() int64 {
	if len(n.entries) == 0 {
		return math.MaxInt64
	}
	return n.upTo()
}

// passing is a frame for those who are in a room at other servers.
type passing struct {
	room  string
	frame []byte
}

// told is what has to be said, or was heard.
type told struct {
	epoch  string // of whoever said it
	rooms  map[string]*news
	people bool
	passed []passing
}

func (t *told) empty() bool { return len(t.rooms) == 0 && !t.people && len(t.passed) == 0 }

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumbers(b []byte, all ...int64) []byte {
	for _, n := range all {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// writing is a content on its way.
type writing struct {
	b       []byte
	begun   int // bytes of a content that says nothing yet
	most    int
	authors map[author]int64 // that are in it
	emit    func([]byte) bool
	over    bool // nobody wants more
}

// contents says what is told in as many contents as it takes, each with most bytes, and
// valid until the next one.
func (t *told) contents(epoch string, most int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		w := &writing{b: appendSized(make([]byte, 0, most), epoch), most: most, authors: make(map[author]int64), emit: yield}
		w.begun = len(w.b)
		if t.people {
			w.b = append(w.b, tagPeople)
		}
		for key, n := range t.rooms {
			w.room(key, n, n.epoch == epoch)
		}
		for _, p := range t.passed {
			w.add(func(b []byte) []byte { return appendSized(appendSized(append(b, tagPassed), p.room), string(p.frame)) })
		}
		w.next()
	}
}

// next gives out what there is, and begins another content.
func (w *writing) next() {
	w.over = w.over || !w.emit(w.b)
	w.b = w.b[:w.begun]
	clear(w.authors)
}

// add adds what part appends, in another content if it has no place in this one. It reports
// whether it has place in any.
func (w *writing) add(part func(b []byte) []byte) bool {
	for {
		at := len(w.b)
		if w.b = part(w.b); len(w.b) <= w.most {
			return true
		}
		w.b = w.b[:at]
		if at == w.begun {
			clear(w.authors)
			return false
		}
		w.next()
	}
}

// room adds what there is new in a room, with the entries that have place.
func (w *writing) room(key string, n *news, carries bool) {
	heads := func(b []byte) []byte {
		return appendNumbers(appendSized(append(b, tagRoom), key), n.Room, n.Version, n.First)
	}
	entries, before := n.entries, n.before
	for carries && len(entries) > 0 {
		if !w.add(func(b []byte) []byte {
			b = w.appendEntry(appendNumbers(append(heads(b), tagEntries), entries[0].Offset, before), &entries[0])
			return append(b, make([]byte, headBytes)...) // so that there is place for it
		}) {
			break // it is too long, and read, as is what comes after it
		}
		w.b = w.b[:len(w.b)-headBytes]
		said := 1
		for said < len(entries) && w.more(&entries[said]) {
			said++
		}
		last := entries[said-1]
		if before, entries = tailOf(last.ID), entries[said:]; len(entries) == 0 {
			w.b = appendNumbers(append(w.b, tagHead), n.Head)
			return
		}
		w.b = appendNumbers(append(w.b, tagHead), last.Offset) // the rest is said next
	}
	w.add(func(b []byte) []byte { return appendNumbers(append(heads(b), tagHead), n.Head) })
}

// headBytes is how many bytes a room's head takes at most, with its tag.
const headBytes = 1 + binary.MaxVarintLen64

// more adds another entry of the room that was said last, if it has place with its head.
func (w *writing) more(e *chat.Entry) bool {
	at, authors := len(w.b), len(w.authors)
	if w.b = w.appendEntry(w.b, e); len(w.b)+headBytes <= w.most {
		return true
	}
	w.b = w.b[:at]
	if len(w.authors) > authors {
		delete(w.authors, author{e.Device, e.User})
	}
	return false
}

// appendEntry writes each author once, and ids that are ULIDs, as most are, as 16 bytes.
func (w *writing) appendEntry(b []byte, e *chat.Entry) []byte {
	by := author{e.Device, e.User}
	n := w.authors[by]
	b = appendNumbers(append(b, tagEntry), n)
	if n == 0 {
		w.authors[by] = int64(len(w.authors)) + 1
		b = appendSized(appendSized(b, e.Device), e.User)
	}
	if id, err := ulid.ParseStrict(e.ID); err == nil && id.String() == e.ID {
		b = append(append(b, 0), id[:]...)
	} else {
		b = append(appendNumbers(b, int64(len(e.ID))+1), e.ID...)
	}
	return appendSized(binary.AppendVarint(b, e.Time.UnixMilli()), e.Text)
}

var errMangled = errors.New("a notification can't be read")

// content reads what contents has made.
type content struct {
	b       []byte
	bad     bool
	authors []author
	entries []chat.Entry // of a room, for their memory
	text    []byte       // likewise, of an entry
}

func (c *content) number() int64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || int64(v) < 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return int64(v)
}

// time reads milliseconds since 1970, which may be before it.
func (c *content) time() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *content) bytes(n int64) []byte {
	if n > int64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *content) sized() string { return string(c.bytes(c.number())) }

// entry reads an entry; of one that is not wanted, nothing.
func (c *content) entry(wanted bool) (e chat.Entry) {
	n := c.number()
	if n == 0 {
		c.authors = append(c.authors, author{c.sized(), c.sized()})
		n = int64(len(c.authors))
	}
	size := c.number()
	var id []byte
	if size == 0 {
		id = c.bytes(int64(len(ulid.ULID{})))
	} else {
		id = c.bytes(size - 1)
	}
	ms, text := c.time(), c.bytes(c.number())
	if n > int64(len(c.authors)) {
		c.b, c.bad = nil, true
	}
	if c.bad || !wanted {
		return e
	}
	c.text = c.text[:0]
	if size == 0 {
		c.text = append(c.text, make([]byte, ulid.EncodedSize)...)
		_ = ulid.ULID(id).MarshalTextTo(c.text) // never fails
	} else {
		c.text = append(c.text, id...)
	}
	at := len(c.text)
	c.text = append(c.text, text...)
	s := string(c.text) // one piece of memory, which holds nothing else
	by := c.authors[n-1]
	e.ID, e.Device, e.User, e.Text = s[:at], by.device, by.user, s[at:]
	e.Time = time.UnixMilli(ms).UTC()
	return e
}

// read reads a content. Entries are read only of rooms that are wanted, and what is of a
// later version and unknown here is left out with what comes after it.
func (c *content) read(b []byte, wanted func(room string) bool, said func(room string, n *news)) (t told, err error) {
	c.b, c.bad, c.authors, c.entries = b, false, c.authors[:0], c.entries[:0]
	t.epoch = c.sized()
	var key string
	var n *news
	want := false
	var at int64 // of the next entry
	over := func() {
		if n != nil {
			n.entries = slices.Clone(c.entries)
			said(key, n)
		}
		n, c.entries = nil, c.entries[:0]
	}
parts:
	for len(c.b) > 0 && !c.bad {
		switch tag := c.bytes(1)[0]; {
		case tag == tagPeople:
			t.people = true
		case tag == tagRoom:
			over()
			key = c.sized()
			n = &news{epoch: t.epoch, heads: heads{c.number(), c.number(), c.number(), 0}}
			want = wanted(key)
		case tag == tagEntries && n != nil:
			at, n.before = c.number(), c.number()
		case tag == tagEntry && n != nil && at > 0:
			if e := c.entry(want); want {
				e.Room, e.Offset = key, at
				c.entries = append(c.entries, e)
			}
			at++
		case tag == tagHead && n != nil:
			n.Head = c.number()
		case tag == tagPassed:
			t.passed = append(t.passed, passing{c.sized(), []byte(c.sized())})
		default:
			break parts
		}
	}
	if c.bad {
		return t, errMangled
	}
	over()
	return t, nil
}
