package wire

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

func TestTail(t *testing.T) {
	tail := NewTail(100) // two chunks of 50
	var frames []byte
	var marks []Mark
	for i := range 10 {
		f := fmt.Appendf(nil, "frame %02d|", i) // nine bytes
		frames = append(frames, f...)
		marks = append(marks, Mark{End: uint64(len(f)), Offset: int64(i + 1), Device: fmt.Sprint(i % 2), Message: true})
	}
	read := func(cursor uint64, skip string) (text string, offset int64) {
		v := tail.View()
		if !v.Holds(cursor) {
			return "gone", 0
		}
		for {
			p, end, _ := v.Next(cursor, skip)
			if end == nil {
				return text, offset
			}
			text += string(p)
			cursor, offset = end.End, end.Offset
		}
	}
	tail.Append(frames[:36], marks[:4])
	if text, offset := read(9, ""); text != "frame 01|frame 02|frame 03|" || offset != 4 {
		t.Errorf("got %q up to %d", text, offset)
	}
	if text, offset := read(0, "1"); text != "frame 00|frame 02|" || offset != 4 {
		t.Errorf("without a device's own: %q up to %d", text, offset)
	}
	end, n := tail.View().FrameEnd(9, 20)
	if end.End != 27 || n != 2 {
		t.Errorf("byte 20 lies in the frame that ends at %d, the %dth", end.End, n)
	}
	cursor := uint64(1 << 40)
	since := func(from int64, skip string) (string, int, bool) {
		runs, n, ok := tail.View().Since(from, cursor, skip)
		return string(bytes.Join(runs, nil)), n, ok
	}
	if p, n, ok := since(2, ""); p != "frame 02|frame 03|" || n != 2 || !ok {
		t.Errorf("after the second: %q, %d, %v", p, n, ok)
	}
	if p, n, ok := since(0, "1"); p != "frame 00|frame 02|" || n != 2 || !ok {
		t.Errorf("after the beginning, without a device's own: %q, %d, %v", p, n, ok)
	}
	last := func(head int64, n int) string {
		offset, ok := tail.View().BeforeLast(head, n, 100)
		return fmt.Sprint(offset, ok)
	}
	if got := []string{last(4, 2), last(3, 2), last(4, 9)}; !slices.Equal(got, []string{"2 true", "1 true", "0 true"}) {
		t.Errorf("before the last: %q", got)
	}
	before := tail.View()
	tail.Append(frames[36:], marks[4:]) // 90 bytes: two chunks hold them
	if text, _ := read(0, ""); text != string(frames) {
		t.Errorf("after the first chunk: %q", text)
	}
	tail.Append(frames[:18], []Mark{{End: 9, Offset: 11, Device: "0", Message: true}, {End: 9, Offset: 12, Device: "1", Message: true}})
	if text, _ := read(44, ""); text != "gone" {
		t.Errorf("what was dropped is still there: %q", text)
	}
	if _, _, ok := since(4, ""); ok {
		t.Error("entries after the fourth are said to be there, of which the fifth was dropped")
	}
	tail.Append([]byte("here|"), []Mark{{End: 5, Offset: 12}}) // no entry
	cursor = 100                                               // what is no entry and was not sent is sent, too
	if p, n, ok := since(11, ""); p != string(frames[9:18])+"here|" || n != 2 || !ok {
		t.Errorf("after the eleventh, and what comes with it: %q, %d, %v", p, n, ok)
	}
	if p, n, ok := since(12, ""); p != "here|" || n != 1 || !ok {
		t.Errorf("after the last entry: %q, %d, %v", p, n, ok)
	}
	cursor = 1 << 40
	if got := []string{last(12, 2), last(12, 50)}; !slices.Equal(got, []string{"10 true", "0 false"}) {
		t.Errorf("before the last of those that are here: %q", got)
	}
	if p, n, ok := since(10, ""); p != string(frames[:18]) || n != 2 || !ok {
		t.Errorf("after the tenth: %q, %d, %v", p, n, ok)
	}
	if text, _ := read(45, ""); text != string(frames[45:])+string(frames[:18])+"here|" {
		t.Errorf("after the older chunk went: %q", text)
	}
	if p, _, _ := before.Next(0, ""); string(p) != string(frames[:36]) {
		t.Errorf("an earlier view changed to %q", p)
	}
	here := tail.View().End()
	tail.Forget()
	if _, _, ok := since(12, ""); ok || tail.View().Holds(here-1) || !tail.View().Holds(here) {
		t.Error("a tail that has forgotten holds something, or not its end")
	}
	if text, _ := read(here, ""); text != "" {
		t.Errorf("after the end of a tail that has forgotten: %q", text)
	}
	tail.Append([]byte("deleted|"), []Mark{{End: 8, Offset: 13, Device: "0"}})
	if text, offset := read(here, ""); text != "deleted|" || offset != 13 {
		t.Errorf("what follows: %q up to %d", text, offset)
	}
	if p, n, ok := since(12, ""); p != "deleted|" || n != 1 || !ok {
		t.Errorf("what follows the twelfth: %q, %d, %v", p, n, ok)
	}
	if _, _, ok := since(11, ""); ok {
		t.Error("what was forgotten is said to be there")
	}
	tail.Append(bytes.Repeat([]byte("y"), 80), []Mark{{End: 80, Offset: 14}}) // larger than a chunk
	if text, offset := read(121, ""); len(text) != 80 || offset != 14 {
		t.Errorf("a large frame: %q up to %d", text, offset)
	}
}

// Messages are counted, and not the changes among them.
func TestBeforeLast(t *testing.T) {
	tail := NewTail(1000)
	for offset := int64(5); offset <= 30; offset++ {
		tail.Append([]byte("x"), []Mark{{End: 1, Offset: offset, Device: "d", Message: offset%3 == 0}})
		tail.Append([]byte("y"), []Mark{{End: 1, Offset: offset}}) // no entry
	}
	for _, c := range []struct {
		head    int64
		n, most int
		want    int64
		ok      bool
	}{
		{30, 1, 100, 29, true},
		{29, 1, 100, 26, true},
		{30, 3, 100, 23, true},
		{30, 3, 7, 23, true},
		{30, 3, 6, 0, false}, // too many changes
		{30, 9, 100, 5, true},
		{30, 10, 100, 0, false}, // not all are here
	} {
		if got, ok := tail.View().BeforeLast(c.head, c.n, c.most); got != c.want || ok != c.ok {
			t.Errorf("the last %d up to %d, of at most %d entries, come after %d, %v", c.n, c.head, c.most, got, ok)
		}
	}
}

// What a tail forgets is the entries: other frames are in no log, and whoever has not
// got them yet gets them, once.
func TestForgetKeepsWhatIsNoEntry(t *testing.T) {
	tail := NewTail(320) // of which 20 bytes may be kept
	add := func(frames ...string) {
		for _, f := range frames {
			m := Mark{End: uint64(len(f)), Offset: 7}
			if f[0] == 'm' {
				m.Device = "d"
			}
			tail.Append([]byte(f), []Mark{m})
		}
	}
	since := func(cursor uint64) string {
		runs, n, _ := tail.View().Since(7, cursor, "")
		if n == 0 && runs != nil {
			t.Error("frames that are not counted")
		}
		return string(bytes.Join(runs, nil))
	}
	add("message|", "join A|", "message|", "join B|")
	tail.Forget()
	for cursor, want := range map[uint64]string{0: "join A|join B|", 8: "join A|join B|", 15: "join B|", 23: "join B|", 30: ""} {
		if got := since(cursor); got != want {
			t.Errorf("from %d on: %q, not %q", cursor, got, want)
		}
	}
	if v := tail.View(); v.Holds(23) || !v.Holds(30) {
		t.Error("it says that it holds what it forgot, or not the end")
	}
	add("message|", "left A|")
	if got := since(15); got != "join B|left A|" {
		t.Errorf("with what came since: %q", got)
	}
	tail.Forget()
	if got := since(0); got != "join B|left A|" {
		t.Errorf("of more than may be kept: %q", got)
	}
	for range 80 {
		add("message|")
	}
	if got := since(0); got != "" {
		t.Errorf("kept for ever: %q", got)
	}
}
