package ui

import (
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

var shots = flag.String("shots", "", "put pictures of what moves into this folder")

// What is in motion, as it looks half way. Each is drawn; with -shots it is kept.
func TestPictures(t *testing.T) {
	landscape := fyne.NewSize(860, 412-24-180)
	for _, v := range []struct {
		name string
		size fyne.Size
		show func(w *world, r *uitest.Reel)
	}{
		{"menu", uitest.Phone, func(w *world, r *uitest.Reel) {
			l := w.page().list
			l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, l, "https:")})
		}},
		{"slide", uitest.Phone, func(w *world, r *uitest.Reel) {
			w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
		}},
		{"slide-wide", fyne.NewSize(1100, 760), func(w *world, r *uitest.Reel) {
			w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
		}},
		{"rise", uitest.Phone, func(w *world, r *uitest.Reel) {
			pending := uitest.Own(9, "This one rises.")
			pending.Delivery = session.Pending
			w.client.open[0].Apply(uitest.Appended(pending))
		}},
		{"pressed", uitest.Phone, func(w *world, r *uitest.Reel) {
			l := w.page().list
			l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: uitest.Where(t, l, "https:")}})
			w.page().back.MouseDown(&desktop.MouseEvent{})
		}},
		{"date", uitest.Phone, func(w *world, r *uitest.Reel) {
			w.client.open[0].Apply(uitest.Appended(uitest.Many(20, 40)...))
			w.page().list.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 900)})
		}},
		{"copied", uitest.Phone, func(w *world, r *uitest.Reel) { w.client.copy("x"); r.Frame(1) }},
		{"select", uitest.Phone, func(w *world, r *uitest.Reel) {
			showSelect(w.client.client, "Directions: https://example.org/a/very/long/path, see you at eight, or nine.\nשלום עולם")
			w.window.Canvas().Focused().(*conversation.SelectText).TypedShortcut(&fyne.ShortcutSelectAll{})
		}},
		{"fold", uitest.Phone, func(w *world, r *uitest.Reel) {
			s := ""
			for i := range 40 {
				s += fmt.Sprintf("%d. a line of a long list\n", i+1)
			}
			w.client.open[0].Apply(uitest.Appended(uitest.Said(30, "Bob", s), uitest.Own(31, s)))
		}},
		{"invite", uitest.Phone, func(w *world, r *uitest.Reel) { showInvite(w.client.client, w.client.open[0]) }},
		{"people", uitest.Phone, func(w *world, r *uitest.Reel) { w.people() }},
		{"landscape", landscape, func(w *world, r *uitest.Reel) {
			uitest.OnPhone(t, true)
			w.client.open[0].Apply(uitest.Appended(uitest.Said(30, "Bob", "When do we meet?"), uitest.Said(31, "Cleo", "At eight, I think"), uitest.Own(32, "I bring bread, tomatoes and the good olive oil."), uitest.Said(33, "Grace Hopper", "See you there")))
			w.page().root.Refresh()
			w.page().list.Follow()
		}},
	} {
		for _, look := range []kit.Look{kit.LookLight, kit.LookDark} {
			t.Run(fmt.Sprintf("%s-%s", v.name, look), func(t *testing.T) {
				uitest.OnPhone(t, false)
				w := newWorld(t, v.size, func(p prefs) { p.setLook(look) })
				w.client.start()
				conv := w.room("Team Pizza", "Ann", "Bob", "Cleo", "Grace Hopper", "Łukasz")
				conv.Apply(uitest.Appended(conversationItems()...))
				r := w.reel()
				v.show(w, r)
				r.Frame(0.5)
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
