package ui

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// inboxName is the file, in the app's folder, in which a link is left for the app: by
// client/android/Link.smali, and by a Parley that was started while another one runs.
const inboxName = "link"

// maxHanded is the size of that file in bytes, at most: of the 8,192 characters that
// Link.smali leaves, none has more than three.
const maxHanded = 3 * 8192

// takeHanded returns what was left in the file, and removes it. ok is false if nothing was.
// What is too large or no text counts as an empty text.
func takeHanded(path string) (left string, ok bool) {
	taken := path + ".taken"
	if os.Rename(path, taken) != nil { // else a link that comes now would be removed unread
		return "", false
	}
	data, err := readHanded(taken)
	if err := errors.Join(err, os.Remove(taken)); err != nil {
		fyne.LogError("A link that was left for the app can't be read", err)
		return "", false
	}
	if len(data) > maxHanded || !utf8.Valid(data) {
		return "", true
	}
	return string(data), true
}

func readHanded(path string) ([]byte, error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, os.ErrInvalid)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxHanded+1))
}

// leaveLink leaves a link for the Parley that runs already.
func leaveLink(path, link string) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(link), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// parleyLinks finds those that text.Links does not know.
var parleyLinks = regexp.MustCompile(`(?i)\bparley://[^\s<>"“”«»]+`)

// linkIn finds the link to a server in a text: one to a room, if there is one. Otherwise
// problem is the end of the key of a sentence for the person.
func linkIn(s string) (found shared.Link, problem string) {
	candidates := parleyLinks.FindAllString(s, -1)
	if whole := strings.TrimSpace(s); len(strings.Fields(whole)) == 1 {
		candidates = []string{whole}
	} else {
		for i, c := range candidates {
			candidates[i] = strings.TrimRight(c, ".,;:!?)]}'")
		}
		for _, l := range text.Links(s) {
			candidates = append(candidates, l.URL)
		}
	}
	problem = "none"
	for _, c := range candidates {
		link, err := shared.ParseLink(c)
		var refused *shared.LinkError
		switch {
		case errors.As(err, &refused):
			if refused.Code != shared.LinkAddress && problem == "none" {
				problem = "damaged"
			}
		case link.Room != "":
			return link, ""
		case problem != "":
			found, problem = link, ""
		}
	}
	return found, problem
}

// takeLink looks whether a link was left for the app, which is in front now.
func (c *client) takeLink() {
	if c.inbox == "" || c.nav.top() == nil || c.lost.moving {
		return // router.start looks again
	}
	if left, ok := takeHanded(c.inbox); ok {
		c.handed(left)
	}
}

// handed asks whether to go where a link leads that came from outside of the app. Only a
// room that is open is shown at once: whoever made the link learns nothing by that.
func (c *client) handed(left string) {
	link, problem := linkIn(left)
	if problem != "" {
		c.nav.Say(lang.T("link." + problem))
		return
	}
	if c.linkQuestion != nil {
		c.linkQuestion.Close() // about an earlier link
	}
	server := c.prefs.server()
	if link.Base() == server {
		if conv := c.find(link.Room); conv != nil && link.HostKey == "" {
			c.ways.enter(conv.Name)
			return
		}
	}
	title := lang.T("moved.title", "address", hostOf(link.Base()))
	if link.Room != "" {
		title = lang.T("link.room", "room", link.Room)
	}
	why := lang.T("link.why", "address", hostOf(link.Base()))
	if server != "" && server != link.Base() && len(c.open) > 0 {
		why += " " + lang.T("link.leave", "server", hostOf(server))
	}
	c.linkQuestion = kit.ShowForm(c.window.Canvas(), title, kit.NewText(why, kit.FontSmall, kit.RoleMuted),
		kit.NewPrimary(lang.T("moved.go"), func() {
			c.linkQuestion.Close()
			c.ways.follow(link)
		}),
		kit.NewSecondary(lang.T("moved.stay"), func() { c.linkQuestion.Close() }))
}
