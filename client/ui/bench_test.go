package ui

import (
	"runtime"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
)

// manyMessages is how much a room holds in the figures of bench/README.md.
const manyMessages = 10_000

func benchList(b *testing.B) *messageList {
	b.Helper()
	l := newList(b, many(0, manyMessages)...)
	l.scrollBy(1)
	l.toBottom()
	return l
}

// BenchmarkOpen is the time from a room's messages to the list on the screen.
func BenchmarkOpen(b *testing.B) {
	l := newList(b)
	items := many(0, manyMessages)
	b.ReportAllocs()
	for b.Loop() {
		clear(wrappers) // as after a start: no word has been measured
		l.change([]session.Change{{Kind: session.Reset, Items: items}})
	}
}

// BenchmarkAppend is one message coming in at the end.
func BenchmarkAppend(b *testing.B) {
	l := benchList(b)
	n := manyMessages
	b.ReportAllocs()
	for b.Loop() {
		l.change(appended(said(n, "Bob", "and one more, of the usual length of a line or two")))
		n++
	}
}

// BenchmarkScroll is one step of a finger, rows going out and coming in.
func BenchmarkScroll(b *testing.B) {
	l := benchList(b)
	step := float32(24)
	b.ReportAllocs()
	for b.Loop() {
		if l.scrollBy(step); l.offset <= 0 || l.atEnd() {
			step = -step
		}
	}
}

// BenchmarkBatch is what the UI goroutine does for 33 ms of a room in which a
// thousand messages a second are said, the page around the list included.
func BenchmarkBatch(b *testing.B) {
	b.Run("phone", func(b *testing.B) { benchBatch(b, phone) })
	b.Run("wide", func(b *testing.B) { benchBatch(b, fyne.NewSize(1100, 760)) })
}

func benchBatch(b *testing.B, size fyne.Size) {
	w := newWorld(b, size, nil)
	w.client.start()
	w.room("Kitchen", "Ann")
	conv := w.room("Lobby", "Ann", "Bob", "Cleo")
	conv.apply([]session.Change{{Kind: session.Reset, Items: many(0, manyMessages)}})
	n := manyMessages
	b.ReportAllocs()
	for b.Loop() {
		conv.apply(appended(many(n, 33)...))
		n += 33
	}
}

// BenchmarkMemory tells what a room with many messages takes beyond an empty
// one, the words' cache included and the messages' own text left out.
func BenchmarkMemory(b *testing.B) {
	items := many(0, manyMessages)
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
		l.change([]session.Change{{Kind: session.Reset, Items: items}})
		b.ReportMetric(heap()-before, "MB")
		runtime.KeepAlive(l)
	}
}

// BenchmarkKey is one key in the longest draft there can be, with the page
// around the entry, in the texts that are hardest to lay out.
func BenchmarkKey(b *testing.B) {
	for _, d := range longDrafts {
		for name, size := range map[string]fyne.Size{"phone": phone, "wide": fyne.NewSize(1100, 760)} {
			b.Run(d.name+"/"+name, func(b *testing.B) {
				w := newWorld(b, size, nil)
				w.client.start()
				w.room("Lobby", "Ann", "Bob").apply(appended(many(0, 100)...))
				e := w.page().composer.entry
				e.SetText(d.text(maxDraft - 1))
				e.draft.move(maxDraft/2, false)
				b.ReportAllocs()
				for b.Loop() {
					e.TypedRune('x')
					e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
				}
				// A key and the one that takes it back.
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(2*b.N)/1000, "ms/key")
			})
		}
	}
}

// BenchmarkPaste is the longest text coming into the entry.
func BenchmarkPaste(b *testing.B) {
	w := newWorld(b, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	e := w.page().composer.entry
	w.app.Clipboard().SetContent(longDrafts[0].text(maxDraft))
	for b.Loop() {
		e.SetText("")
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	}
}
