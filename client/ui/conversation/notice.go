package conversation

import (
	"fmt"
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
		return lang.T("notice.set", "who", who, "what", strings.Join(Rules(set), ", "))
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

// Rules say what settings mean, in small letters.
func Rules(s shared.Settings) (list []string) {
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
