package conversation

import (
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

func withFile(item session.Item, f session.File) session.Item {
	f.ID = item.ID
	item.File = &f
	return item
}

func photo(w, h int) session.File {
	return session.File{Name: "IMG_1.jpg", Type: "image/jpeg", Size: 812_345, Width: w, Height: h, Thumb: true}
}

// came are thumbnails that have come.
type came map[string]image.Image

func (c came) Of(item session.Item) image.Image { return c[item.File.ID] }

// A thumbnail changes nothing but its own place: no row moves, wherever one reads.
func TestThumbnailsMoveNothing(t *testing.T) {
	var items []session.Item
	for i := range 40 {
		items = append(items, withFile(uitest.Said(i, "Bob", ""), photo(1000+100*i, 1500)))
	}
	l := newList(t, items...)
	thumbs := came{}
	l.SetThumbs(thumbs)
	for _, dy := range []float32{0, 700, 3000} {
		l.ScrollBy(dy)
		before, total := l.InSight(), l.timeline.total()
		for id := range before {
			thumbs[id] = image.NewRGBA(image.Rect(0, 0, 480, 320))
			l.Redraw(id)
		}
		if after := l.InSight(); fmt.Sprint(after) != fmt.Sprint(before) || l.timeline.total() != total {
			t.Errorf("the rows were at %v and are at %v", before, after)
		}
	}
}

// Sizes come from others: whatever they say, a picture has room in its bubble and takes
// at most a part of the screen.
func TestPictureSizes(t *testing.T) {
	newLightApp()
	for _, f := range []frame{{width: 320, scale: 2}, {width: 412, scale: 1}, {width: 1100, scale: 1}, {width: 860, scale: 1, dense: true}} {
		for _, size := range [][2]int{{1, 1}, {65535, 1}, {1, 65535}, {4000, 3000}, {3000, 4000}, {16, 16}, {300, 20}} {
			r := newRow(withFile(uitest.Said(1, "Bob", "a caption that is longer than some pictures are wide"), photo(size[0], size[1])))
			w, h := r.fileSize(f)
			if w < pictureWide || h < pictureLow || w > f.maxText()+2*bubbleInset || h > pictureHigh || math.IsNaN(float64(w+h)) {
				t.Errorf("%v in %v is %v×%v", size, f, w, h)
			}
			s := r.shape(f, nil)
			if s.width < w || s.height < h || s.width > f.maxText()+2*bubbleInset+1 {
				t.Errorf("the bubble of %v in %v is %v×%v, and the picture %v×%v", size, f, s.width, s.height, w, h)
			}
		}
	}
}

// A tap on a file is one on its file, on the button in it one on that, and next to it
// one on the message.
func TestHitsOnFiles(t *testing.T) {
	pending := withFile(uitest.Own(2, ""), session.File{Name: "Plan.pdf", Size: 1000, Sent: 400})
	pending.Delivery = session.Pending
	l := newList(t, withFile(uitest.Said(1, "Bob", "read this"), session.File{Name: "Programme.pdf", Size: 1_234_567}), pending)
	for part, want := range map[string]HitKind{"Programme": HitFile, "1.2 MB": HitFile, "read this": hitBubble, "400 B of": HitFile} {
		if h := l.hitAt(uitest.Where(t, l, part)); h.Kind != want {
			t.Errorf("on %q is %v, want %v", part, h.Kind, want)
		}
	}
	if h := l.hitAt(uitest.Where(t, l, "Plan.pdf").SubtractXY(60, 0)); h.Kind != HitCancel {
		t.Errorf("left of the name is %v", h.Kind)
	}
}

// What stands next to a file says what it is, how far it came, and what is wrong with it.
func TestFilesSay(t *testing.T) {
	state := func(item session.Item, d session.Delivery, code string) session.Item {
		item.Delivery, item.Code = d, session.CodeNoRoom
		if code != "" {
			item.Code = "too_long"
		}
		return item
	}
	file := session.File{Name: "evil\u202egpj.exe\nnext", Size: 2_400_000}
	for want, item := range map[string]session.Item{
		"EXE · 2.4 MB":            withFile(uitest.Said(1, "Bob", ""), session.File{Name: "a.exe", Size: 2_400_000}),
		"No longer kept":          withFile(uitest.Said(1, "Bob", ""), session.File{Name: "a.jpg", Size: 2, Width: 9, Height: 9, Thumb: true, Gone: true}),
		"Waits · 2.4 MB":          state(withFile(uitest.Own(1, ""), file), session.Pending, ""),
		"has no room":             state(withFile(uitest.Own(1, ""), file), session.Failed, ""),
		"larger than this server": state(withFile(uitest.Own(1, ""), file), session.Failed, "too_long"),
		"1.0 MB of 2.4 MB":        state(withFile(uitest.Own(1, ""), session.File{Name: "a", Size: 2_400_000, Sent: 1_000_000}), session.Pending, ""),
	} {
		l := newList(t, item)
		if s := uitest.Texts(l); !strings.Contains(s, want) || strings.ContainsRune(s, '\u202e') {
			t.Errorf("%q is not in:\n%s", want, s)
		}
	}
}

func TestSize(t *testing.T) {
	newLightApp()
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1 kB", 812_345: "812 kB", 999_499: "999 kB", 999_500: "1.0 MB", 999_500_000: "1.0 GB", 1_234_567: "1.2 MB", 9_949_999: "9.9 MB", 12_500_000: "13 MB", 1_234_567_890: "1.2 GB",
	} {
		if got := Size(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// A file can be attached from the composer. On a phone the button makes way for the one
// that breaks the line; while a message is edited there is none.
func TestAttachButton(t *testing.T) {
	for _, phone := range []bool{false, true} {
		uitest.OnPhone(t, phone)
		c, _ := newTestComposer(t)
		asked := 0
		if c.attach.Visible() {
			t.Error("files can be attached where none can be sent")
		}
		c.SetAttach(func() { asked++ })
		if !c.attach.Visible() || c.newline.Visible() {
			t.Error("no file can be attached")
		}
		at := c.attach.Position().AddXY(kit.Touch/2, kit.Touch/2)
		if at.X > c.send.Position().X || at.X < c.send.Position().X-kit.Touch {
			t.Errorf("the button is at %v, the one that sends at %v", at, c.send.Position())
		}
		e := c.Entry
		kit.CanvasOf(c).Unfocus()
		e.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: at.Subtract(e.Position())}})
		if e.Focused || !c.attach.pressed {
			t.Errorf("a finger on it: the keyboard comes %v, it is drawn as pressed %v", e.Focused, c.attach.pressed)
		}
		c.attach.Tapped(nil)
		c.Entry.SetText("text")
		if c.attach.Visible() == phone || c.newline.Visible() != phone {
			t.Errorf("phone %v: with a text, to attach %v, to break the line %v", phone, c.attach.Visible(), c.newline.Visible())
		}
		c.Begin(&Task{Edit: true, Of: uitest.Own(2, "x"), Written: "x"})
		if c.attach.Visible() {
			t.Error("a file can be attached to an edit")
		}
		c.End()
		c.Entry.SetText("")
		c.SetAttach(nil)
		if c.attach.Visible() || c.newline.Visible() != phone || asked != 1 {
			t.Errorf("phone %v: %d taps, to attach %v, to break the line %v", phone, asked, c.attach.Visible(), c.newline.Visible())
		}
	}
}
