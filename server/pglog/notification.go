package pglog

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"iter"
	"math"
	"slices"
	"time"

	"parley/server/chat"
)

// A notification is a text of less than 8,000 bytes:
//
//	"1" server " " base64(run, 16 bytes; counter, 8 bytes; sealed content)
//
// Whoever may connect to the database can send one, and hear all: so the content is
// sealed by AES-256-GCM. The key comes from the log's secret and from run, which is
// random and new with each connection that speaks; the nonce is counter, which grows.
// Version, server and the number of the backend that speaks are sealed with it: the
// database tells whoever hears it that number, so what somebody else repeats is noticed.
// The content is the epoch, and then parts, each with a tag. Texts have their length
// before them, numbers are varints.
const (
	formatVersion = "1"
	runBytes      = 16
	counterBytes  = 8
	sealBytes     = 16
	mostPayload   = 7999 // bytes
)

const (
	tagRoom    = 'r' // key, heads: there is more in a room
	tagEntries = 's' // of that room follow: the first one's offset, and tailOf the one before
	tagEntry   = 'e'
	tagPeople  = 'w' // somebody has come or gone
	tagPassed  = 'p' // key, frame
)

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

// seal makes the cipher of a run.
func seal(secret []byte, run string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, []byte(run), "parley notification", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(counter uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), counter)
}

func bound(server string, backend uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte(formatVersion+server+" "), backend)
}

// voice seals what a server says over one connection.
type voice struct {
	server  string
	run     string
	bound   []byte
	counter uint64
	aead    cipher.AEAD
	body    []byte // of the last notification, for its memory
}

func newVoice(secret []byte, server string, backend uint32) (*voice, error) {
	run := make([]byte, runBytes)
	_, _ = rand.Read(run) // never fails
	aead, err := seal(secret, string(run))
	return &voice{server: server, run: string(run), bound: bound(server, backend), aead: aead}, err
}

// most is how many bytes of content fit into a notification.
func (v *voice) most() int {
	return (mostPayload-len(formatVersion)-len(v.server)-1)/4*3 - runBytes - counterBytes - sealBytes
}

// say appends a notification to out, sealed.
func (v *voice) say(out, content []byte) []byte {
	v.counter++
	v.body = append(v.body[:0], v.run...)
	v.body = binary.BigEndian.AppendUint64(v.body, v.counter)
	v.body = v.aead.Seal(v.body, nonce(v.counter), content, v.bound)
	out = append(append(append(out, formatVersion...), v.server...), ' ')
	return base64.RawStdEncoding.AppendEncode(out, v.body)
}

// ears open what other servers say.
type ears struct {
	secret []byte
	runs   map[string]*heardRun
	body   []byte // of the last notification, for its memory
}

type heardRun struct {
	aead cipher.AEAD
	last uint64
}

// mostRuns is how many runs are remembered. If there were more, all are forgotten: what
// was said over a connection that is gone could be repeated only by a backend with the
// same number.
const mostRuns = 1000

var errNotTrue = errors.New("not from a server of this log, or heard before")

// open returns the content of a notification that a backend has sent. It is valid until
// the next call.
func (e *ears) open(payload []byte, backend uint32) ([]byte, error) {
	server, text, found := bytes.Cut(payload, []byte(" "))
	server, rightVersion := bytes.CutPrefix(server, []byte(formatVersion))
	var err error
	e.body, err = base64.RawStdEncoding.AppendDecode(e.body[:0], text)
	body := e.body
	if !found || !rightVersion || err != nil || len(body) < runBytes+counterBytes+sealBytes {
		return nil, errNotTrue
	}
	r, known := e.runs[string(body[:runBytes])]
	if !known {
		aead, err := seal(e.secret, string(body[:runBytes]))
		if err != nil {
			return nil, err
		}
		r = &heardRun{aead: aead}
	}
	counter := binary.BigEndian.Uint64(body[runBytes:])
	if counter <= r.last {
		return nil, errNotTrue
	}
	sealed := body[runBytes+counterBytes:]
	content, err := r.aead.Open(sealed[:0], nonce(counter), sealed, bound(string(server), backend))
	if err != nil {
		return nil, errNotTrue
	}
	if r.last = counter; !known {
		if len(e.runs) >= mostRuns {
			clear(e.runs)
		}
		e.runs[string(body[:runBytes])] = r
	}
	return content, nil
}

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumbers(b []byte, all ...int64) []byte {
	for _, n := range all {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// numberBytes is how many bytes a number has at most, as a length has with 3.
const numberBytes = binary.MaxVarintLen64

func roomBytes(key string, n *news) int {
	return 2 + len(key) + 3 + 6*numberBytes
}

func entryBytesOf(e *chat.Entry) int {
	return 1 + len(e.ID) + len(e.Device) + len(e.User) + len(e.Text) + 4*3 + numberBytes
}

func appendEntry(b []byte, e *chat.Entry) []byte {
	b = append(b, tagEntry)
	b = appendNumbers(b, int64(len(e.ID)), int64(len(e.Device)), int64(len(e.User)), int64(len(e.Text)))
	b = binary.AppendVarint(b, e.Time.UnixMilli())
	b = append(append(append(append(b, e.ID...), e.Device...), e.User...), e.Text...)
	return b
}

// contents says what is told in as many contents as it takes, each with most bytes, and
// valid until the next one.
func (t *told) contents(epoch string, most int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { t.say(epoch, most, yield) }
}

func (t *told) say(epoch string, most int, emit func([]byte) bool) {
	b := appendSized(make([]byte, 0, most), epoch)
	empty := len(b)
	on := true // more is wanted
	// place makes place for so many bytes.
	place := func(bytes int) {
		if len(b) > empty && len(b)+bytes > most {
			on = on && emit(b)
			b = b[:empty]
		}
	}
	if t.people {
		b = append(b, tagPeople)
	}
	for key, n := range t.rooms {
		entries, before := n.entries, n.before
		if n.epoch != epoch {
			entries = nil
		}
		for first := true; first || len(entries) > 0; first = false {
			size, fit := roomBytes(key, n), 0
			if len(entries) > 0 {
				place(size + entryBytesOf(&entries[0]))
			} else {
				place(size)
			}
			for fit < len(entries) && len(b)+size+entryBytesOf(&entries[fit]) <= most {
				size += entryBytesOf(&entries[fit])
				fit++
			}
			head := n.Head // unless the rest is said next
			if fit > 0 && fit < len(entries) {
				head = entries[fit-1].Offset
			}
			b = appendNumbers(appendSized(append(b, tagRoom), key), n.Room, n.Version, n.First, head)
			if fit == 0 {
				break
			}
			b = appendNumbers(append(b, tagEntries), entries[0].Offset, before)
			for i := range entries[:fit] {
				b = appendEntry(b, &entries[i])
			}
			before, entries = tailOf(entries[fit-1].ID), entries[fit:]
		}
	}
	for _, p := range t.passed {
		place(1 + len(p.room) + len(p.frame) + 2*3)
		b = appendSized(appendSized(append(b, tagPassed), p.room), string(p.frame))
	}
	if on {
		emit(b)
	}
}

var errMangled = errors.New("a notification can't be read")

// content reads what contents has made.
type content struct {
	b       []byte
	bad     bool
	entries []chat.Entry // of a room, for their memory
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

func (c *content) text() string { return string(c.bytes(c.number())) }

// entry reads an entry; of one that is not wanted, nothing.
func (c *content) entry(wanted bool) (e chat.Entry) {
	id, device, user, text, ms := c.number(), c.number(), c.number(), c.number(), c.time()
	most := int64(len(c.b))
	if max(id, device, user, text) > most {
		c.bad = true
		return e
	}
	all := c.bytes(id + device + user + text)
	if c.bad || !wanted {
		return e
	}
	s := string(all) // one piece of memory, which holds nothing else
	e.ID, e.Device, e.User, e.Text = s[:id], s[id:id+device], s[id+device:id+device+user], s[id+device+user:]
	e.Time = time.UnixMilli(ms).UTC()
	return e
}

// read reads a content. Entries are read only of rooms that are wanted, and what is of a
// later version and unknown here is left out with what comes after it.
func (c *content) read(b []byte, wanted func(room string) bool, said func(room string, n *news)) (t told, err error) {
	c.b, c.bad, c.entries = b, false, c.entries[:0]
	t.epoch = c.text()
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
			key = c.text()
			n = &news{epoch: t.epoch, heads: heads{c.number(), c.number(), c.number(), c.number()}}
			want = wanted(key)
		case tag == tagEntries && n != nil:
			at, n.before = c.number(), c.number()
		case tag == tagEntry && n != nil && at > 0:
			if e := c.entry(want); want {
				e.Room, e.Offset = key, at
				c.entries = append(c.entries, e)
			}
			at++
		case tag == tagPassed:
			t.passed = append(t.passed, passing{c.text(), []byte(c.text())})
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
