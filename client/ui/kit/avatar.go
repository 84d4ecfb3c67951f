package kit

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/text"
)

// initials are the first characters of the first and the last word of a name.
func initials(name string) string {
	words := strings.FieldsFunc(text.OneLine(name), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("-_.()", r)
	})
	if len(words) == 0 {
		return "?"
	}
	out := firstLetter(words[0])
	// A second Hebrew or Arabic letter would join or change places, and two
	// ideographs don't fit.
	if last := words[len(words)-1]; len(words) > 1 && onlyAlphabetic(out) && onlyAlphabetic(firstLetter(last)) {
		out += firstLetter(last)
	}
	return out
}

func firstLetter(word string) string {
	return strings.ToUpper(text.Graphemes(word)[0])
}

func onlyAlphabetic(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Digit) {
			return false
		}
	}
	return true
}

// Avatar is a disc with the initials of a name in its person's colour.
type Avatar struct {
	widget.BaseWidget
	name   string
	author string // decides the colour: two people of one name differ in it
	side   float32
	square bool // a rounded square: a room
}

// NewAvatar makes the disc of a person. author decides its colour; side is its
// width and height.
func NewAvatar(name, author string, side float32) *Avatar {
	a := &Avatar{name: name, author: author, side: side}
	a.ExtendBaseWidget(a)
	return a
}

// NewRoomAvatar makes the rounded square of a room.
func NewRoomAvatar(name string, side float32) *Avatar {
	a := NewAvatar(name, name, side)
	a.square = true
	return a
}

func (a *Avatar) Natural() float32    { return a.side }
func (a *Avatar) Fit(float32) float32 { return a.side }
func (a *Avatar) MinSize() fyne.Size  { return fyne.NewSquareSize(a.side) }

func (a *Avatar) CreateRenderer() fyne.WidgetRenderer {
	r := &avatarRenderer{avatar: a, disc: &canvas.Rectangle{}, letters: &canvas.Text{}}
	r.Refresh()
	return r
}

type avatarRenderer struct {
	avatar  *Avatar
	disc    *canvas.Rectangle
	letters *canvas.Text
}

func (r *avatarRenderer) Layout(fyne.Size) {
	side := r.avatar.side
	r.disc.Resize(fyne.NewSquareSize(side))
	size := r.letters.MinSize()
	r.letters.Resize(size)
	r.letters.Move(fyne.NewPos((side-size.Width)/2, (side-size.Height)/2))
}

func (r *avatarRenderer) Refresh() {
	a := r.avatar
	r.disc.FillColor = hueOf(a.author).avatar
	r.disc.CornerRadius = a.side / 2
	if a.square {
		r.disc.CornerRadius = a.side * 0.3
	}
	r.letters.Text = initials(a.name)
	r.letters.FontSource = fontOf(text.OnlyEmoji(r.letters.Text))
	r.letters.Color = light.OnAccent
	r.letters.TextStyle = fyne.TextStyle{Bold: true}
	r.letters.TextSize = a.side * 0.4 // fits the disc whatever the setting of the text's size
	r.Layout(a.Size())
	Repaint(a)
}

func (r *avatarRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.avatar.side) }
func (r *avatarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.disc, r.letters}
}
func (r *avatarRenderer) Destroy() {}
