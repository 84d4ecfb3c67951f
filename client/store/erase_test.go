package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/client/session"
)

// inFile reports whether a text is in a file.
func inFile(t *testing.T, path, text string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(data, []byte(text))
}

// TestErase: what was deleted is in no byte of the file, wherever it has been: in rows,
// quotes and amendments, short and longer than a page.
func TestErase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	load := func(room string) session.RoomStore {
		r := enter(s, room)
		if _, err := r.Load(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := load("r")
	saved := session.Saved{Log: sent(0, 300), Outbox: pending("o")}
	secrets := []string{"secret of a row", "secret of a quote", "secret of an edit", "secret of a long text", "secret that waits", "secret of a room"}
	save := func(erase bool, changed ...*session.Row) {
		t.Helper()
		rows := map[*session.Row]bool{}
		for _, row := range changed {
			rows[row] = true
		}
		if err := r.Save(session.Saving{Saved: saved, Changed: rows, Erase: erase}); err != nil {
			t.Fatal(err)
		}
	}
	saved.Log[100].Content.Text = secrets[0]
	saved.Log[101].Content.Quote = &session.Quote{Offset: 100, User: "Bob", Text: secrets[1]}
	saved.Log[102].Content.Text = strings.Repeat(secrets[3]+" ", 400)
	saved.Amendments = []*session.Amendment{{ID: "a", Did: session.DidEdit, Row: "m1", Text: secrets[2]}}
	saved.Outbox[0].Content.Text = secrets[4]
	other := load("other")
	if err := other.Save(session.Saving{Saved: session.Saved{Draft: secrets[5]}}); err != nil {
		t.Fatal(err)
	}
	other.Leave()
	save(false)
	for i := range 20 { // so that it is on pages that are free now
		saved.Log[i*10].Content.Edited = true
		save(false, saved.Log[i*10])
	}
	for _, secret := range secrets {
		if !inFile(t, path, secret) {
			t.Fatalf("%q is not in the file, where it belongs", secret)
		}
	}
	for _, row := range saved.Log[100:103] {
		row.Content = session.Content{Deleted: true}
	}
	saved.Amendments, saved.Outbox = nil, nil
	save(true, saved.Log[100:103]...)
	for _, secret := range secrets[:5] {
		if inFile(t, path, secret) {
			t.Errorf("%q is in the file", secret)
		}
	}
	if err := s.Forget("http://192.0.2.1:8000", "other"); err != nil {
		t.Fatal(err)
	}
	if inFile(t, path, secrets[5]) {
		t.Error("a room that was forgotten is in the file")
	}

	// An app that ended in between erases when it starts again.
	saved.Log[5].Content.Text = "secret of a kill"
	save(false, saved.Log[5])
	saved.Log[5].Content = session.Content{Deleted: true}
	save(false, saved.Log[5])
	r.Leave()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !inFile(t, path, "secret of a kill") {
		t.Fatal("nothing was left to erase")
	}
	s = open(t, path)
	defer s.Close()
	if inFile(t, path, "secret of a kill") {
		t.Error("a start has not erased")
	}
	r = enter(s, "r")
	defer r.Leave()
	if loaded, err := r.Load(); err != nil || len(loaded.Log) != 300 || !loaded.Log[100].Deleted || loaded.Log[99].Text != saved.Log[99].Content.Text {
		t.Errorf("loaded %d rows, %v", len(loaded.Log), err)
	}
}

// TestEraseAtMostEverySoOften: whoever edits without a pause keeps no app from reading. What
// was put off is erased after some seconds, or when the file is closed.
func TestEraseAtMostEverySoOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "store")
		s := open(t, path)
		r := enter(s, "r")
		_, err := r.Load()
		must(t, err)
		saved := session.Saved{Log: sent(0, 3)}
		replace := func(secret string) {
			t.Helper()
			saved.Log[1].Content.Text = secret
			must(t, r.Save(session.Saving{Saved: saved, Changed: map[*session.Row]bool{saved.Log[1]: true}}))
			saved.Log[1].Content = session.Content{Deleted: true}
			must(t, r.Save(session.Saving{Saved: saved, Changed: map[*session.Row]bool{saved.Log[1]: true}, Erase: true}))
		}
		replace("the first secret")
		replace("the second secret")
		if inFile(t, path, "the first secret") || !inFile(t, path, "the second secret") {
			t.Error("not the first alone is erased at once")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if inFile(t, path, "the second secret") {
			t.Error("what was put off is in the file")
		}
		replace("the third secret")
		r.Leave()
		must(t, s.Close())
		if inFile(t, path, "the third secret") {
			t.Error("what was put off is in the file after its end")
		}
	})
}
