package chat

import (
	"sort"
	"sync/atomic"
)

// tail holds the newest frames of a room as the bytes that go to its members'
// sockets, in one dialect. The room's loop appends; members read views without
// a lock, each from a cursor of its own.
//
// A cursor counts the bytes since the tail was made and always stands between
// two frames.
type tail struct {
	limit int // bytes kept at the most
	view  atomic.Pointer[view]
}

// view is a tail at one moment. Its bytes never change.
type view struct {
	base  uint64 // the cursor of buf[0]
	buf   []byte
	marks []mark // one for each frame in buf
}

// mark is the end of a frame.
type mark struct {
	end    uint64
	offset int64  // of the newest entry up to here
	device string // who sent the frame's entry; empty where it is no entry
}

func newTail(limit int) *tail {
	t := &tail{limit: limit}
	t.view.Store(&view{})
	return t
}

func (v *view) end() uint64 { return v.base + uint64(len(v.buf)) }

// append adds frames, of which marks[i].end is the length on entry. It drops
// the older half of what it holds where the limit would be passed. Only the
// room's loop calls it.
func (t *tail) append(frames []byte, marks []mark) {
	old := t.view.Load()
	v := *old
	if len(v.buf)+len(frames) > t.limit {
		v = v.drop(t.limit/2, t.limit)
	}
	at := v.end()
	for _, m := range marks {
		at += m.end
		m.end = at
		v.marks = append(v.marks, m)
	}
	v.buf = append(v.buf, frames...)
	t.view.Store(&v)
}

// drop returns a copy that holds the newest frames, at most keep bytes of them.
func (v *view) drop(keep, capacity int) view {
	first := 0
	if len(v.buf) > keep {
		first = v.find(v.end() - uint64(keep))
	}
	base := v.base
	if first > 0 {
		base = v.marks[first-1].end
	}
	kept := v.buf[base-v.base:]
	return view{
		base:  base,
		buf:   append(make([]byte, 0, max(capacity, len(kept))), kept...),
		marks: append([]mark(nil), v.marks[first:]...),
	}
}

// find returns the index of the first frame that starts at cursor or after it.
func (v *view) find(cursor uint64) int {
	if cursor <= v.base {
		return 0
	}
	return min(len(v.marks), 1+sort.Search(len(v.marks), func(i int) bool { return v.marks[i].end >= cursor }))
}

// holds reports whether everything after cursor is still here.
func (v *view) holds(cursor uint64) bool { return cursor >= v.base }

// next returns the bytes from cursor on that go out in one write, and the mark
// at their end. Frames with entries of the device skip are left out: where one
// stands at the cursor, the bytes are empty and the mark is its end. At the end
// of the view it returns a nil mark.
func (v *view) next(cursor uint64, skip string) ([]byte, *mark) {
	if cursor >= v.end() {
		return nil, nil
	}
	last := len(v.marks) - 1
	if skip != "" {
		first := v.find(cursor)
		if v.marks[first].device == skip {
			return nil, &v.marks[first]
		}
		for i := first; i <= last; i++ {
			if v.marks[i].device == skip {
				last = i - 1
				break
			}
		}
	}
	m := &v.marks[last]
	return v.buf[cursor-v.base : m.end-v.base], m
}

// frameEnd returns the first mark at or after cursor, the end of a frame that
// was begun.
func (v *view) frameEnd(cursor uint64) *mark {
	return &v.marks[sort.Search(len(v.marks), func(i int) bool { return v.marks[i].end >= cursor })]
}
