package ui

import (
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
)

var shots = flag.String("shots", "", "put pictures of what moves into this folder")

// What is in motion, as it looks half way. Each is drawn; with -shots it is kept.
func TestPictures(t *testing.T) {
	landscape := fyne.NewSize(860, 412-24-180)
	for _, v := range []struct {
		name string
		size fyne.Size
		show func(w *world, r *reel)
	}{
		{"menu", phone, func(w *world, r *reel) {
			l := w.page().list
			l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitLink)})
		}},
		{"slide", phone, func(w *world, r *reel) { w.client.nav.push(func() page { return newSettingsPage(w.client) }) }},
		{"slide-wide", fyne.NewSize(1100, 760), func(w *world, r *reel) { w.client.nav.push(func() page { return newSettingsPage(w.client) }) }},
		{"rise", phone, func(w *world, r *reel) {
			pending := own(9, "This one rises.")
			pending.Delivery = session.Pending
			w.client.open[0].apply(appended(pending))
		}},
		{"pressed", phone, func(w *world, r *reel) {
			l := w.page().list
			l.light(l.hitAt(middle(t, l, hitBubble)))
			w.page().back.press(true)
		}},
		{"date", phone, func(w *world, r *reel) {
			w.client.open[0].apply(appended(many(20, 40)...))
			w.page().list.scrolled(900)
		}},
		{"copied", phone, func(w *world, r *reel) { w.client.copy("x"); r.frame(1) }},
		{"select", phone, func(w *world, r *reel) {
			w.client.showSelect("Directions: https://example.org/a/very/long/path, see you at eight, or nine.\nשלום עולם")
			o := w.window.Canvas().Overlays().Top().(*overlay)
			s := find(o.panel, func(o fyne.CanvasObject) bool { _, ok := o.(*selectText); return ok }).(*selectText)
			s.pick(12, 52)
		}},
		{"fold", phone, func(w *world, r *reel) {
			s := ""
			for i := range 40 {
				s += fmt.Sprintf("%d. a line of a long list\n", i+1)
			}
			w.client.open[0].apply(appended(said(30, "Bob", s), own(31, s)))
		}},
		{"people", phone, func(w *world, r *reel) { w.page().showPeople() }},
		{"landscape", landscape, func(w *world, r *reel) {
			onPhone(t, true)
			w.client.open[0].apply(appended(said(30, "Bob", "When do we meet?"), said(31, "Cleo", "At eight, I think"), own(32, "I bring bread, tomatoes and the good olive oil."), said(33, "Grace Hopper", "See you there")))
			w.page().root.Refresh()
			w.page().list.toBottom()
		}},
	} {
		for _, look := range []look{lookLight, lookDark} {
			t.Run(fmt.Sprintf("%s-%s", v.name, look), func(t *testing.T) {
				onPhone(t, false)
				w := newWorld(t, v.size, func(p prefs) { p.setLook(look) })
				w.client.start()
				conv := w.room("Team Pizza", "Ann", "Bob", "Cleo", "Grace Hopper", "Łukasz")
				conv.apply(appended(conversationItems()...))
				r := w.reel()
				v.show(w, r)
				r.frame(0.5)
				picture := w.window.Canvas().Capture()
				if picture.Bounds().Dx() != int(v.size.Width) {
					t.Errorf("the picture is %v", picture.Bounds())
				}
				if *shots == "" {
					return
				}
				f, err := os.Create(filepath.Join(*shots, v.name+"-"+string(look)+".png"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := png.Encode(f, picture); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
