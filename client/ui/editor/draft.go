package editor

import (
	"slices"
	"unicode"

	"parley/client/ui/text"
)

// draft is a text that a person writes, with its caret, its selection, and how
// it came about. Positions count code points.
type draft struct {
	runes        []rune
	caret        int
	anchor       int    // the selection is between it and the caret
	limit        int    // of code points
	done, undone []edit // what undo and redo go through
}

// edit is that come replaced gone at a position.
type edit struct {
	at         int
	gone, come []rune
}

// maxEdits is how many edits can be undone.
const maxEdits = 200

// selection is the part that is selected; from is to when none is.
func (d *draft) selection() (from, to int) {
	return min(d.caret, d.anchor), max(d.caret, d.anchor)
}

func (d *draft) selected() string {
	from, to := d.selection()
	return string(d.runes[from:to])
}

// move puts the caret elsewhere; selecting keeps the other end of the selection.
func (d *draft) move(to int, selecting bool) {
	d.caret = min(max(to, 0), len(d.runes))
	if !selecting {
		d.anchor = d.caret
	}
}

// set replaces everything, and forgets what could be undone.
func (d *draft) set(s string) {
	d.runes = []rune(text.Typed(s))
	d.done, d.undone = nil, nil
	d.move(len(d.runes), false)
}

// write replaces the selection. It reports whether the text has room for it;
// otherwise nothing changes.
func (d *draft) write(s string) bool {
	from, to := d.selection()
	come := []rune(text.Typed(s))
	if n := len(d.runes) - (to - from) + len(come); n > d.limit && n > len(d.runes) {
		return false
	}
	d.replace(edit{from, slices.Clone(d.runes[from:to]), come})
	return true
}

// erase deletes from one position to another.
func (d *draft) erase(from, to int) {
	if from < to {
		d.replace(edit{from, slices.Clone(d.runes[from:to]), nil})
	}
}

func (d *draft) replace(e edit) {
	if len(e.gone)+len(e.come) == 0 {
		return
	}
	d.apply(e)
	d.undone = nil
	if n := len(d.done); n > 0 && d.done[n-1].continuedBy(e) {
		d.done[n-1].come = append(d.done[n-1].come, e.come...)
		return
	}
	if len(d.done) == maxEdits {
		d.done = slices.Delete(d.done, 0, 1)
	}
	d.done = append(d.done, e)
}

// continuedBy reports whether another edit goes on with the same word.
func (e edit) continuedBy(next edit) bool {
	return len(e.come) > 0 && len(next.gone) == 0 && len(next.come) == 1 && next.at == e.at+len(e.come) &&
		!unicode.IsSpace(next.come[0])
}

func (d *draft) apply(e edit) {
	d.runes = slices.Replace(d.runes, e.at, e.at+len(e.gone), e.come...)
	d.move(e.at+len(e.come), false)
}

func (d *draft) undo() {
	if n := len(d.done); n > 0 {
		e := d.done[n-1]
		d.done, d.undone = d.done[:n-1], append(d.undone, e)
		d.apply(edit{e.at, e.come, e.gone})
	}
}

func (d *draft) redo() {
	if n := len(d.undone); n > 0 {
		e := d.undone[n-1]
		d.undone, d.done = d.undone[:n-1], append(d.done, e)
		d.apply(e)
	}
}

// cluster is how far from a position a character's beginning or end is looked
// for.
const cluster = 64

// before is the beginning of the character that people see before a position.
func (d *draft) before(at int) int {
	if at <= 0 {
		return 0
	}
	g := text.Graphemes(string(d.runes[max(at-cluster, 0):at]))
	return at - len([]rune(g[len(g)-1]))
}

// after is the end of the character that people see behind a position.
func (d *draft) after(at int) int {
	if at >= len(d.runes) {
		return len(d.runes)
	}
	return at + len([]rune(text.Graphemes(string(d.runes[at:min(at+cluster, len(d.runes))]))[0]))
}

// wordBefore and wordAfter are the beginning of the word before a position, and the
// end of the one behind it.
func (d *draft) wordBefore(at int) int {
	for at > 0 && !wordRune(d.runes[at-1]) {
		at--
	}
	for at > 0 && wordRune(d.runes[at-1]) {
		at--
	}
	return at
}

func (d *draft) wordAfter(at int) int {
	for at < len(d.runes) && !wordRune(d.runes[at]) {
		at++
	}
	for at < len(d.runes) && wordRune(d.runes[at]) {
		at++
	}
	return at
}

// selectWord selects the word at a position.
func (d *draft) selectWord(at int) {
	from, to := at, at
	for from > 0 && wordRune(d.runes[from-1]) {
		from--
	}
	for to < len(d.runes) && wordRune(d.runes[to]) {
		to++
	}
	d.anchor = from
	d.move(to, true)
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}
