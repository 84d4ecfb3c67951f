package session

import (
	"fmt"
	"slices"

	"parley/shared"
)

// NoSync makes a store faster that need not outlive the machine.
func NoSync(s *Store) { s.db.NoSync = true }

// Timeline is a timeline with a store under it, without a connection.
type Timeline struct {
	*timeline
	store *Store
}

// NewTimeline keeps so many rows in a store that does not wait for the disk.
func NewTimeline(s *Store, kept int) *Timeline {
	NoSync(s)
	t := &Timeline{newTimeline(), s}
	t.kept = kept
	t.load(savedRoom{})
	return t
}

func (t *Timeline) Welcome(m shared.Message)          { t.welcome(m) }
func (t *Timeline) Live(m shared.Message)             { t.live(m) }
func (t *Timeline) Acknowledged(id string, off int64) { t.acknowledged(id, off) }
func (t *Timeline) Pend(i Item)                       { t.pend(i) }
func (t *Timeline) Fail(id string)                    { t.fail(id, shared.CodeNotAllowed, "no") }
func (t *Timeline) Discard(id string)                 { t.discard(id) }
func (t *Timeline) Position() shared.Position         { return t.position }
func (t *Timeline) Epoch() string                     { return t.epoch }
func (t *Timeline) More() bool                        { return t.more() }

// Next is the oldest pending message.
func (t *Timeline) Next() (id, text string, ok bool) {
	if r := t.next(); r != nil {
		return r.ID, r.Text, true
	}
	return "", "", false
}

// AskOlder asks for older history, of ask, until it has some.
func (t *Timeline) AskOlder(ask func(before int64) shared.Message) {
	for {
		before, ok := t.beforeOldest()
		if !ok || t.older(before, ask(before)) {
			return
		}
	}
}

// AskGap asks for what is missing at a gap and reports whether it could.
func (t *Timeline) AskGap(id string, ask func(before int64) shared.Message) bool {
	gap, before, ok := t.gapAt(id)
	if !ok {
		return false
	}
	for done := t.fill(gap.ID, before, ask(before)); !done; {
		if gap, before, ok = t.gapAt(id); !ok {
			return true
		}
		done = t.fill(gap.ID, before, ask(before))
	}
	return true
}

// Changes are those since the last call.
func (t *Timeline) Changes() []Change {
	t.tellMore()
	changes := t.changes
	t.changes = nil
	return changes
}

// Placed are the fixed rows, "" for what is not of the present epoch.
func (t *Timeline) Placed() (offsets []int64, gaps []bool) {
	for _, r := range t.rows[:t.fixed] {
		offset := int64(0)
		if r.epoch == t.epoch && r.epoch != "" {
			offset = r.Offset
		}
		offsets = append(offsets, offset)
		gaps = append(gaps, r.Kind == KindGap)
	}
	return offsets, gaps
}

// Save saves, and says how what was saved differs from what is there.
func (t *Timeline) Save() error {
	state := savedState{Server: "s", Position: t.position, Begun: t.begun && t.fixed <= t.kept}
	if err := t.store.saveRoom("s", state, "", t.timeline); err != nil {
		return err
	}
	t.delta = delta{}
	saved, err := t.store.loadRoom("s")
	if err != nil {
		return err
	}
	kept := t.rows[max(0, t.fixed-t.kept):t.fixed]
	if err := sameRows(saved.rows, kept); err != nil {
		return err
	}
	waiting := slices.Clone(t.rows[t.fixed:])
	for i, r := range waiting {
		r := *r
		r.Delivery, r.Offset = Pending, 0
		waiting[i] = &r
	}
	return sameRows(saved.outbox, waiting)
}

func sameRows(got, want []*row) error {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || *got[i] != *want[i] {
			return fmt.Errorf("row %d of %d is not that of %d", i, len(got), len(want))
		}
	}
	return nil
}

// Reload starts again from what was saved.
func (t *Timeline) Reload() error {
	saved, err := t.store.loadRoom("s")
	if err != nil {
		return err
	}
	kept := t.kept
	t.timeline = newTimeline()
	t.kept = kept
	t.load(saved)
	return nil
}
