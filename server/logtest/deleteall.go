package logtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

// crowd adds 2.5 times as many messages of bob as go at once, and some of eve between.
func (f *fixture[L]) crowd(t *testing.T) (bobs int) {
	t.Helper()
	f.add(t, lobby, act("open", "ann", shared.DoOpen, ""))
	bobs = chat.DeletesAtOnce*5/2 + 1
	var all sync.WaitGroup
	add := func(e chat.Entry) {
		all.Add(1)
		f.log.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) {
			if err != nil && !errors.Is(err, chat.ErrUnavailable) { // it comes all the same
				t.Error(err)
			}
			all.Done()
		})
	}
	for n := range bobs {
		if add(says(fmt.Sprint("b", n), "bob")); n%1000 == 0 {
			add(says(fmt.Sprint("e", n), "eve"))
		}
		if n%500 == 0 {
			all.Wait() // a busy database answers none that waits for too many
		}
	}
	all.Wait()
	return bobs
}

// deletedOf makes sure that all messages of bob are deleted, once each and before the
// notice or together with it, and nobody else's. It returns how many deletes were there
// before the notice.
func (f *fixture[L]) deletedOf(t *testing.T, bobs int) (before int) {
	t.Helper()
	deleted := make(map[int64]bool)
	messages, notices := 0, 0
	for at := int64(0); ; {
		some, err := f.log.Read(t.Context(), lobby.Key, at, shared.MaxOffset, chat.Most{Entries: 1000})
		must(t, err)
		if len(some) == 0 {
			break
		}
		for _, e := range some {
			at = e.Offset
			switch {
			case e.Kind == chat.KindMessage:
				if messages++; e.Deleted != (e.Device == "bob") || e.Deleted != (e.Text == "") {
					t.Fatalf("%s of %s", line(e), e.Device)
				}
			case e.Kind == chat.KindNotice && e.Extra.Act.Do == shared.DoDeleteAll:
				notices++
				before = len(deleted)
			case e.Kind == chat.KindDelete:
				if e.Device != "ann" || notices > 1 {
					t.Errorf("%s by %s", line(e), e.Device)
				}
				for _, target := range e.Gone() {
					if deleted[target] {
						t.Errorf("%d is deleted twice", target)
					}
					deleted[target] = true
				}
			}
		}
	}
	if len(deleted) != bobs || notices != 1 {
		t.Errorf("%d of %d messages are deleted, by %d notices", len(deleted), bobs, notices)
	}
	return before
}

// insist appends an entry until it is answered.
func (f *fixture[L]) insist(t *testing.T, e chat.Entry) chat.Receipt {
	t.Helper()
	for range 100 {
		again := e
		again.Extra = &chat.Extra{Of: e.Extra.Of, Act: new(*e.Extra.Act)}
		r, err := f.attemptError(t, lobby, again)
		if err == nil {
			return r
		}
		if !errors.Is(err, chat.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	t.Fatal("it is never answered")
	return chat.Receipt{}
}

// hostsDeleteMany deletes so many messages that others' entries go between, and asks for
// it by the oldest of them.
func hostsDeleteMany(t *testing.T, f *fixture[chat.Log]) {
	bobs := f.crowd(t)
	answered := make(chan chat.Receipt, 1)
	var once sync.Once
	_, stop, err := f.log.Open(t.Context(), lobby, chat.Follower{Begin: func(int64) {}, Entries: func(entries []chat.Entry) {
		if entries[0].Device == "ann" { // the first deletes, or the notice
			once.Do(func() {
				f.log.Append(t.Context(), lobby, says("between", "eve"), func(r chat.Receipt, _ error) { answered <- r })
			})
		}
	}})
	must(t, err)
	defer stop()
	notice := to(act("all", "ann", shared.DoDeleteAll, ""), 2, "b0")
	done := f.insist(t, notice)
	if between := <-answered; between.Offset == 0 || between.Offset > done.Offset {
		t.Errorf("what came between has %+v, and the notice %+v", between, done)
	}
	if before := f.deletedOf(t, bobs); before < chat.DeletesAtOnce || before >= bobs {
		t.Errorf("%d of %d are deleted before the notice", before, bobs)
	}
	if r := f.insist(t, notice); !r.Duplicate || r.Offset != done.Offset {
		t.Errorf("again: %+v", r)
	}
	f.refused(t, "of nobody any more", to(act("none", "ann", shared.DoDeleteAll, ""), 2, "b0"), shared.CodeNotFound)
}

// hostsDeleteOn closes the log amid that. Whoever asks again after it goes on.
func hostsDeleteOn(t *testing.T, f *fixture[chat.Log]) {
	bobs := f.crowd(t)
	begun, closed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	_, _, err := f.log.Open(t.Context(), lobby, chat.Follower{Begin: func(int64) {}, Entries: func(entries []chat.Entry) {
		if entries[0].Device == "ann" { // the first deletes, or the notice
			once.Do(func() { close(begun); <-closed })
		}
	}})
	must(t, err)
	notice := to(act("all", "ann", shared.DoDeleteAll, ""), 2, "b0")
	answer := make(chan error, 1)
	again := notice
	again.Extra = &chat.Extra{Of: "b0", Act: new(*notice.Extra.Act)}
	f.log.Append(t.Context(), lobby, again, func(_ chat.Receipt, err error) { answer <- err })
	<-begun
	close(closed)
	must(t, f.log.Close())
	<-answer // it may have been in time
	f.log = f.reopen()
	f.insist(t, notice)
	f.deletedOf(t, bobs)
}
