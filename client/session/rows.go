package session

import "slices"

// The ways in which a timeline's rows come, go and change. Each step becomes a Change.

func (t *timeline) index(r *Row) {
	t.ids[r.ID] = r
	if r.Kind == KindGap {
		return
	}
	t.entries[r.Entry] = r
	if r.Epoch == t.epoch && r.Epoch != "" {
		t.byOffset[r.Offset] = r
	}
}

// indexOf searches from the end, because most rows that change are there.
func (t *timeline) indexOf(r *Row) int {
	for i := len(t.rows) - 1; i >= 0; i-- {
		if t.rows[i] == r {
			return i
		}
	}
	panic("session: a row that is not in the timeline")
}

// insert puts r at index i: before the waiting rows it becomes fixed, unless
// it is pending.
func (t *timeline) insert(i int, r *Row) {
	t.rows = slices.Insert(t.rows, i, r)
	t.index(r)
	if r.Delivery != Pending {
		t.fixed++
	}
	if i == len(t.rows)-1 {
		t.change(Change{Kind: Append, Items: []Item{r.Item}})
	} else {
		t.change(Change{Kind: Insert, Index: i, Items: []Item{r.Item}})
	}
}

// take removes row i.
func (t *timeline) take(i int) {
	r := t.rows[i]
	t.rows = slices.Delete(t.rows, i, i+1)
	if i < t.fixed {
		t.fixed--
	}
	delete(t.ids, r.ID)
	delete(t.reached, r.ID)
	if t.entries[r.Entry] == r {
		delete(t.entries, r.Entry)
	}
	if t.byOffset[r.Offset] == r {
		delete(t.byOffset, r.Offset)
	}
	t.change(Change{Kind: Remove, Index: i})
}

func (t *timeline) update(i int) {
	r := t.rows[i]
	t.change(Change{Kind: Update, Index: i, Items: []Item{r.Item}})
}

func (t *timeline) dropOldest() {
	t.begun = false
	delete(t.reached, "")
	t.take(0)
	if t.rows[0].Kind == KindGap {
		t.take(0)
	}
}

// change adds a step. It joins it with the step before if they are neighbours.
func (t *timeline) change(c Change) {
	if n := len(t.changes); n > 0 {
		before := &t.changes[n-1]
		switch {
		case c.Kind == Append && before.Kind == Append, c.Kind == Elsewhere && before.Kind == Elsewhere,
			c.Kind == Insert && before.Kind == Insert && c.Index == before.Index+len(before.Items):
			before.Items = append(before.Items, c.Items...)
			return
		}
	}
	t.changes = append(t.changes, c)
}
