package store_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"parley/client/session"
	"parley/client/store"
)

const (
	oldPlace = "http://192.168.77.20:8000"
	newPlace = "http://192.168.77.50:8000"
)

// put saves a room with a message in its log and others that wait.
func put(t *testing.T, s *store.Store, server, name, draft string, waiting ...string) {
	t.Helper()
	r := s.Enter(server, name, nil)
	defer r.Leave()
	if _, err := r.Load(); err != nil {
		t.Fatal(err)
	}
	saved := session.Saved{State: session.RoomState{Server: server, Room: name, Key: "key of " + name}, Draft: draft, Log: sent(0, 20), Outbox: pending(waiting...)}
	if err := r.Save(session.Saving{Saved: saved}); err != nil {
		t.Fatal(err)
	}
}

// kept is what a store has of a server, in words.
func kept(t *testing.T, s *store.Store, server string, rooms ...string) (lines []string) {
	t.Helper()
	for _, name := range rooms {
		r := s.Enter(server, name, nil)
		saved, err := r.Load()
		r.Leave()
		if err != nil {
			t.Fatal(err)
		}
		if saved.State.Server == "" {
			continue
		}
		line := fmt.Sprintf("%s of %s, %d rows, %q, %s", name, saved.State.Server, len(saved.Log), saved.Draft, saved.State.Key)
		for _, o := range saved.Outbox {
			line += ", waiting " + o.Content.Text
		}
		lines = append(lines, line)
	}
	return lines
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n%v\nwant\n%v", what, got, want)
	}
}

func device(t *testing.T, s *store.Store, server string) string {
	t.Helper()
	d, err := s.Device(session.Identity(server, s.Pin(server)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// All that is kept of a server goes where it has gone, and nothing stays behind: what
// takes its old address gets another secret.
func TestMove(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	defer s.Close()
	put(t, s, oldPlace, "hall", "half a", "one", "two")
	put(t, s, oldPlace, "attic", "")
	put(t, s, oldPlace+"0", "hall", "another server's")
	must(t, s.SetProfile("Ann", oldPlace), s.SetID(oldPlace, "id"))
	secret := device(t, s, oldPlace)
	must(t, s.Move(oldPlace, newPlace))
	check(t, "the rooms", kept(t, s, newPlace, "hall", "attic"), []string{
		`hall of http://192.168.77.50:8000, 20 rows, "half a", key of hall, waiting one, waiting two`,
		`attic of http://192.168.77.50:8000, 20 rows, "", key of attic`})
	check(t, "the rooms before", kept(t, s, oldPlace, "hall", "attic"), []string(nil))
	check(t, "another server's", len(kept(t, s, oldPlace+"0", "hall")), 1)
	check(t, "the secret", device(t, s, newPlace), secret)
	check(t, "the id", []string{s.ID(newPlace), s.ID(oldPlace)}, []string{"id", ""})
	if device(t, s, oldPlace) == secret {
		t.Error("the old address is known by the secret, too")
	}
	_, server, err := s.Profile()
	must(t, err)
	check(t, "the server", server, newPlace)
}

// A certificate goes along, and with it the secret.
func TestMoveCertificate(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	defer s.Close()
	must(t, s.SetPin(oldPlace, "some-words"))
	secret := device(t, s, oldPlace)
	must(t, s.Move(oldPlace, newPlace))
	check(t, "the pins", []string{s.Pin(newPlace), s.Pin(oldPlace)}, []string{"some-words", ""})
	check(t, "the secret", device(t, s, newPlace), secret)
}

// Two servers that have changed places keep what is theirs.
func TestMoveToAnothersPlace(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store"))
	defer s.Close()
	put(t, s, oldPlace, "hall", "a", "one")
	put(t, s, newPlace, "hall", "b", "two")
	must(t, s.SetPin(newPlace, "its-words"), s.SetID(oldPlace, "one id"), s.SetID(newPlace, "another id"))
	a, b := device(t, s, oldPlace), device(t, s, newPlace)
	must(t, s.Move(oldPlace, newPlace))
	check(t, "the one", kept(t, s, newPlace, "hall"), []string{`hall of http://192.168.77.50:8000, 20 rows, "a", key of hall, waiting one`})
	check(t, "the other", kept(t, s, oldPlace, "hall"), []string{`hall of http://192.168.77.20:8000, 20 rows, "b", key of hall, waiting two`})
	check(t, "the pins", []string{s.Pin(newPlace), s.Pin(oldPlace)}, []string{"", "its-words"})
	check(t, "the ids", []string{s.ID(newPlace), s.ID(oldPlace)}, []string{"one id", "another id"})
	check(t, "the secrets", []string{device(t, s, newPlace), device(t, s, oldPlace)}, []string{a, b})
}

// A server that the person has been on at both addresses becomes one: with the secret
// under which messages wait, which none can be doubled by.
func TestMoveTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		old, new []string // what waits
		want     string   // which secret stays
		fails    bool
	}{
		"nothing waits":        {nil, nil, "old", false},
		"at the old address":   {[]string{"one"}, nil, "old", false},
		"at the new address":   {nil, []string{"two"}, "new", false},
		"at both, so it fails": {[]string{"one"}, []string{"two"}, "", true},
	} {
		s := open(t, filepath.Join(t.TempDir(), "store"))
		put(t, s, oldPlace, "hall", "a", tc.old...)
		put(t, s, newPlace, "hall", "b", tc.new...)
		put(t, s, newPlace, "attic", "")
		must(t, s.SetID(oldPlace, "id"), s.SetID(newPlace, "id"))
		secrets := map[string]string{"old": device(t, s, oldPlace), "new": device(t, s, newPlace)}
		err := s.Move(oldPlace, newPlace)
		if tc.fails {
			if !errors.Is(err, store.ErrBothWait) {
				t.Errorf("%s: %v", name, err)
			}
			check(t, name, len(kept(t, s, oldPlace, "hall"))+len(kept(t, s, newPlace, "hall", "attic")), 3)
			check(t, name, []string{device(t, s, oldPlace), device(t, s, newPlace)}, []string{secrets["old"], secrets["new"]})
			s.Close()
			continue
		}
		must(t, err)
		draft := `"a\nb"`
		if tc.want == "new" {
			draft = `"b\na"`
		}
		line := "hall of http://192.168.77.50:8000, 20 rows, " + draft + ", key of hall"
		for _, w := range slices.Concat(tc.old, tc.new) {
			line += ", waiting " + w
		}
		check(t, name, kept(t, s, newPlace, "hall", "attic"), []string{line, `attic of http://192.168.77.50:8000, 20 rows, "", key of attic`})
		check(t, name+": the secret", device(t, s, newPlace), secrets[tc.want])
		check(t, name+": left behind", []any{len(kept(t, s, oldPlace, "hall", "attic")), s.ID(oldPlace)}, []any{0, ""})
		s.Close()
	}
}

// Rooms become one with any drafts, and nothing of the one that gives way is lost: what
// was refused in it, its draft, a begun edit and its passphrase.
func TestMoveTogetherLosesNothing(t *testing.T) {
	refused := func(s *store.Store, server, draft, key string, task session.Task) {
		r := s.Enter(server, "hall", nil)
		defer r.Leave()
		_, err := r.Load()
		must(t, err)
		row := pending("refused at " + server)[0]
		row.ID, row.Entry, row.Delivery = "at "+server, "at "+server, session.Failed
		must(t, r.Save(session.Saving{Saved: session.Saved{
			State: session.RoomState{Server: server, Room: "hall", Key: key, Task: task}, Draft: draft, Log: append(sent(0, 5), row)}}))
	}
	edit, answer := session.Task{Row: "m1", Edit: true, Text: "better"}, session.Task{Row: "m2"}
	for _, tc := range []struct {
		old, new, want          string
		oldTask, newTask, stays session.Task
	}{
		{old: "", new: "", want: ""},
		{old: "a", new: "", want: "a", oldTask: edit, stays: edit},
		{old: "", new: "b", want: "b", newTask: edit, stays: edit},
		{old: " ", new: "", want: "better", oldTask: answer, newTask: edit, stays: answer},
	} {
		s := open(t, filepath.Join(t.TempDir(), "store"))
		refused(s, oldPlace, tc.old, "", tc.oldTask)
		refused(s, newPlace, tc.new, "key", tc.newTask)
		must(t, s.SetID(oldPlace, "id"), s.SetID(newPlace, "id"))
		must(t, s.Move(oldPlace, newPlace), s.SetProfile("Ann", newPlace))
		r := s.Enter(newPlace, "hall", nil)
		saved, err := r.Load()
		r.Leave()
		must(t, err)
		var failed []string
		for _, row := range saved.Log {
			if row.Delivery == session.Failed {
				failed = append(failed, row.ID)
			}
		}
		check(t, fmt.Sprintf("%q and %q", tc.old, tc.new), []any{saved.Draft, saved.State.Key, saved.State.Task, failed},
			[]any{tc.want, "key", tc.stays, []string{"at " + oldPlace, "at " + newPlace}})
		check(t, "the rooms that are listed", len(s.Recent()), 1)
		s.Close()
	}
}

// A process that is killed while it moves leaves all at one address or all at the other.
func TestMoveKilled(t *testing.T) {
	if path := os.Getenv("PARLEY_MOVE"); path != "" {
		s := open(t, path)
		_, from, err := s.Profile()
		must(t, err)
		to := newPlace
		if from == newPlace {
			to = oldPlace
		}
		fmt.Println("moving")
		for ; ; from, to = to, from {
			must(t, s.Move(from, to))
		}
	}
	path := filepath.Join(t.TempDir(), "store")
	s := open(t, path)
	put(t, s, oldPlace, "hall", "half a", "one", "two")
	must(t, s.SetProfile("Ann", oldPlace))
	secret := device(t, s, oldPlace)
	s.Close()
	for range 8 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestMoveKilled$")
		cmd.Env = append(os.Environ(), "PARLEY_MOVE="+path)
		out, err := cmd.StdoutPipe()
		must(t, err, cmd.Start())
		if _, err := out.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s := open(t, path)
		_, server, err := s.Profile()
		must(t, err)
		want := []string{"hall of " + server + `, 20 rows, "half a", key of hall, waiting one, waiting two`}
		check(t, "at "+server, append(kept(t, s, oldPlace, "hall"), kept(t, s, newPlace, "hall")...), want)
		check(t, "the secret", device(t, s, server), secret)
		s.Close()
	}
}
