package ui

import (
	"runtime"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	handset "parley/client/phone"
	"parley/client/session"
	"parley/client/ui/text"
)

// system is what the app has of Android beside Fyne: package phone.
type system struct {
	asksToNotify func() bool
	askToNotify  func(channel string)
	notify       func(handset.Notice) bool
	withdraw     func(tag string)
}

var android = system{handset.AsksToNotify, handset.AskToNotify, handset.Notify, handset.Withdraw}

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
	n := handset.Notice{
		Tag: conv.key, Title: tr("notify.title", "name", text.OneLine(shown.User), "room", conv.title()), Text: body,
		Channel: tr("notify.channel"),
	}
	if !c.system.notify(n) {
		c.app.SendNotification(fyne.NewNotification(quotable(n.Title, runtime.GOOS), quotable(n.Text, runtime.GOOS)))
	}
}

// quotable is a text that Fyne may show in a notification. On Windows Fyne puts
// it into a PowerShell script, in quotes: what PowerShell reads there would end
// the text or run what somebody has written, so look-alikes take its place.
func quotable(s, system string) string {
	if system != "windows" {
		return s
	}
	return strings.NewReplacer(`"`, "'", "“", "'", "”", "'", "„", "'", "`", "'", "$", "＄").Replace(s)
}

// askToNotify says what notifications are for and has Android ask for them, the
// first time that the person sends. Whoever refuses is not asked again.
func (c *client) askToNotify() {
	if c.sent {
		return
	}
	c.sent = true
	if c.prefs.askedToNotify() || !c.system.asksToNotify() {
		return
	}
	c.prefs.setAskedToNotify()
	c.window.Canvas().Unfocus() // the keyboard would cover the answers
	var o *overlay
	o = c.showForm(tr("notify.ask"), newText(tr("notify.why"), fontSmall, roleMuted),
		newPrimary(tr("notify.yes"), func() {
			o.close()
			c.system.askToNotify(tr("notify.channel"))
		}),
		newSecondary(tr("notify.no"), func() { o.close() }))
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
