package session

import (
	"fmt"
	"reflect"
	"slices"

	"parley/shared"
)

// Timeline is a timeline with a store under it, without a connection.
type Timeline struct {
	*timeline
	store   Store
	kept    RoomStore
	unsaved []Change // what Changes has returned since the last Save
}

// NewTimeline makes a timeline that keeps a number of rows.
func NewTimeline(s Store, kept int) *Timeline {
	t := &Timeline{timeline: newTimeline(), store: s}
	t.timeline.kept = kept
	t.load(t.enter())
	return t
}

// enter starts using the store again. Nobody else uses it, so it leaves at once.
func (t *Timeline) enter() Saved {
	t.kept = t.store.Enter("s", "r", nil)
	t.kept.Leave()
	saved, err := t.kept.Load()
	if err != nil {
		panic(err)
	}
	return saved
}

func (t *Timeline) Welcome(m shared.Message)          { t.welcome(m) }
func (t *Timeline) Live(m shared.Message)             { t.live(m) }
func (t *Timeline) Acknowledged(id string, off int64) { t.acknowledged(id, off) }
func (t *Timeline) Pend(i Item)                       { t.pend(i, "") }
func (t *Timeline) Fail(id string)                    { t.fail(id, shared.CodeNotAllowed, "no") }
func (t *Timeline) Discard(id string)                 { t.discard(id) }
func (t *Timeline) Position() shared.Position         { return t.position }
func (t *Timeline) Epoch() string                     { return t.epoch }
func (t *Timeline) More() bool                        { return t.more() }

// Next is the oldest pending message.
func (t *Timeline) Next() (id, text string, ok bool) {
	if r, _ := t.next(); r != nil {
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
	t.unsaved = append(t.unsaved, changes...)
	t.changes = nil
	return changes
}

// Placed are the fixed rows, "" for what is not of the present epoch.
func (t *Timeline) Placed() (offsets []int64, gaps []bool) {
	for _, r := range t.rows[:t.fixed] {
		offset := int64(0)
		if r.Epoch == t.epoch && r.Epoch != "" {
			offset = r.Offset
		}
		offsets = append(offsets, offset)
		gaps = append(gaps, r.Kind == KindGap)
	}
	return offsets, gaps
}

// Save saves, and says how what was saved differs from what is there.
func (t *Timeline) Save() error {
	t.changes = t.unsaved // the loop has them there when it saves
	err := t.kept.Save(Saving{
		Saved: Saved{
			State: RoomState{Server: "s", Position: t.position, Begun: t.begun && t.fixed <= t.timeline.kept},
			Log:   t.keptRows(), Outbox: t.rows[t.fixed:],
		},
		Changed: t.changed(),
	})
	t.changes, t.unsaved = nil, nil
	if err != nil {
		return err
	}
	again := t.store.Enter("s", "r", nil)
	defer again.Leave()
	saved, err := again.Load()
	if err != nil {
		return err
	}
	if err := sameRows(saved.Log, t.keptRows()); err != nil {
		return err
	}
	waiting := slices.Clone(t.rows[t.fixed:])
	for i, r := range waiting {
		r := *r
		r.Delivery, r.Offset = Pending, 0
		waiting[i] = &r
	}
	return sameRows(saved.Outbox, waiting)
}

func sameRows(got, want []*Row) error {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !reflect.DeepEqual(*got[i], *want[i]) {
			return fmt.Errorf("row %d of %d is not that of %d", i, len(got), len(want))
		}
	}
	return nil
}

// Reload starts again from what was saved.
func (t *Timeline) Reload() {
	kept := t.timeline.kept
	t.timeline = newTimeline()
	t.timeline.kept = kept
	t.load(t.enter())
}
