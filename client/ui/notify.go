package ui

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/text"
)

// maxNotices is how many notifications there are until the person looks.
const maxNotices = 20

// notify tells of new messages outside the window: of any when the window is
// not in front, of one that names the person when the room is not on the screen.
func (c *client) notify(conv *conversation, news []session.Item) {
	var shown *session.Item
	names := conv.names()
	for i := range news {
		if !c.focused || mentions(news[i].Text, names...) {
			shown = &news[i]
		}
	}
	if shown == nil || c.notices >= maxNotices || isPhone() && c.focused {
		return
	}
	c.notices++
	body := text.OneLine(shown.Text)
	if len(body) > 300 {
		body = strings.ToValidUTF8(body[:300], "") + "…"
	}
	c.app.SendNotification(fyne.NewNotification(tr("notify.title", "name", text.OneLine(shown.User), "room", conv.title()), body))
}

func (c *conversation) title() string { return text.OneLine(c.name) }

// mentions reports whether a text names a person by one of their names, in any
// case and as a word of its own.
func mentions(s string, names ...string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(names, func(name string) bool { return hasWord(s, strings.ToLower(name)) })
}

func hasWord(s, name string) bool {
	if name == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(s[at:], name)
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, n := utf8.DecodeRuneInString(s[i+len(name):])
		if (i == 0 || !inWord(before)) && (n == 0 || !inWord(after)) {
			return true
		}
		at = i + len(name)
	}
}

// inWord reports whether a character goes on a word. Scripts that are written
// without blanks have no words to go on.
func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}
