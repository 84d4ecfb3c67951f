package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
	"parley/shared/servertest"
)

// TestKilledWhileDeletingAll kills the server between the pieces of a host's delete of very
// many messages. The host's client asks again, and all of them are gone.
func TestKilledWhileDeletingAll(t *testing.T) {
	s := servertest.Start(t, "--rate", "0")
	host := shared.Message{User: "Ann", Device: servertest.NewDevice(), Host: true}
	s.Hello("hall", host)
	s.Stop()

	const many = 5*chat.DeletesAtOnce + 10
	l, err := sqlitelog.Open(t.Context(), s.Data, sqlitelog.Options{Sync: sqlitelog.Normal})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range many {
		all.Add(1)
		l.Append(t.Context(), shared.Name{Text: "hall", Key: "hall"}, chat.Entry{ID: fmt.Sprint(n), Device: "mallory", User: "Mallory", Text: "spam", Time: time.Now()},
			func(_ chat.Receipt, err error) {
				if err != nil {
					t.Error(err)
				}
				all.Done()
			})
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	s.MustStart()
	ann, bob := s.Hello("hall", host), s.Join("hall", "Bob")
	remove := shared.Message{Type: shared.TypeHost, ID: "all", Do: shared.DoDeleteAll, Target: 2, Of: "0"}
	ann.Send(remove)
	bob.Next(shared.TypeDelete)
	s.Kill()
	s.MustStart()
	left := func() (n int) {
		for _, m := range s.Messages("hall", 0) {
			if m.User == "Mallory" && !m.Deleted {
				n++
			}
		}
		return n
	}
	switch n := left(); n {
	case many:
		t.Error("after the kill, all are left of which a delete was told")
	case 0:
		t.Log("it was killed too late")
	}
	ann = s.Hello("hall", host)
	ann.Send(remove)
	for notice := (shared.Message{}); notice.ID != "all"; {
		notice = ann.Next(shared.TypeNotice, shared.TypeError)
		if notice.Type == shared.TypeError {
			t.Fatalf("%+v", notice)
		}
	}
	if n := left(); n != 0 {
		t.Errorf("at the end, %d are left", n)
	}
}
