package conversation

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// A line says what a host did; one line stands for a run of the same.

// mostNames is how many names such a line has at most.
const mostNames = 5

// sameRun reports whether one line can stand for two notices.
func sameRun(a, b session.Item) bool {
	return a.Notice.Do == b.Notice.Do && a.User == b.User && a.By == b.By &&
		(a.Notice.Do != shared.DoPin || (a.Notice.Pinned == 0) == (b.Notice.Pinned == 0))
}

// noticeLine says what a run of notices is about; "" if this version does not know it.
func noticeLine(run []session.Item) string {
	item := run[len(run)-1]
	who := HostName(item.User)
	switch do := item.Notice.Do; do {
	case shared.DoOpen:
		return lang.T("notice.open", "who", who)
	case shared.DoPin:
		if item.Notice.Pinned == 0 {
			return lang.T("notice.unpin", "who", who)
		}
		return lang.T("notice.pin", "who", who)
	case shared.DoSet:
		var set shared.Settings
		for _, i := range run {
			set = set.With(i.Notice.Settings)
		}
		return lang.T("notice.set", "who", who, "what", strings.Join(rules(set), ", "))
	case shared.DoRemove, shared.DoAdmit, shared.DoSilence, shared.DoUnsilence, shared.DoHost, shared.DoUnhost, shared.DoDeleteAll:
		return lang.T("notice."+do, "who", who, "whom", names(run))
	}
	return ""
}

// names are those of whom notices are about, each once.
func names(run []session.Item) string {
	var list []string
	seen := make(map[string]bool)
	for _, i := range run {
		if name := text.OneLine(i.Notice.About); !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	if n := len(list) - mostNames; n > 0 {
		list = append(list[:mostNames], lang.Plural("people.more", n))
	}
	return strings.Join(list, ", ")
}

// HostName is the name of a host in a sentence, fit to be shown in a line.
func HostName(user string) string {
	if user == "" || user == operator {
		return lang.T("notice.operator")
	}
	return text.OneLine(user)
}

// rules say what settings mean, in small letters.
func rules(s shared.Settings) (list []string) {
	for _, r := range [...]struct{ name, value string }{{"write", s.Write}, {"door", s.Door}, {"files", s.Files}} {
		if key := "rule." + r.name + "." + r.value; r.value != "" && lang.Has(key) {
			list = append(list, lang.T(key))
		}
	}
	switch {
	case s.Slow == nil:
	case *s.Slow == 0:
		list = append(list, lang.T("rule.slow.off"))
	default:
		list = append(list, lang.T("rule.slow", "time", Seconds(*s.Slow)))
	}
	return list
}

// Seconds is a number of seconds in the largest unit that fits.
func Seconds(n int) string {
	switch {
	case n == 0 || n%60 != 0:
		return fmt.Sprint(n, " s")
	case n%3600 != 0:
		return fmt.Sprint(n/60, " min")
	}
	return fmt.Sprint(n/3600, " h")
}

// operator is what the server calls its operator in a sentence.
const operator = "The server's operator"

// reasons are the sentences of a server that say whose doing something is, and the keys
// of the same in the person's language.
var reasons = []struct {
	sentence   *regexp.Regexp
	key, value string
}{
	{regexp.MustCompile(`^(.+) has removed you from this room\.$`), "cause.removed_by", "name"},
	{regexp.MustCompile(`^(.+) has closed this room: nobody else comes in now\.$`), "cause.door_closed", "name"},
	{regexp.MustCompile(`^(.+) lets in only those who have been in this room before\.$`), "cause.door_known", "name"},
	{regexp.MustCompile(`^(Somebody) was removed from this room\. For \d+ minutes, nobody new comes in from the same address\.$`), "cause.door_beside", "name"},
	{regexp.MustCompile(`^(.+) has silenced you\. You can read, but not write\.$`), "quiet.silenced", "who"},
	{regexp.MustCompile(`^(.+) has set that only hosts write here\.$`), "quiet.hosts", "who"},
	{regexp.MustCompile(`^(.+) has set that only hosts send files here\.$`), "file.hosts", "who"},
	{regexp.MustCompile(`^(.+) has set that nobody sends files here\.$`), "file.nobody", "who"},
	{regexp.MustCompile(`^(Only a host) of this room can do that\.$`), "act.no.host", ""},
	{regexp.MustCompile(`^(There is nobody) of that name\.$`), "act.no.nobody", ""},
	{regexp.MustCompile(`^(You can't do that) to yourself\.$`), "act.no.self", ""},
	{regexp.MustCompile(`^(.+) is a host of this room(?: already\.|\. You can only take that away\.)$`), "act.no.is_host", "name"},
	{regexp.MustCompile(`^(.+) was removed or silenced\. Take that back first\.$`), "act.no.barred", "name"},
	{regexp.MustCompile(`^(You are the last host) of this room\.`), "act.no.last", ""},
	{regexp.MustCompile(`^(.+) (?:was not removed, or is let in again already|was not silenced, or may write again already|is no host of this room)\.$`), "act.no.undone", "name"},
}

// Reason is a server's sentence in the person's language, if it is about what a host
// did; ok is false if it is not.
func Reason(sentence string) (s string, ok bool) {
	for _, r := range reasons {
		if m := r.sentence.FindStringSubmatch(sentence); m != nil {
			return lang.T(r.key, r.value, HostName(m[1])), true
		}
	}
	return "", false
}

// Quiet says why the person may not write; "" if they may.
func (c *Room) Quiet() string {
	switch h := c.Hosting; {
	case h.MayWrite():
		return ""
	case h.Silenced != "":
		return lang.T("quiet.silenced", "who", HostName(h.Silenced))
	}
	return lang.T("quiet.hosts")
}

// joins reports whether a row can share its line with its neighbours.
func (r *row) joins() bool { return r.item.Deleted || r.item.Kind == session.KindNotice }

// noticeFont is what a notice is written in.
var noticeFont = kit.FontSmall

// noticeWidth is how wide a notice may be.
func (f frame) noticeWidth() float32 {
	_, w := f.column()
	return w - 4*rowMargin
}

func (r *row) noticeHeight(f frame) float32 {
	return float32(noticeFont.Wrapper().Measure(r.notice, f.noticeWidth()).Lines) * noticeFont.LineHeight()
}

// notice draws what a host did, in centred lines. If that was to pin a message, a tap
// leads to it.
func (v *rowView) notice(r *row, f frame, p *kit.Palette, left, y, width float32) {
	if r.leads > 0 {
		w := f.noticeWidth()
		v.areas = append(v.areas, area{Kind: HitQuote, at: fyne.NewPos((width-w)/2, y), size: fyne.NewSize(w, r.noticeHeight(f)), Offset: r.leads})
	}
	for _, line := range noticeFont.Wrapper().Lay(r.notice, f.noticeWidth()) {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, noticeFont, p.Muted, left+float32(int((width-line.Width)/2)), y)
		y += noticeFont.LineHeight()
	}
}

// actRefused says that what a host wanted to do was not done.
func actRefused(u session.Undo) string {
	why, known := Reason(u.Reason)
	if !known {
		why = text.OneLine(u.Reason)
	}
	if why == "" && u.Code == shared.CodeNotFound {
		why = lang.T("failed.not_found")
	}
	return lang.T("act.refused", "why", cmp.Or(why, lang.T("failed.refused")))
}
