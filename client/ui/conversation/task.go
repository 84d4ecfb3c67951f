package conversation

import (
	"cmp"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// Task is what the text in a composer is for, other than a message by itself: an
// answer to a message, or another text for one of the person's own.
type Task struct {
	Edit    bool
	Of      session.Item // as it is now
	Written string       // of an edit: the text so far
}

// void reports whether the task is an answer to a message that is deleted. The text of an
// edit is one for the deleted message until it is sent.
func (t *Task) void() bool { return !t.Edit && t.Of.Deleted }

// taskBar says over the text that one writes what it is for, and has a button that
// ends that.
type taskBar struct {
	widget.BaseWidget
	icon        *kit.Picture
	title, what *kit.Text
	end         *insideButton
	ground      *kit.Card
}

func newTaskBar(end func()) *taskBar {
	b := &taskBar{
		icon:  kit.NewPicture("reply", kit.RoleAccent, 20),
		title: kit.NewText("", kit.FontLabel, kit.RoleAccent).Lines(1),
		what:  kit.NewText("", kit.FontSmall, kit.RoleMuted).Lines(1),
		end:   newInsideButton("close", end),
	}
	row := kit.NewRow(3*kit.Unit, 1, b.icon, kit.NewColumn(1, b.title, b.what))
	b.ground = kit.NewCard(row, kit.Sides(2*kit.Unit, kit.Touch, kit.Unit, 4*kit.Unit))
	b.ground.Ground = func(p *kit.Palette) color.NRGBA { return p.Raised }
	b.ground.Radius = kit.Touch/2 - fieldLine
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

// say shows what a task is about; nil shows nothing.
func (b *taskBar) say(t *Task) {
	if b.Hidden = t == nil; b.Hidden {
		return
	}
	icon, title := "reply", lang.T("composer.reply", "name", text.OneLine(t.Of.User))
	if t.Edit {
		icon, title = "edit", lang.T("composer.edit")
	}
	b.icon.Set(icon, kit.RoleAccent)
	b.title.SetText(title)
	b.what.SetText(cmp.Or(Said(t.Of), "…"))
}

func (b *taskBar) height(width float32) float32 {
	if b.Hidden {
		return 0
	}
	return b.ground.Fit(width)
}

func (b *taskBar) CreateRenderer() fyne.WidgetRenderer {
	return kit.LaidOut(b, &taskRenderer{b})
}

type taskRenderer struct{ b *taskBar }

func (r *taskRenderer) Layout(size fyne.Size) {
	kit.Put(r.b.ground, 0, 0, size.Width, size.Height)
	kit.Put(r.b.end, size.Width-kit.Touch, 0, kit.Touch, min(size.Height, kit.Touch))
}
func (r *taskRenderer) MinSize() fyne.Size { return fyne.NewSize(1, kit.Touch) }
func (r *taskRenderer) Refresh() {
	r.Layout(r.b.Size())
	r.b.ground.Refresh()
	r.b.end.Refresh()
	kit.Repaint(r.b)
}
func (r *taskRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.b.ground, r.b.end}
}
func (r *taskRenderer) Destroy() {}
