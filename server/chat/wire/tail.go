package wire

import (
	"slices"
	"sort"
	"sync/atomic"
)

// Tail holds the newest frames of a room as the bytes that go to its members'
// sockets, in one dialect. One goroutine appends; members read views without a
// lock, each from a cursor of its own.
//
// The bytes lie in two chunks. When the newer one is full it becomes the older,
// and what was the older is dropped: nothing is copied.
//
// A cursor counts the bytes since the tail was made and always stands between
// two frames.
type Tail struct {
	chunkSize int
	view      atomic.Pointer[View]
}

// View is a tail at one moment. What it shows never changes.
type View struct {
	kept         []kept // before older
	older, newer chunk
}

// kept is a frame that is no entry, of before the tail had to forget.
type kept struct {
	end   uint64 // its cursor
	frame []byte
}

// keptShare is the part of a tail, one nth, that kept frames may have besides.
const keptShare = 16

// chunk is a run of frames.
type chunk struct {
	base  uint64 // the cursor of buf[0]
	buf   []byte
	marks []Mark // one for each frame
}

// Mark is the end of a frame.
type Mark struct {
	End     uint64
	Offset  int64  // of the newest entry up to here
	Device  string // who sent the frame's entry; empty if it is no entry
	Message bool   // the entry is a message, and not a change of one
}

// NewTail returns a tail that keeps at most limit bytes, and at least half of
// them once there were so many.
func NewTail(limit int) *Tail {
	t := &Tail{chunkSize: limit / 2}
	t.view.Store(&View{})
	return t
}

// Limit returns how many bytes the tail keeps at most.
func (t *Tail) Limit() int { return 2 * t.chunkSize }

// View returns what the tail shows now.
func (t *Tail) View() *View { return t.view.Load() }

// Begin returns the cursor of the oldest frame.
func (v *View) Begin() uint64 { return v.older.base }

// End returns the cursor behind the newest frame.
func (v *View) End() uint64 { return v.newer.end() }

func (c *chunk) end() uint64 { return c.base + uint64(len(c.buf)) }

// Append adds frames. On entry, the End of a mark is the length of its frame.
// Calls come from one goroutine at a time.
func (t *Tail) Append(frames []byte, marks []Mark) {
	v := *t.view.Load()
	for len(marks) > 0 {
		room := t.chunkSize - len(v.newer.buf)
		n, size := 0, 0
		for n < len(marks) && (size+int(marks[n].End) <= room || len(v.newer.buf)+size == 0) {
			size += int(marks[n].End)
			n++
		}
		if n == 0 {
			if len(v.older.marks) > 0 {
				v.kept = nil // they are older
			}
			v.older = v.newer
			v.newer = chunk{base: v.older.end(), buf: make([]byte, 0, t.chunkSize), marks: make([]Mark, 0, len(v.older.marks))}
			continue
		}
		at := v.newer.end()
		for _, m := range marks[:n] {
			at += m.End
			m.End = at
			v.newer.marks = append(v.newer.marks, m)
		}
		v.newer.buf = append(v.newer.buf, frames[:size]...)
		frames, marks = frames[size:], marks[n:]
	}
	t.view.Store(&v)
}

// Forget drops all entries. A reader whose cursor is at the end goes on from there;
// any other one finds that the tail does not hold its cursor, and gets from Since what
// it lacks of other frames, which are nowhere else: the newest of them are kept. Forget
// is called as Append is.
func (t *Tail) Forget() {
	v := t.View()
	all := slices.Clone(v.kept)
	for _, c := range []*chunk{&v.older, &v.newer} {
		for i, m := range c.marks {
			if m.Device == "" {
				all = append(all, kept{m.End, slices.Clone(c.buf[c.begin(i)-c.base : m.End-c.base])})
			}
		}
	}
	first := len(all)
	for size := 0; first > 0; first-- {
		if size += len(all[first-1].frame); size > t.Limit()/keptShare {
			break
		}
	}
	empty := chunk{base: v.End()}
	t.view.Store(&View{kept: slices.Clone(all[first:]), older: empty, newer: empty})
}

// Holds reports whether everything after cursor is still here.
func (v *View) Holds(cursor uint64) bool { return cursor >= v.older.base }

// Next returns the bytes from cursor on that go out in one write, where they end,
// and how many frames they are. Frames with entries of the device skip are left
// out: if one stands at the cursor, there are no bytes, and end is the frame's.
// At the end of the view it returns a nil mark.
func (v *View) Next(cursor uint64, skip string) (p []byte, end *Mark, frames int) {
	c := &v.older
	if cursor >= c.end() {
		c = &v.newer
	}
	if cursor >= c.end() {
		return nil, nil, 0
	}
	first, last := c.find(cursor), len(c.marks)-1
	if skip != "" {
		if c.marks[first].Device == skip {
			return nil, &c.marks[first], 0
		}
		for i := first; i <= last; i++ {
			if c.marks[i].Device == skip {
				last = i - 1
				break
			}
		}
	}
	end = &c.marks[last]
	return c.buf[cursor-c.base : end.End-c.base], end, last - first + 1
}

// Since returns what a member is still to get that has all entries up to the
// offset sent, and all other frames up to cursor: in runs, and counted. Entries
// of the device skip are left out. It reports false if not all of the entries are
// still here; without any entries, it returns other frames all the same.
func (v *View) Since(sent int64, cursor uint64, skip string) (runs [][]byte, n int, ok bool) {
	for _, k := range v.kept {
		if k.end > cursor {
			runs = append(runs, k.frame)
			n++
		}
	}
	chunks := []*chunk{&v.older, &v.newer}
	if len(v.older.marks) == 0 {
		chunks = chunks[1:]
	}
	if len(v.newer.marks) == 0 {
		return runs, n, false
	}
	oldest := chunks[0].marks[0]
	if oldest.Device != "" {
		oldest.Offset-- // the entry itself is here
	}
	if sent < oldest.Offset {
		return nil, 0, false
	}
	wanted := func(m Mark) bool {
		if m.Device == "" {
			return m.End > cursor
		}
		return m.Offset > sent && m.Device != skip
	}
	for _, c := range chunks {
		for i := 0; i < len(c.marks); i++ {
			first := i
			for i < len(c.marks) && wanted(c.marks[i]) {
				i++
			}
			if i > first {
				runs = append(runs, c.buf[c.begin(first)-c.base:c.marks[i-1].End-c.base])
				n += i - first
			}
		}
	}
	return runs, n, true
}

// BeforeLast returns the offset before the newest n messages up to head. It
// reports false if they are not all still here, or more than most entries with
// the changes among them and after them.
func (v *View) BeforeLast(head int64, n, most int) (offset int64, ok bool) {
	for _, c := range []*chunk{&v.newer, &v.older} {
		for i := len(c.marks) - 1; i >= 0; i-- {
			m := c.marks[i]
			if m.Device == "" || m.Offset > head {
				continue
			}
			if most--; most < 0 {
				return 0, false
			}
			if m.Message {
				n--
			}
			if n == 0 || m.Offset == 1 {
				return m.Offset - 1, true
			}
		}
	}
	return 0, false
}

// begin returns the cursor of the frame with index i.
func (c *chunk) begin(i int) uint64 {
	if i == 0 {
		return c.base
	}
	return c.marks[i-1].End
}

// find returns the index of the frame that cursor is at the start of, or inside.
func (c *chunk) find(cursor uint64) int {
	if cursor == c.base {
		return 0
	}
	return sort.Search(len(c.marks), func(i int) bool { return c.marks[i].End > cursor })
}

// FrameEnd returns the end of the frame that byte lies in, and how many frames
// from cursor on that makes.
func (v *View) FrameEnd(cursor, byte uint64) (end *Mark, frames int) {
	c := &v.older
	if cursor >= c.end() {
		c = &v.newer
	}
	i := c.find(byte)
	return &c.marks[i], i - c.find(cursor) + 1
}
