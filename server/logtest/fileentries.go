package logtest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

func takes(t *testing.T, f *fixture[FileStore]) {
	told := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, told.follower())
	must(t, err)
	send(t, f.log, row(1, "d"))
	_, err = f.log.BeginFile(t.Context(), row(2, "d"))
	must(t, err)
	send(t, f.log, row(3, "e"))
	other := row(4, "d")
	other.Room = attic.Key
	send(t, f.log, other)
	for what, file := range map[string]string{
		"none": fileID(9), "no id": "", "no form": "../x'\"", "not whole": fileID(2), "another device's": fileID(3), "another room's": fileID(4),
	} {
		if r, err := f.attemptError(t, lobby, with("x", file)); codeOf(t, err) != shared.CodeNotAllowed || r != (chat.Receipt{}) {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
	if s, stop, err := f.log.Open(t.Context(), lobby, nobody); err != nil || s.Head != 0 {
		t.Errorf("a refused entry is there: %+v, %v", s, err)
	} else {
		stop()
	}
	e := with("a", fileID(1))
	e.Own().File = &chat.File{ID: fileID(1), Name: "lies", Type: "text/html", Size: 5, Gone: true} // only the id counts
	if r := f.add(t, lobby, e); r != (chat.Receipt{Offset: 1}) {
		t.Errorf("it has the receipt %+v", r)
	}
	if r := f.add(t, lobby, e); r != (chat.Receipt{Offset: 1, Duplicate: true}) {
		t.Errorf("again, it has the receipt %+v", r)
	}
	if _, err := f.attemptError(t, lobby, with("b", fileID(1))); codeOf(t, err) != shared.CodeNotAllowed {
		t.Errorf("another message with the file: %v", err)
	}
	answer := reply("c", 1, "a")
	answer.Text, answer.Own().File = "", &chat.File{ID: fileID(5)}
	send(t, f.log, row(5, "d"))
	f.add(t, lobby, answer)
	lost := reply("l", 9, "a") // to what is not there
	lost.Own().File = &chat.File{ID: fileID(6)}
	send(t, f.log, row(6, "d"))
	f.add(t, lobby, lost)
	want := []string{
		`1 says "text of a" with ` + fileID(1) + ` "1 <b>.jpg" image/jpeg 1001 40x30`,
		`2 says "" to 1 Ann: "text of a" with ` + fileID(5) + ` "5 <b>.jpg" image/jpeg 1005 40x30`,
		`3 says "text of l" with ` + fileID(6) + ` "6 <b>.jpg" image/jpeg 1006 40x30`,
	}
	equal(t, "what was told", lines(told.wait(3)), want)
	stop()
	must(t, f.log.Close())
	f.log = f.reopen()
	equal(t, "what is read", f.all(t), want)
	stands(t, f.log, "b lobby/1 whole", "c lobby/0 incomplete", "d lobby/0 whole", "e attic/0 whole", "f lobby/2 whole", "g lobby/3 whole")
}

// takenOnce sends two messages for each of many files at once, and all of it among others.
func takenOnce(t *testing.T, f *fixture[FileStore]) {
	const files = 24
	type result struct {
		file int
		err  error
	}
	results := make(chan result, 3*files)
	var work sync.WaitGroup
	for n := range files {
		work.Go(func() { send(t, f.log, row(n, fmt.Sprint("device ", n))) })
	}
	work.Wait()
	for n := range files {
		for i := range 2 {
			work.Go(func() {
				e := with(fmt.Sprint(n, " ", i), fileID(n))
				e.Device = fmt.Sprint("device ", n)
				f.log.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { results <- result{n, err} })
			})
		}
		work.Go(func() {
			f.log.Append(t.Context(), lobby, entry(fmt.Sprint("other ", n)), func(_ chat.Receipt, err error) { results <- result{-1, err} })
		})
	}
	work.Wait()
	took := make(map[int]int)
	for range 3 * files {
		switch r := <-results; {
		case r.file < 0:
			must(t, r.err)
		case r.err == nil:
			took[r.file]++
		default:
			refusal(t, "the other message", r.err, shared.CodeNotAllowed)
		}
	}
	for n := range files {
		if took[n] != 1 {
			t.Errorf("%d messages have file %d", took[n], n)
		}
	}
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 100})
	must(t, err)
	for _, e := range history {
		if e.Extras().File == nil {
			continue
		}
		if row, err := f.log.File(t.Context(), e.Extra.File.ID); err != nil || row.Offset != e.Offset || row.Device != e.Device {
			t.Errorf("%s, but its file is %+v, %v", line(e), row, err)
		}
	}
	if len(history) != 2*files {
		t.Errorf("there are %d messages", len(history))
	}
}

func goneWithMessages(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	f.add(t, lobby, act("open", "ann", shared.DoOpen, "")) // 1
	for n := range 5 {
		send(t, f.log, row(n, "d"))
		f.add(t, lobby, with(fmt.Sprint(n), fileID(n))) // 2 to 6
	}
	send(t, f.log, row(7, "e"))
	e := with("e", fileID(7))
	e.Device = "e"
	f.add(t, lobby, e) // 7
	gone.heard(t)
	f.add(t, lobby, remove("r", 3, "1"))
	gone.heard(t, fileID(1))
	if r := f.add(t, lobby, remove("r", 3, "1")); !r.Duplicate {
		t.Errorf("again: %+v", r)
	}
	gone.heard(t)
	if _, err := f.attemptError(t, lobby, with("again", fileID(1))); codeOf(t, err) != shared.CodeNotAllowed {
		t.Errorf("the file of a deleted message: %v", err)
	}
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 9})
	must(t, err)
	if got := line(history[1]); got != `3 says "" deleted at 8` {
		t.Errorf("of it is left: %s", got)
	}
	f.add(t, lobby, to(act("all", "ann", shared.DoDeleteAll, ""), 2, "0"))
	gone.heard(t, fileID(0), fileID(2), fileID(3), fileID(4))
	stands(t, f.log, "h lobby/7 whole")
}

func goneByRetention(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	for n := range 3 {
		send(t, f.log, row(n, "d"))
		f.add(t, lobby, with(fmt.Sprint(n), fileID(n)))
		f.add(t, lobby, entry(fmt.Sprint("text ", n)))
	}
	send(t, f.log, row(5, "d")) // of no message
	size := entry("text 0").Size()
	Retain(t, f.log, chat.Retention{Bytes: 2 * size}, 4) // the last two are kept
	gone.heard(t, fileID(0), fileID(1))
	stands(t, f.log, "c lobby/5 whole", "f lobby/0 whole")
}

func goneWithRoom(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	send(t, f.log, row(0, "d"))
	f.add(t, lobby, with("a", fileID(0)))
	send(t, f.log, row(1, "d")) // of no message
	elsewhere := row(2, "d")
	elsewhere.Room = attic.Key
	send(t, f.log, elsewhere)
	must(t, f.log.Delete(t.Context(), lobby.Key))
	gone.heard(t, fileID(0), fileID(1))
	stands(t, f.log, "c attic/0 whole")
	fails(t, "a room that has only a file", f.log.Delete(t.Context(), attic.Key), chat.ErrNoRoom)
	gone.heard(t, fileID(2))
	stands(t, f.log)
	// The next room of that name has another first message.
	send(t, f.log, row(0, "d"))
	if r := f.add(t, lobby, with("a", fileID(0))); r != (chat.Receipt{Offset: 2}) {
		t.Errorf("the same id and file in the next room: %+v", r)
	}
}

func renamedRoom(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	send(t, f.log, row(0, "d"))
	f.add(t, lobby, with("a", fileID(0)))
	send(t, f.log, row(1, "d"))
	must(t, f.log.Rename(t.Context(), lobby.Key, attic))
	stands(t, f.log, "a attic/1 whole", "b attic/0 whole")
	if _, err := f.attemptError(t, lobby, with("b", fileID(1))); codeOf(t, err) != shared.CodeNotAllowed {
		t.Errorf("a file of the renamed room in one of its old name: %v", err)
	}
	f.add(t, attic, with("b", fileID(1)))
	history, err := f.log.History(t.Context(), attic.Key, 0, chat.Most{Entries: 9})
	must(t, err)
	for i, e := range history {
		if file := e.Extras().File; file == nil || file.ID != fileID(i) || file.Gone {
			t.Errorf("there is %s", line(e))
		}
	}
	gone.heard(t)
	must(t, f.log.Delete(t.Context(), attic.Key))
	gone.heard(t, fileID(0), fileID(1))
}

func captions(t *testing.T, f *fixture[FileStore]) {
	send(t, f.log, row(1, "d"))
	none := with("a", fileID(1))
	none.Text = ""
	f.add(t, lobby, none)
	f.add(t, lobby, reply("r", 1, "a"))
	f.add(t, lobby, entry("plain"))
	file := ` with ` + fileID(1) + ` "1 <b>.jpg" image/jpeg 1001 40x30`
	equal(t, "without a text", f.all(t), []string{`1 says ""` + file, `2 says "text of r" to 1 Ann: "1 <b>.jpg"`, `3 says "text of plain"`})

	long := strings.Repeat("é", shared.MaxCaption)
	f.refusedFile(t, "a text that is too long", edit("e1", 1, "a", long+"x"), shared.CodeTooLong)
	f.add(t, lobby, edit("e2", 3, "plain", long+"x"))
	changed := edit("e3", 1, "a", long)
	changed.Own().File = &chat.File{ID: fileID(9)} // says nothing
	f.add(t, lobby, changed)
	equal(t, "with a new one", f.all(t)[:2], []string{`1 says "` + long + `" edited at 5` + file, `2 says "text of r" to 1 Ann: "` + long[:2*shared.MaxQuote] + `"`})
	if got := f.all(t)[4]; got != `5 edits 1 "`+long+`"`+file {
		t.Errorf("the edit is %s", got)
	}
	hits, err := f.log.Search(t.Context(), lobby.Key, "éé", 0, chat.Most{Entries: 9}, 0)
	must(t, err)
	equal(t, "what is found", ids(hits.Messages), []string{"plain", "a"})
	if hits.Messages[1].Extras().File == nil {
		t.Error("what is found has no file")
	}
	hits, err = f.log.Search(t.Context(), lobby.Key, "jpg", 0, chat.Most{Entries: 9}, 0)
	must(t, err)
	equal(t, "what is found by the name of its file", ids(hits.Messages), []string{"a"})
	f.add(t, lobby, remove("gone", 1, "a"))
	hits, err = f.log.Search(t.Context(), lobby.Key, "jpg", 0, chat.Most{Entries: 9}, 0)
	if must(t, err); len(hits.Messages) != 0 {
		t.Errorf("by the name of the file of a deleted message is found %v", lines(hits.Messages))
	}
}

// refusedFile makes sure that an entry is refused.
func (f *fixture[L]) refusedFile(t *testing.T, what string, e chat.Entry, want shared.ErrorCode) {
	t.Helper()
	r, err := f.attemptError(t, lobby, e)
	if refusal(t, what, err, want); r.Offset != 0 {
		t.Errorf("%s: %+v", what, r)
	}
}

func maySend(t *testing.T, f *fixture[FileStore]) {
	f.add(t, lobby, act("open", "ann", shared.DoOpen, ""))
	send(t, f.log, row(1, "d"))
	f.add(t, lobby, with("a", fileID(1)))
	set := func(id, who string) {
		t.Helper()
		e := act(id, "ann", shared.DoSet, "")
		e.Own().Act.Settings = &shared.Settings{Files: who}
		f.add(t, lobby, e)
	}
	set("h", shared.WhoHosts)
	send(t, f.log, row(2, "d"))
	f.refusedFile(t, "where only hosts send files", with("b", fileID(2)), shared.CodeNotAllowed)
	if r := f.add(t, lobby, with("a", fileID(1))); !r.Duplicate {
		t.Errorf("what was allowed before: %+v", r)
	}
	f.add(t, lobby, entry("text"))
	f.add(t, lobby, edit("e", 2, "a", "better"))
	send(t, f.log, row(3, "ann"))
	host := with("c", fileID(3))
	host.Device = "ann"
	f.add(t, lobby, host)
	set("n", shared.WhoNone)
	send(t, f.log, row(4, "ann"))
	host = with("d", fileID(4))
	host.Device = "ann"
	f.refusedFile(t, "where nobody sends files", host, shared.CodeNotAllowed)
	set("all", shared.WhoAll)
	f.add(t, lobby, with("b", fileID(2)))
	stands(t, f.log, "b lobby/2 whole", "c lobby/9 whole", "d lobby/6 whole", "e lobby/0 whole")
}

// readEverywhere reads a message with a file in every way.
func readEverywhere(t *testing.T, f *fixture[FileStore]) {
	send(t, f.log, row(1, "d"))
	must(t, f.log.ThumbFile(t.Context(), fileID(1)))
	f.add(t, lobby, with("a", fileID(1)))
	f.add(t, lobby, react("r", "x", 1, "a", "👍"))
	want := `1 says "text of a" at 2 x👍 with ` + fileID(1) + ` "1 <b>.jpg" image/jpeg 1001 40x30 thumb`
	read, err := f.log.Read(t.Context(), lobby.Key, 0, 1, chat.Most{Entries: 9})
	must(t, err)
	history, err := f.log.History(t.Context(), lobby.Key, 0, chat.Most{Entries: 9})
	must(t, err)
	changed, err := f.log.Changes(t.Context(), lobby.Key, 1, 9, chat.Most{Entries: 9}, 0)
	must(t, err)
	hits, err := f.log.Search(t.Context(), lobby.Key, "text", 0, chat.Most{Entries: 9}, 0)
	must(t, err)
	for what, entries := range map[string][]chat.Entry{"read": read, "history": history, "changes": changed.Messages, "search": hits.Messages} {
		equal(t, what, lines(entries), []string{want})
	}
}
