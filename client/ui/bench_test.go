package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/uitest"
)

// manyMessages is how much a room holds in the figures of bench/README.md.
const manyMessages = 10_000

// BenchmarkBatch is what the UI goroutine does for 33 ms of a room in which a
// thousand messages a second are said, the page around the list included.
func BenchmarkBatch(b *testing.B) {
	b.Run("phone", func(b *testing.B) { benchBatch(b, uitest.Phone) })
	b.Run("wide", func(b *testing.B) { benchBatch(b, fyne.NewSize(1100, 760)) })
}

func benchBatch(b *testing.B, size fyne.Size) {
	w := newWorld(b, size, nil)
	w.client.start()
	w.room("Kitchen", "Ann")
	conv := w.room("Lobby", "Ann", "Bob", "Cleo")
	conv.Apply([]session.Change{{Kind: session.Reset, Items: uitest.Many(0, manyMessages)}})
	n := manyMessages
	b.ReportAllocs()
	for b.Loop() {
		conv.Apply(uitest.Appended(uitest.Many(n, 33)...))
		n += 33
	}
}

// BenchmarkKey is one key in the longest draft there can be, with the page
// around the entry, in the texts that are hardest to lay out.
func BenchmarkKey(b *testing.B) {
	for _, d := range uitest.Drafts {
		for name, size := range map[string]fyne.Size{"phone": uitest.Phone, "wide": fyne.NewSize(1100, 760)} {
			b.Run(d.Name+"/"+name, func(b *testing.B) {
				w := newWorld(b, size, nil)
				w.client.start()
				w.room("Lobby", "Ann", "Bob").Apply(uitest.Appended(uitest.Many(0, 100)...))
				e := w.page().composer.Entry
				e.SetText(d.Text(conversation.MaxDraft - 1))
				e.MoveCaret(conversation.MaxDraft / 2)
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
	w := newWorld(b, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	e := w.page().composer.Entry
	w.app.Clipboard().SetContent(uitest.Drafts[0].Text(conversation.MaxDraft))
	for b.Loop() {
		e.SetText("")
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	}
}
