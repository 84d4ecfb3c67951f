package ui

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/picture"
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// sheet shows the files that are to be sent, before they are.
type sheet struct {
	page    *roomPage
	overlay *kit.Overlay
	files   []*attachment
	rows    *kit.Column
	caption *kit.Entry
	written string // the caption as it came from the composer
	asItIs  bool
	toggle  *kit.Tile
	hint    *kit.Text // what goes along with a picture that is sent as it is
	problem *kit.Text
	send    *kit.Tile
	waits   bool // it goes as soon as it is ready
	sending bool
	closed  bool
	reply   string // id of the message that it answers
}

// showSheet shows files that were chosen, and prepares them meanwhile.
func (p *roomPage) showSheet(sources []source) {
	for i := range sources {
		sources[i].kept.ID = rand.Text()
	}
	s := p.newSheet()
	s.show(sources)
	s.keep()
}

// restoreSheet shows the files that were on the sheet when the app ended.
func (p *roomPage) restoreSheet() {
	kept := p.conv.Session.DraftFiles()
	c := p.client
	sending := p.sheet != nil && p.sheet.sending // though it was closed
	if len(kept.Files) == 0 || sending || !p.canAttach() || c.nav.top() != page(p) || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	var sources []source
	for _, f := range kept.Files {
		sources = append(sources, sourceOf(f))
	}
	s := p.newSheet()
	s.asItIs = kept.AsItIs
	if kept.Caption != "" {
		s.caption.SetText(kept.Caption)
	}
	c.window.Canvas().Unfocus() // the composer, which began with the page
	s.show(sources)
}

func (p *roomPage) newSheet() *sheet {
	s := &sheet{page: p, rows: kit.NewColumn(2 * kit.Unit)}
	p.sheet = s
	s.caption = kit.NewEntry(lang.T("file.caption"), p.client.shortcut)
	if t := p.composer.Task(); t == nil || !t.Edit {
		s.written = p.composer.Entry.Text
		s.caption.SetText(strings.ReplaceAll(s.written, "\n", " "))
	}
	return s
}

// keep has the sheet outlive the app.
func (s *sheet) keep() {
	if s.closed {
		return
	}
	d := session.DraftFiles{Caption: s.caption.Text, AsItIs: s.asItIs}
	for _, a := range s.files {
		d.Files = append(d.Files, a.draft())
	}
	s.page.conv.Session.SetDraftFiles(d)
}

// show shows the sheet.
func (s *sheet) show(sources []source) {
	p, c := s.page, s.page.client
	ctx, cancel := context.WithCancel(c.bridge.Context)
	if t := p.composer.Task(); t != nil && !t.Edit {
		s.reply = t.Of.ID
	}
	s.caption.CursorColumn = utf8.RuneCountInString(s.caption.Text)
	s.caption.OnSubmitted = func(string) { s.submit() }
	s.caption.OnChanged = func(string) { s.keep() }
	s.toggle = kit.NewToggle(lang.T("file.asis"), &s.asItIs, func() {
		s.draw()
		s.keep()
	})
	s.hint = kit.NewText("", kit.FontSmall, kit.RoleMuted)
	s.problem = kit.NewText("", kit.FontSmall, kit.RoleError)
	s.send = kit.NewPrimary(lang.T("file.go"), s.submit)
	body := kit.NewColumn(3*kit.Unit, kit.NewText(lang.T("file.send"), kit.FontTitle, kit.RoleText), s.rows,
		kit.NewEntryBox(s.caption), s.toggle, s.hint, s.problem, s.send,
		kit.NewSecondary(lang.T("composer.cancel"), func() { s.overlay.Close() })).Padded(kit.Around(4 * kit.Unit))
	for _, from := range sources {
		s.files = append(s.files, newAttachment(from))
	}
	s.prepare(ctx, slices.Clone(s.files), sources)
	s.draw()
	s.overlay = kit.ShowPanel(c.window.Canvas(), body)
	s.overlay.Closed = func() {
		cancel()
		s.close()
	}
	if !kit.IsPhone() { // a phone's keyboard would hide the picture
		c.window.Canvas().Focus(s.caption)
	}
}

// prepare reads files, one after the other.
func (s *sheet) prepare(ctx context.Context, files []*attachment, sources []source) {
	if len(files) == 0 {
		return
	}
	c, most := s.page.client, s.page.conv.Status.MaxFile
	c.bridge.Run(ctx, func(running context.Context) func() {
		read := c.prepareFile(running, sources[0], most)
		if running.Err() != nil && c.bridge.Context.Err() == nil { // the sheet was closed, and the app goes on
			c.abandon(read)
		}
		return func() {
			s.prepared(files[0], read)
			s.prepare(ctx, files[1:], sources[1:])
		}
	})
}

// prepared shows a file that has been read.
func (s *sheet) prepared(a, read *attachment) {
	if s.closed || !slices.Contains(s.files, a) {
		s.page.client.abandon(read)
		return
	}
	preview := a.preview
	*a = *read
	if a.preview = preview; a.prepared.Thumb != nil {
		img, err := picture.Decode(bytes.NewReader(a.prepared.Thumb), shared.MaxThumbSide*shared.MaxThumbSide, shared.MaxThumbSide)
		if err == nil {
			a.preview = canvas.NewImageFromImage(img)
			a.preview.FillMode = canvas.ImageFillContain
		}
	}
	s.draw()
	s.keep()
	if s.waits && s.ready() {
		s.submit()
	}
}

// ready reports whether all files have been read.
func (s *sheet) ready() bool {
	return !slices.ContainsFunc(s.files, func(a *attachment) bool { return !a.ready })
}

// draw shows the files as they would be sent now.
func (s *sheet) draw() {
	s.rows.Objects = nil
	var hints []string
	encoded := false
	for _, a := range s.files {
		s.rows.Objects = append(s.rows.Objects, s.row(a))
		encoded = encoded || a.prepared.Data != nil
		if a.ready && a.problem == nil && a.tells() {
			hints = append(hints, lang.T("file.only", "name", text.OneLine(a.name)))
		}
	}
	if s.asItIs && encoded {
		hints = append(hints, lang.T("file.asis.why"))
	}
	s.toggle.Hidden = !encoded
	s.hint.SetText(strings.Join(hints, "\n"))
	s.hint.Hidden = len(hints) == 0
	s.problem.Hidden = s.problem.Text == ""
	s.send.Hidden = !slices.ContainsFunc(s.files, func(a *attachment) bool { return s.why(a) == "" })
	label := lang.T("file.go")
	if s.sending || s.waits {
		label = lang.T("file.preparing")
	}
	s.send.Content.(*kit.Text).SetText(label)
	if s.overlay != nil {
		s.overlay.Refresh()
	}
}

// why says why a file can't be sent; "" if it can.
func (s *sheet) why(a *attachment) string {
	most := s.page.conv.Status.MaxFile
	switch _, size := a.outgoing(s.asItIs); {
	case !a.ready:
		return ""
	case a.problem != nil:
		return s.sentence(a, a.problem)
	case size > most:
		return s.sentence(a, session.ErrFileTooLarge)
	}
	return ""
}

// row shows a file: a single picture large, several in lines with a button each that
// takes it off the sheet.
func (s *sheet) row(a *attachment) fyne.CanvasObject {
	detail, role := lang.T("file.preparing"), kit.Role(kit.RoleMuted)
	out, size := a.outgoing(s.asItIs)
	name := a.name
	if a.ready {
		detail, name = conversation.Size(size), cmp.Or(out.Name, a.name)
		if why := s.why(a); why != "" {
			detail, role = why, kit.RoleError
		}
	}
	label := kit.NewColumn(1, kit.NewText(text.OneLine(name), kit.FontStrong, kit.RoleText).Lines(1), kit.NewText(detail, kit.FontSmall, role))
	single := len(s.files) == 1
	var shown fyne.CanvasObject = kit.NewPicture("file", kit.RoleAccent, 28)
	if a.preview != nil {
		side := float32(52)
		if single {
			side = 180
		}
		a.preview.SetMinSize(fyne.NewSize(52, side))
		shown = a.preview
	}
	if single && a.preview != nil {
		return kit.NewColumn(2*kit.Unit, shown, label)
	}
	row := kit.NewRow(3*kit.Unit, 1, shown, label)
	if !single {
		row.Objects = append(row.Objects, kit.NewIconButton("close", func() { s.drop(a) }))
	}
	return row
}

// drop takes a file off the sheet.
func (s *sheet) drop(a *attachment) {
	if s.sending {
		return
	}
	s.files = slices.DeleteFunc(s.files, func(o *attachment) bool { return o == a })
	a.remove()
	s.draw()
	s.keep()
	if s.waits && s.ready() {
		s.submit()
	}
}

// submit sends the files that can be sent, in order, the caption with the first. What
// can't stays on the sheet, with the reason.
func (s *sheet) submit() {
	if s.sending {
		return
	}
	if s.waits = !s.ready(); s.waits {
		s.draw()
		return
	}
	s.problem.SetText("")
	for i, a := range s.files {
		if s.why(a) == "" {
			s.sendFile(i, a)
			return
		}
	}
	s.sending = false
	s.draw()
}

// sendFile puts one file into the outbox, and goes on with the next.
func (s *sheet) sendFile(i int, a *attachment) {
	s.sending = true
	s.draw()
	out, _ := a.outgoing(s.asItIs)
	room, caption, reply := s.page.conv.Session, s.caption.Text, s.reply
	b := s.page.client.bridge
	b.Run(b.Context, func(ctx context.Context) func() {
		err := a.sendTo(ctx, room, out, caption, reply)
		return func() {
			s.sending = false
			if err == nil {
				s.sent(i, a)
			} else {
				s.refused(a, err)
			}
		}
	})
}

// sendTo puts the file into a room's outbox.
func (a *attachment) sendTo(ctx context.Context, room *session.Room, p picture.Prepared, caption, reply string) error {
	from := io.Reader(bytes.NewReader(p.Data))
	if p.Data == nil {
		f, err := os.Open(a.path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	_, err := room.SendFile(ctx, session.Attachment{
		Name: p.Name, From: from, Width: p.Width, Height: p.Height, Thumb: p.Thumb, Draft: a.id,
	}, caption, reply)
	return err
}

// sent goes on after a file is in the outbox.
func (s *sheet) sent(i int, a *attachment) {
	if i < len(s.files) && s.files[i] == a {
		s.files = slices.Delete(s.files, i, i+1)
	}
	a.remove()
	p := s.page
	if s.caption.Text != "" || s.reply != "" { // they went with this one
		p.composer.End()
		p.composer.Entry.SetText("")
		s.caption.SetText("")
		s.reply, s.written = "", ""
	}
	p.list.Follow()
	p.conv.Timeline.SetFresh("")
	p.state()
	if s.closed {
		s.forget()
		return
	}
	if len(s.files) == 0 {
		s.overlay.Close()
		return
	}
	s.submit()
}

// refused says why a file is not in the outbox. It stays on the sheet.
func (s *sheet) refused(a *attachment, err error) {
	if s.closed {
		s.page.client.Say(s.sentence(a, err))
		s.forget()
		return
	}
	s.problem.SetText(s.sentence(a, err))
	s.draw()
}

// sentence says why a file is not sent.
func (s *sheet) sentence(a *attachment, err error) string {
	name := text.OneLine(a.name)
	switch {
	case errors.Is(err, session.ErrTooLong):
		return lang.T("text.full", "limit", fmt.Sprint(shared.MaxCaption))
	case errors.Is(err, session.ErrNoFiles):
		return lang.T("file.nobody")
	case errors.Is(err, session.ErrFileTooLarge):
		_, size := a.outgoing(s.asItIs)
		return lang.T("file.large", "name", name, "size", conversation.Size(size), "limit", conversation.Size(s.page.conv.Status.MaxFile))
	case errors.Is(err, session.ErrEmptyFile):
		return lang.T("file.empty", "name", name)
	case errors.Is(err, session.ErrNoSpace), errors.Is(err, syscall.ENOSPC):
		return lang.T("file.nospace")
	case errors.Is(err, session.ErrNoStore):
		return lang.T("file.nostore")
	}
	return lang.T("file.unread", "name", name)
}

// close forgets the files. What was written stays in the composer.
func (s *sheet) close() {
	s.closed = true
	if !s.sending { // otherwise a file is on its way, and what comes of it forgets the others
		for _, a := range s.files {
			a.remove()
		}
		s.forget()
	}
	if s.caption.Text != strings.ReplaceAll(s.written, "\n", " ") && !s.sending {
		s.page.composer.Entry.SetText(s.caption.Text)
	}
}

// forget has the sheet not outlive the app any more. What is kept may be another one by
// now, which was opened while a file of this one was on its way.
func (s *sheet) forget() {
	room := s.page.conv.Session
	if kept := room.DraftFiles(); len(kept.Files) == 0 || slices.ContainsFunc(s.files, func(a *attachment) bool { return kept.Has(a.id) }) {
		room.SetDraftFiles(session.DraftFiles{})
	}
}
