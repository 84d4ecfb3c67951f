package conversation

import (
	"fmt"
	"image"
	"image/color"
	"path"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// Thumbs gives the thumbnails of the messages in sight.
type Thumbs interface {
	// Of is the thumbnail of a message's file; nil if it is not there yet, and is then
	// asked for. List.Redraw draws it when it has come.
	Of(item session.Item) image.Image
}

// Measures of a file in a bubble, in units of the grid.
const (
	pictureInset = kit.Unit // from the bubble's edge
	pictureHigh  = 340      // at most
	pictureWide  = 140      // at least
	pictureLow   = 64       // at least
	fileSide     = kit.Touch
	fileGap      = 2 * kit.Unit // between a file and what stands over or under it
	barHeight    = 3
	fileBar      = barHeight + kit.Unit // of a file without a picture, at its lower end
)

// Said is what a message says, in one line: its text, or the name of its file.
func Said(item session.Item) string {
	if s := oneLine(item.Text); s != "" || item.File == nil {
		return s
	}
	return FileLabel(item.File)
}

// FileLabel is a file's name, fit to be shown in a line.
func FileLabel(f *session.File) string { return text.OneLine(f.Name) }

// IsPicture reports whether a file can be shown whole.
func IsPicture(f *session.File) bool {
	switch f.Type {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	}
	return f.Type == "" && f.Thumb // of the person's own, before the server has told
}

// Size is a number of bytes in words.
func Size(n int64) string {
	const k = 1000
	switch {
	case n < k:
		return fmt.Sprintf("%d B", n)
	case n < k*k-k/2:
		return fmt.Sprintf("%d kB", (n+k/2)/k)
	case n < 10*k*k:
		return lang.Decimal(fmt.Sprintf("%.1f MB", float64(n)/(k*k)))
	case n < k*k*k-k*k/2:
		return fmt.Sprintf("%d MB", (n+k*k/2)/(k*k))
	}
	return lang.Decimal(fmt.Sprintf("%.1f GB", float64(n)/(k*k*k)))
}

// pictured reports whether a message shows a thumbnail.
func (r *row) pictured() bool {
	f := r.item.File
	return f != nil && f.Thumb && !f.Gone && f.Width > 0 && f.Height > 0
}

// spoken reports whether there is a text besides the file.
func (r *row) spoken() bool { return r.item.File == nil || strings.TrimSpace(r.text) != "" }

// wrapWidth is how wide the text of a message may be: of a picture, about as wide as it.
func (r *row) wrapWidth(f frame) float32 {
	most := f.maxText()
	if !r.pictured() {
		return most
	}
	w, _ := r.fileSize(f)
	return min(max(w+2*pictureInset-2*bubbleInset, 200*f.scale), most)
}

// fileSize is the size of a message's file in its bubble. That of a picture follows
// from its width and height, so nothing moves when the thumbnail comes.
func (r *row) fileSize(f frame) (width, height float32) {
	most := f.maxText()
	file := r.item.File
	if !r.pictured() {
		first := kit.FontStrong.Wrapper().Measure(FileLabel(file), 1e6).Widest
		second := max(kit.FontSmall.Wrapper().Measure(fileDetail(r.item), 1e6).Widest, 88*f.scale)
		return min(float32(int(fileSide+2*kit.Unit+max(first, second)+1)), most),
			max(fileSide, kit.FontStrong.LineHeight()+kit.FontSmall.LineHeight()) + fileBar
	}
	most += 2*bubbleInset - 2*pictureInset
	high := float32(pictureHigh)
	if f.dense {
		high /= 2
	}
	w, h := float32(file.Width), float32(file.Height)
	k := min(most/w, high/h, 1)
	if longest := max(w, h); longest*k < high/2 { // small ones are not lost in their bubble
		k = min(most/w, high/h, high/2/longest, 2)
	}
	return float32(int(min(max(w*k, pictureWide), most))), float32(int(min(max(h*k, pictureLow), high)))
}

// fileLift is how much nearer a picture is to the bubble's edge than a text.
func (r *row) fileLift(f frame) float32 {
	if !r.pictured() || r.named(f) || r.item.Quote != nil {
		return 0
	}
	return f.pad() - min(f.pad(), pictureInset)
}

// fileGap is the room under a file.
func (r *row) fileGap() float32 {
	if !r.spoken() {
		return 0
	}
	return fileGap
}

// fileGaps is what a file takes besides its height.
func (r *row) fileGaps(f frame) float32 { return r.fileGap() - r.fileLift(f) }

// fileDetail is what stands under a file's name.
func fileDetail(item session.Item) string {
	f := item.File
	switch {
	case f.Gone:
		return lang.T("file.gone")
	case item.Delivery == session.Pending:
		return sending(f)
	}
	s := Size(f.Size)
	if ext := strings.ToUpper(strings.TrimPrefix(path.Ext(f.Name), ".")); ext != "" && len(ext) <= 5 {
		s = text.OneLine(ext) + " · " + s
	}
	return s
}

// sending says how far a file came.
func sending(f *session.File) string {
	if f.Sent == 0 {
		return lang.T("file.waits", "size", Size(f.Size))
	}
	return lang.T("file.sending", "done", Size(min(f.Sent, f.Size)), "size", Size(f.Size))
}

// fileIcon is the icon for a file without a thumbnail.
func fileIcon(f *session.File) string {
	switch kind, _, _ := strings.Cut(f.Type, "/"); kind {
	case "image":
		return "image"
	case "audio":
		return "sound"
	case "video":
		return "film"
	}
	return "file"
}

// file draws a message's file, with its upper left corner at x, y.
func (v *rowView) file(r *row, f frame, thumbs Thumbs, ink inks, x, y, inner float32) {
	w, h := r.fileSize(f)
	if r.pictured() {
		x -= bubbleInset - pictureInset
		v.picture(r, thumbs, ink, x, y, w, h)
	} else {
		v.plainFile(r, ink, x, y, inner, h)
		w = inner
	}
	v.areas = append(v.areas, area{Kind: HitFile, at: fyne.NewPos(x, y), size: fyne.NewSize(w, h)})
	if r.item.Delivery == session.Pending {
		v.cancel(r, x, y, w, h)
	}
}

// pictureRound is the radius of a picture's corners.
const pictureRound = bubbleRound - pictureInset

func (v *rowView) picture(r *row, thumbs Thumbs, ink inks, x, y, w, h float32) {
	v.add(&canvas.Rectangle{FillColor: ink.soft, CornerRadius: pictureRound}, x, y, w, h)
	var img image.Image
	if thumbs != nil {
		img = thumbs.Of(r.item)
	}
	if img != nil {
		o := canvas.NewImageFromImage(img)
		o.FillMode = canvas.ImageFillContain
		o.CornerRadius = pictureRound
		v.add(o, x, y, w, h)
	} else if r.item.Delivery != session.Pending {
		v.icon("image", ink.muted, x+(w-28)/2, y+(h-28)/2, 28)
	}
	if r.item.File.Type != "" && !IsPicture(r.item.File) { // of a film, a picture of it
		v.disc("play", x+(w-fileSide)/2, y+(h-fileSide)/2)
	}
	if r.item.Delivery != session.Pending {
		return
	}
	s := sending(r.item.File)
	tw := kit.FontTiny.Wrapper().Measure(s, 1e6).Widest
	th := kit.FontTiny.LineHeight()
	if tw+6*kit.Unit > w || th+4*kit.Unit+fileSide > h {
		return
	}
	v.add(&canvas.Rectangle{FillColor: over, CornerRadius: th / 2}, x+2*kit.Unit, y+2*kit.Unit, tw+4*kit.Unit, th)
	v.cut(s, kit.FontTiny, onOver, x+4*kit.Unit, y+2*kit.Unit, tw+1)
}

// over is the ground of what is drawn on a picture, and onOver what is on it.
var (
	over   = kit.Alpha(0x10121c, 0xa8)
	onOver = kit.Alpha(0xffffff, 0xff)
)

func (v *rowView) plainFile(r *row, ink inks, x, y, inner, h float32) {
	file := r.item.File
	h -= fileBar
	top := y + float32(int((h-fileSide)/2))
	if r.item.Delivery != session.Pending {
		v.add(&canvas.Rectangle{FillColor: ink.soft, CornerRadius: 3 * kit.Unit}, x, top, fileSide, fileSide)
		v.icon(fileIcon(file), ink.link, x+(fileSide-24)/2, top+(fileSide-24)/2, 24)
	}
	tx, width := x+fileSide+2*kit.Unit, inner-fileSide-2*kit.Unit
	ty := y + float32(int((h-kit.FontStrong.LineHeight()-kit.FontSmall.LineHeight())/2))
	c := ink.text
	if file.Gone {
		c = ink.muted
	}
	v.cut(FileLabel(file), kit.FontStrong, c, tx, ty, width)
	v.cut(fileDetail(r.item), kit.FontSmall, ink.muted, tx, ty+kit.FontStrong.LineHeight(), width)
}

// cancel draws the button that ends the sending of a file, and how far it came.
func (v *rowView) cancel(r *row, x, y, w, h float32) {
	file := r.item.File
	bx, by := x, y+float32(int((h-fileBar-fileSide)/2))
	track := float32(0)
	if r.pictured() {
		bx, by = x+float32(int((w-fileSide)/2)), y+float32(int((h-fileSide)/2))
		track = 3 * kit.Unit
	}
	v.disc("close", bx, by)
	v.areas = append(v.areas, area{Kind: HitCancel, at: fyne.NewPos(bx, by), size: fyne.NewSquareSize(fileSide)})
	part := float32(0)
	if file.Size > 0 {
		part = min(float32(file.Sent)/float32(file.Size), 1)
	}
	bar := func(c canvas.Rectangle, width float32) {
		c.CornerRadius = barHeight / 2.0
		v.add(&c, x+track, y+h-barHeight-track, width, barHeight)
	}
	bar(canvas.Rectangle{FillColor: over}, w-2*track)
	if part > 0 {
		bar(canvas.Rectangle{FillColor: onOver}, max((w-2*track)*part, barHeight))
	}
}

// disc draws an icon on a dark disc.
func (v *rowView) disc(icon string, x, y float32) {
	v.add(&canvas.Rectangle{FillColor: over, CornerRadius: (fileSide - 8) / 2.0}, x+4, y+4, fileSide-8, fileSide-8)
	v.icon(icon, onOver, x+(fileSide-20)/2, y+(fileSide-20)/2, 20)
}

func (v *rowView) icon(name string, c color.NRGBA, x, y, side float32) {
	image := canvas.NewImageFromResource(kit.Icon(name, c))
	image.FillMode = canvas.ImageFillContain
	v.add(image, x, y, side, side)
}

// SetThumbs makes the list show thumbnails.
func (l *List) SetThumbs(t Thumbs) { l.timeline.Thumbs = t }
