package conversation

import (
	"runtime"
	"testing"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// manyMessages is how much a room holds in the figures of bench/README.md.
const manyMessages = 10_000

func benchList(b *testing.B) *List {
	b.Helper()
	l := newList(b, uitest.Many(0, manyMessages)...)
	l.ScrollBy(1)
	l.toBottom()
	return l
}

// BenchmarkOpen is the time from a room's messages to the list on the screen.
func BenchmarkOpen(b *testing.B) {
	l := newList(b)
	items := uitest.Many(0, manyMessages)
	b.ReportAllocs()
	for b.Loop() {
		kit.ForgetWidths() // as after a start: no word has been measured
		l.Change([]session.Change{{Kind: session.Reset, Items: items}})
	}
}

// BenchmarkAppend is one message coming in at the end.
func BenchmarkAppend(b *testing.B) {
	l := benchList(b)
	n := manyMessages
	b.ReportAllocs()
	for b.Loop() {
		l.Change(uitest.Appended(uitest.Said(n, "Bob", "and one more, of the usual length of a line or two")))
		n++
	}
}

// BenchmarkScroll is one step of a finger, rows going out and coming in.
func BenchmarkScroll(b *testing.B) {
	l := benchList(b)
	step := float32(24)
	b.ReportAllocs()
	for b.Loop() {
		if l.ScrollBy(step); l.Offset <= 0 || isAtEnd(l) {
			step = -step
		}
	}
}

// BenchmarkMemory tells what a room with many messages takes beyond an empty
// one, the words' cache included and the messages' own text left out.
func BenchmarkMemory(b *testing.B) {
	items := uitest.Many(0, manyMessages)
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		l := newList(b)
		before := heap()
		l.Change([]session.Change{{Kind: session.Reset, Items: items}})
		b.ReportMetric(heap()-before, "MB")
		runtime.KeepAlive(l)
	}
}
