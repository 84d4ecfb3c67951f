package session

import (
	"parley/shared"
)

// acknowledged marks a pending message as kept under offset; the entry itself
// has yet to come.
func (t *timeline) acknowledged(id string, offset int64) {
	if r := t.ids[id]; r != nil && r.Delivery == Pending {
		r.Delivery, r.Offset = Sent, offset
		t.update(t.indexOf(r))
		t.aim(r)
		t.settle()
	}
	if a := t.amendment(id); a != nil {
		a.Kept = offset
		if r := t.ids[a.Row]; r != nil && a.Did != DidHost {
			t.redraw(r)
		}
		t.settleAmendments()
	}
}

// settle gives a place to acknowledged messages whose entries will not come any
// more, since the room was resumed after them: into the gap before the newest
// rows, if there is one.
func (t *timeline) settle() {
	if t.gapDue || t.position.Epoch != t.epoch {
		return
	}
	for i := t.fixed; i < len(t.rows); i++ {
		r := t.rows[i]
		if r.Delivery != Sent || r.Offset > t.last {
			continue
		}
		t.take(i)
		t.release(r)
		to := t.fixed
		for j := t.fixed - 1; j >= 0; j-- {
			if t.rows[j].Kind == KindGap {
				to = j
				break
			}
		}
		t.insert(to, r)
	}
}

// unsettle takes acknowledgements back whose entries have not come, since they
// were another log's: the messages are sent again.
func (t *timeline) unsettle() {
	for i := t.fixed; i < len(t.rows); i++ {
		if r := t.rows[i]; r.Delivery == Sent {
			r.Delivery, r.Offset = Pending, 0
			t.update(i)
			t.aim(r)
		}
	}
	for _, a := range t.amendments {
		if r := t.ids[a.Row]; a.Kept > 0 && r != nil && a.Did != DidHost {
			a.Kept = 0
			t.redraw(r)
		}
		a.Kept = 0
	}
}

// next is what goes out next: a pending message, or what the person did to one, which
// never goes out before that message has a place in the log. What waits for a file lets
// the others go first. Both are nil if nothing else is pending.
func (t *timeline) next() (*Row, *Amendment) {
	var first *Row
	behind := t.behindFiles()
	for _, r := range t.rows[t.fixed:] {
		if r.Delivery == Pending && !behind[r] {
			first = r
			break
		}
	}
	for _, a := range t.amendments {
		if a.Kept > 0 || behind[t.ids[a.Row]] {
			continue
		}
		r := t.ids[a.After]
		if r != nil && r.Delivery == Pending && !behind[r] || a.Target == 0 && a.Did != DidHost { // its own message waits, too
			break
		}
		return nil, a
	}
	return first, nil
}

// nextAmendment is what the person did to a message with a place in the log, or as a host,
// whatever messages wait before it; nil if nothing of that waits.
func (t *timeline) nextAmendment() *Amendment {
	for _, a := range t.amendments {
		if a.Kept == 0 && (a.Target > 0 || a.Did == DidHost) {
			return a
		}
	}
	return nil
}

// pend adds a message that was just written, and the one that it answers, if there is
// such a row.
func (t *timeline) pend(item Item, answers string) {
	r := &Row{Item: item, Entry: item.ID, Held: true, Copy: item.copy, Content: Content{Text: item.Text, File: item.File, Quote: item.Quote}}
	if to := t.ids[answers]; to != nil && to.Addressable() {
		r.Content.Quote, r.Answers = quoteOf(to), to.Entry
	} else if to == nil && t.task.is(Task{Row: answers}) && t.task.Quote.Offset > 0 {
		q := t.task.Quote
		r.Content.Quote, r.Answers = &q, t.task.Entry
	}
	t.draw(r)
	t.insert(len(t.rows), r)
}

// fail marks a pending message as refused for good.
func (t *timeline) fail(id string, code shared.ErrorCode, reason string) {
	r := t.ids[id]
	if r == nil || r.Delivery != Pending {
		return
	}
	at := t.indexOf(r)
	for _, a := range t.unamend(id) {
		switch a.Did {
		case DidDelete: // it has come true
			t.unquote(r)
			t.take(at)
			t.release(r)
			return
		case DidEdit:
			r.Content.Text = a.Text
		}
	}
	t.unquote(r)
	t.draw(r)
	r.Delivery, r.Code, r.Reason = Failed, code, reason
	if at == t.fixed {
		t.fixed++
		t.update(at)
		return
	}
	t.take(at)
	t.insert(t.fixed, r)
}

// discard removes a failed message and returns its row; nil if there is none.
func (t *timeline) discard(id string) *Row {
	r := t.ids[id]
	if r == nil || r.Delivery != Failed {
		return nil
	}
	t.take(t.indexOf(r))
	t.erase = true
	return r
}
