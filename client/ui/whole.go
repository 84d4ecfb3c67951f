package ui

import (
	"context"
	"errors"
	"image"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/picture"
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// whole shows a picture over the whole window.
type whole struct {
	page    *roomPage
	item    session.Item
	overlay *kit.Overlay
	image   *canvas.Image
	note    *kit.Text // why there is no picture yet, or none at all
	path    string    // of the file, once it is there
	saving  bool      // the file is needed until it is saved
	closed  bool
}

// showWhole shows a message's picture, with what can be done with it.
func showWhole(p *roomPage, item session.Item) {
	c := p.client
	w := &whole{page: p, item: item, image: &canvas.Image{FillMode: canvas.ImageFillContain}}
	p.whole = w
	if img := (roomThumbs{c.thumbs, p.conv.Session, p.list}).Of(item); img != nil {
		w.image.Image = img
	}
	w.note = kit.NewText(lang.T("file.loading"), kit.FontSmall, kit.RoleMuted).Centered()
	ctx, cancel := context.WithCancel(c.bridge.Context)

	buttons := []fyne.CanvasObject{
		kit.NewIconButton("back", func() { w.overlay.Close() }),
		kit.NewColumn(1, kit.NewText(text.OneLine(item.User), kit.FontLabel, kit.RoleText).Lines(1),
			kit.NewText(p.conv.Clock.When(item.Time), kit.FontTiny, kit.RoleMuted).Lines(1)),
		kit.NewIconButton("save", w.save),
	}
	changes := p.conv.Status.CanChange
	if changes && item.Addressable() {
		buttons = append(buttons, kit.NewIconButton("reply", func() {
			w.overlay.Close()
			p.begin(&conversation.Task{Of: item})
		}))
	}
	if changes && item.Changeable() {
		buttons = append(buttons, kit.NewIconButton("trash", func() {
			w.overlay.Close()
			askToDelete(c, p.conv, item)
		}))
	}
	head := kit.NewRow(0, 1, buttons...).Padded(kit.Around(kit.Unit))
	foot := kit.NewColumn(kit.Unit, w.note).Padded(kit.Sides(kit.Unit, 4*kit.Unit, 3*kit.Unit, 4*kit.Unit))
	if item.Text != "" {
		foot.Objects = append(foot.Objects, kit.NewText(item.Text, kit.FontBody, kit.RoleText).Lines(3))
	}
	panel := kit.NewCard(kit.NewFilled(1, head, w.image, foot), kit.Around(0))
	panel.Ground = kit.RoleGround
	w.overlay = kit.ShowWhole(c.window.Canvas(), panel)
	w.overlay.Closed = func() {
		cancel()
		if w.closed = true; !w.saving {
			removeFile(w.path)
		}
	}
	c.bridge.Run(ctx, func(ctx context.Context) func() {
		path, err := c.fetchFile(ctx, p.conv.Session, item, "picture", nil)
		var img image.Image
		if err == nil {
			img, err = decodeWhole(path)
		}
		if ctx.Err() != nil {
			removeFile(path)
		}
		return func() { w.loaded(path, img, err) }
	})
}

// decodeWhole reads a picture that somebody has sent, at most as large as a screen.
func decodeWhole(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := picture.Decode(f, picture.MaxShown, picture.MaxSide)
	if err != nil && !errors.Is(err, picture.ErrTooLarge) {
		err = errBroken
	}
	return img, err
}

// errBroken is why a picture that has come is not shown.
var errBroken = errors.New("the picture can't be read")

// loaded shows the picture, or says why not. The file can be saved either way.
func (w *whole) loaded(path string, img image.Image, err error) {
	if w.closed {
		removeFile(path)
		return
	}
	w.path = path
	switch {
	case errors.Is(err, picture.ErrTooLarge):
		w.note.SetText(lang.T("file.vast"))
	case errors.Is(err, errBroken):
		w.note.SetText(lang.T("file.broken"))
	case err != nil:
		w.note.SetText(fetchProblem(err))
	default:
		w.note.Hide()
		w.image.Image = img
	}
	w.overlay.Refresh()
}

// save asks where the picture is to go. It is here already, unless it is on its way.
func (w *whole) save() {
	c := w.page.client
	if w.path == "" {
		c.save(w.page.conv.Session, w.item, nil)
		return
	}
	if w.saving {
		return
	}
	w.saving = true
	c.saveAs(w.item.File, w.path, func(fyne.URI) {
		if w.saving = false; w.closed {
			removeFile(w.path)
		}
	})
}
