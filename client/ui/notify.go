package ui

import (
	"runtime"
	"strings"

	"fyne.io/fyne/v2"

	handset "parley/client/phone"
	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// maxNotices is how many notifications there are until the person looks.
const maxNotices = 20

// notify tells of new messages outside the window: of any when the window is
// not in front, of one that names the person when the room is not on the screen.
func notify(c *client, conv *conversation.Room, news []session.Item) {
	var shown *session.Item
	names := conv.Names(c.prefs.name())
	for i := range news {
		if !c.focused || conversation.Mentions(news[i].Text, names...) {
			shown = &news[i]
		}
	}
	if shown == nil || c.notices >= maxNotices || kit.IsPhone() && c.focused {
		return
	}
	c.notices++
	body := conversation.Said(*shown)
	if len(body) > 300 {
		body = strings.ToValidUTF8(body[:300], "") + "…"
	}
	n := handset.Notice{
		Tag: conv.Key, Title: lang.T("notify.title", "name", text.OneLine(shown.User), "room", conv.Title()), Text: body,
		Channel: lang.T("notify.channel"), Link: c.linkTo(conv),
	}
	if !c.system.notify(n) {
		c.app.SendNotification(fyne.NewNotification(quotable(n.Title, runtime.GOOS), quotable(n.Text, runtime.GOOS)))
	}
}

// linkTo is a link to an open room, which handed follows without a question; "" if its
// server has no address.
func (c *client) linkTo(conv *conversation.Room) string {
	link, err := shared.ParseLink(c.prefs.server())
	if err != nil {
		return ""
	}
	link.Room = conv.Name
	return link.String()
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
