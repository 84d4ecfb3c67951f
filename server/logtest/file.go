package logtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// FileStore is a log that knows of files.
type FileStore interface {
	Store
	chat.FileRows
}

// Files checks a chat.FileRows. Open is as for Log.
func Files(t *testing.T, open func(t *testing.T, name string) FileStore) {
	body[FileStore]{
		"a file is begun once":             begun,
		"a device has few unfinished":      unfinished,
		"all have not too many":            allUnfinished,
		"a message takes a file":           takes,
		"one file has one message":         takenOnce,
		"a file goes with its message":     goneWithMessages,
		"a file goes by retention":         goneByRetention,
		"a file goes with its room":        goneWithRoom,
		"a file is renamed with its room":  renamedRoom,
		"what is said with a file":         captions,
		"files that no message has":        forgotten,
		"the oldest files expire":          expired,
		"who has most makes room":          expiredByShare,
		"who may send files":               maySend,
		"files are listed in order":        listed,
		"a file is in everything readable": readEverywhere,
	}.run(t, open)
}

// fileID is the nth id of a file.
func fileID(n int) string {
	id := []byte(strings.Repeat("7", 26))
	for i := len(id) - 1; ; i-- {
		if id[i] = byte('a' + n%26); n < 26 {
			return string(id)
		}
		n /= 26
	}
}

// row is the nth file of a device, which is to come.
func row(n int, device string) chat.FileRow {
	return chat.FileRow{
		File: chat.File{ID: fileID(n), Name: fmt.Sprintf("%d <b>.jpg", n), Size: int64(1000 + n), Width: 40, Height: 30},
		Room: lobby.Key, Device: device, Made: entry("").Time.Add(time.Duration(n) * time.Second),
	}
}

// send has a file arrive as a whole.
func send(t *testing.T, log chat.FileRows, r chat.FileRow) {
	t.Helper()
	_, err := log.BeginFile(t.Context(), r)
	must(t, err)
	must(t, log.WholeFile(t.Context(), r.ID, "image/jpeg"))
}

// with is a message with a file.
func with(id, file string) chat.Entry {
	e := entry(id)
	e.Extra = &chat.Extra{File: &chat.File{ID: file}}
	return e
}

// stands checks the rows that there are, by what they say in short.
func stands(t *testing.T, log chat.FileRows, want ...string) {
	t.Helper()
	rows, err := log.Files(t.Context(), "", 1000)
	must(t, err)
	var got []string
	for _, r := range rows {
		got = append(got, inShort(r))
		if one, err := log.File(t.Context(), r.ID); err != nil || one != r {
			t.Errorf("alone, it is %+v, %v; among others %+v", one, err, r)
		}
	}
	equal(t, "the files", got, want)
}

func inShort(r chat.FileRow) string {
	return fmt.Sprintf("%s %s/%d %s", strings.TrimLeft(r.ID, "7"), r.Room, r.Offset, []string{"incomplete", "whole", "gone"}[r.State])
}

// listener is told which files are gone.
type listener struct {
	mu  sync.Mutex
	ids []string
}

func listen(log chat.FileRows) *listener {
	l := new(listener)
	log.OnFilesGone(func(ids []string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ids = append(l.ids, ids...)
	})
	return l
}

// heard checks what was told since, in any order.
func (l *listener) heard(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.ids)
	slices.Sort(want)
	equal(t, "the files that are said to be gone", l.ids, want)
	l.ids = nil
}

func refusal(t *testing.T, what string, err error, want shared.ErrorCode) {
	t.Helper()
	if code := codeOf(t, err); code != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func begun(t *testing.T, f *fixture[FileStore]) {
	first := row(1, "d")
	first.Type, first.Thumb, first.Gone, first.State, first.Offset = "text/html", true, true, chat.FileWhole, 5 // which nobody has to say
	got, err := f.log.BeginFile(t.Context(), first)
	must(t, err)
	if want := row(1, "d"); got != want {
		t.Errorf("it is begun as %+v, not %+v", got, want)
	}
	again := row(1, "d")
	again.Made = again.Made.Add(time.Hour)
	if got, err := f.log.BeginFile(t.Context(), again); err != nil || got != again {
		t.Errorf("asked again, it is %+v, %v", got, err)
	}
	for what, change := range map[string]func(*chat.FileRow){
		"of another room":   func(r *chat.FileRow) { r.Room = "attic" },
		"of another device": func(r *chat.FileRow) { r.Device = "e" },
		"of another name":   func(r *chat.FileRow) { r.Name = "x" },
		"of another size":   func(r *chat.FileRow) { r.Size++ },
	} {
		r := row(1, "d")
		change(&r)
		_, err := f.log.BeginFile(t.Context(), r)
		refusal(t, what, err, shared.CodeNotAllowed)
	}
	stands(t, f.log, "b lobby/0 incomplete")
	for range 2 {
		must(t, f.log.WholeFile(t.Context(), fileID(1), "image/png"))
		must(t, f.log.ThumbFile(t.Context(), fileID(1)))
	}
	must(t, f.log.WholeFile(t.Context(), fileID(1), "image/gif")) // too late
	must(t, f.log.Close())
	f.log = f.reopen()
	want := again
	want.Type, want.Thumb, want.State = "image/png", true, chat.FileWhole
	if got, err := f.log.BeginFile(t.Context(), again); err != nil || got != want {
		t.Errorf("once it is whole, it is %+v, %v", got, err)
	}
	for what, err := range map[string]error{
		"whole": f.log.WholeFile(t.Context(), fileID(2), "image/png"), "a thumbnail": f.log.ThumbFile(t.Context(), fileID(2)),
	} {
		fails(t, what+" of none", err, chat.ErrNoFile)
	}
	_, err = f.log.File(t.Context(), fileID(2))
	fails(t, "none", err, chat.ErrNoFile)
	if n, bytes, err := f.log.Filed(t.Context()); n != 1 || bytes != 1001+chat.FileOverhead || err != nil {
		t.Errorf("there are %d files, %d bytes, %v", n, bytes, err)
	}
	if s, stop, err := f.log.Open(t.Context(), lobby, nobody); err != nil || s.Name != "" || s.Head != 0 {
		t.Errorf("a file has made a room: %+v, %v", s, err)
	} else {
		stop()
	}
}

func unfinished(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	for n := range chat.MaxUnfinished {
		send(t, f.log, row(n+1, "d"))
	}
	next := row(9, "d")
	_, err := f.log.BeginFile(t.Context(), next)
	refusal(t, "one more", err, shared.CodeRateLimited)
	_, err = f.log.BeginFile(t.Context(), row(2, "d"))
	must(t, err) // is no other one
	_, err = f.log.BeginFile(t.Context(), row(20, "e"))
	must(t, err) // of another device
	f.add(t, lobby, with("a", fileID(3)))
	_, err = f.log.BeginFile(t.Context(), next)
	must(t, err) // since a message has one of them
	later := row(10, "d")
	later.Made = row(1, "d").Made.Add(chat.UnfinishedHold - time.Millisecond)
	_, err = f.log.BeginFile(t.Context(), later)
	refusal(t, "one more, not late enough", err, shared.CodeRateLimited)
	gone.heard(t)
	later.Made = row(1, "d").Made.Add(chat.UnfinishedHold)
	_, err = f.log.BeginFile(t.Context(), later)
	must(t, err)
	gone.heard(t, fileID(1))
	// A clock that goes back does not keep a device waiting.
	for n := range chat.MaxUnfinished {
		_, err := f.log.BeginFile(t.Context(), row(100_000+n, "f"))
		must(t, err)
	}
	back := row(30, "f")
	_, err = f.log.BeginFile(t.Context(), back)
	must(t, err)
	gone.heard(t, fileID(100_000))
	for n := range chat.MaxUnfinished {
		must(t, f.log.DropFile(t.Context(), fileID(100_000+n)))
	}
	must(t, f.log.DropFile(t.Context(), back.ID))
	gone.heard(t, back.ID, fileID(100_001), fileID(100_002), fileID(100_003))
	must(t, f.log.DropFile(t.Context(), fileID(2)))
	must(t, f.log.DropFile(t.Context(), fileID(2)))
	must(t, f.log.DropFile(t.Context(), fileID(3))) // has a message
	gone.heard(t, fileID(2))
	stands(t, f.log, "d lobby/1 whole", "e lobby/0 whole", "j lobby/0 incomplete", "k lobby/0 incomplete", "u lobby/0 incomplete")
}

func allUnfinished(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	var work sync.WaitGroup
	next := make(chan int)
	for range 500 {
		work.Go(func() {
			for n := range next {
				if _, err := f.log.BeginFile(t.Context(), row(n, fmt.Sprint("device ", n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range chat.MaxAllUnfinished {
		next <- n
	}
	close(next)
	work.Wait()
	over := row(chat.MaxAllUnfinished, "another")
	over.Made = row(0, "").Made
	_, err := f.log.BeginFile(t.Context(), over)
	refusal(t, "one more", err, shared.CodeRateLimited)
	_, err = f.log.BeginFile(t.Context(), row(5, "device 5"))
	must(t, err) // is no other one
	gone.heard(t)
	over.Made = row(0, "").Made.Add(chat.UnfinishedHold)
	_, err = f.log.BeginFile(t.Context(), over)
	must(t, err)
	gone.heard(t, fileID(0))
}

// attemptError appends an entry, and returns why it was refused.
func (f *fixture[L]) attemptError(t *testing.T, room shared.Name, e chat.Entry) (chat.Receipt, error) {
	t.Helper()
	type result struct {
		r   chat.Receipt
		err error
	}
	c := make(chan result, 1)
	f.log.Append(t.Context(), room, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	got := <-c
	return got.r, got.err
}

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
	retain(t, f.log, chat.Retention{Bytes: 2 * size}, 4) // the last two are kept
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

func forgotten(t *testing.T, f *fixture[FileStore]) {
	gone := listen(f.log)
	for n := range 4 {
		send(t, f.log, row(n, "d"))
	}
	f.add(t, lobby, with("a", fileID(0)))
	_, err := f.log.BeginFile(t.Context(), row(5, "e"))
	must(t, err)
	again := row(2, "d")
	again.Made = again.Made.Add(time.Hour)
	_, err = f.log.BeginFile(t.Context(), again)
	must(t, err)
	forgotten, err := f.log.ForgetFiles(t.Context(), row(3, "").Made)
	must(t, err)
	equal(t, "what is forgotten", forgotten, []string{fileID(1)})
	forgotten, err = f.log.ForgetFiles(t.Context(), row(3, "").Made.Add(2*time.Hour))
	must(t, err)
	slices.Sort(forgotten)
	equal(t, "what is forgotten later", forgotten, []string{fileID(2), fileID(3), fileID(5)})
	if forgotten, err = f.log.ForgetFiles(t.Context(), row(9, "").Made.AddDate(9, 0, 0)); err != nil || len(forgotten) != 0 {
		t.Errorf("in the end %v, %v", forgotten, err)
	}
	gone.heard(t)
	if rows, err := f.log.Files(t.Context(), "", 9); err != nil || len(rows) != 1 || rows[0].Offset != 1 {
		t.Errorf("left are %+v, %v", rows, err)
	}
}

func expired(t *testing.T, f *fixture[FileStore]) {
	for n := range 4 {
		send(t, f.log, row(10-n, "d")) // the last one is the oldest
		if n != 2 {
			f.add(t, lobby, with(fmt.Sprint(n), fileID(10-n)))
		}
	}
	_, err := f.log.BeginFile(t.Context(), row(1, "d")) // whose bytes are not there, so that it makes nobody else's go
	must(t, err)
	must(t, f.log.ThumbFile(t.Context(), fileID(7)))
	all := int64(1010 + 1009 + 1008 + 1007 + 4*chat.FileOverhead)
	check := func(keep int64, want ...string) {
		t.Helper()
		ids, err := f.log.ExpireFiles(t.Context(), keep)
		must(t, err)
		equal(t, fmt.Sprint("what goes to keep ", keep), ids, want)
		if _, bytes, err := f.log.Filed(t.Context()); err != nil || bytes > keep {
			t.Errorf("%d bytes are left, %v", bytes, err)
		}
	}
	check(all)
	check(all-1, fileID(7))
	check(all - 1)
	check(1010+chat.FileOverhead, fileID(8), fileID(9))
	stands(t, f.log, "b lobby/0 incomplete", "h lobby/3 gone", "j lobby/2 gone", "k lobby/1 whole")
	equal(t, "the messages", f.all(t), []string{
		`1 says "text of 0" with ` + fileID(10) + ` "10 <b>.jpg" image/jpeg 1010 40x30`,
		`2 says "text of 1" with ` + fileID(9) + ` "9 <b>.jpg" image/jpeg 1009 40x30 gone`,
		`3 says "text of 3" with ` + fileID(7) + ` "7 <b>.jpg" image/jpeg 1007 40x30 gone`,
	})
	fails(t, "whole again", f.log.WholeFile(t.Context(), fileID(9), "x"), chat.ErrNoFile)
	fails(t, "a thumbnail", f.log.ThumbFile(t.Context(), fileID(9)), chat.ErrNoFile)
	gone := listen(f.log)
	f.add(t, lobby, remove("r", 2, "1"))
	gone.heard(t, fileID(9))
	check(0, fileID(10))
}

// expiredByShare has a stranger with many devices send so much that files have to go.
func expiredByShare(t *testing.T, f *fixture[FileStore]) {
	n := 0
	add := func(source int64, device string, size int64) {
		t.Helper()
		n++
		r := row(n, device)
		r.Source, r.Size = source, 100*size-chat.FileOverhead // so that it takes that of the disk
		send(t, f.log, r)
		e := with(fmt.Sprint(n), r.ID)
		e.Device = device
		f.add(t, lobby, e)
	}
	add(1, "ann", 3000) // the oldest
	add(1, "ann", 1000)
	add(2, "bob", 2000)
	add(0, "eve", 2500) // the log does not know where that is from
	for i := range 4 {
		add(3, fmt.Sprint("stranger", i), 1500)
	}
	add(3, "your guest", 2000) // is behind the stranger's router
	add(0, "zoe", 2500)
	check := func(less int64, want ...int) {
		t.Helper()
		_, bytes, err := f.log.Filed(t.Context())
		must(t, err)
		got, err := f.log.ExpireFiles(t.Context(), bytes-100*less)
		must(t, err)
		var names []string
		for _, n := range want {
			names = append(names, fileID(n))
		}
		slices.Sort(got)
		slices.Sort(names)
		equal(t, fmt.Sprint("what makes room for ", less), got, names)
	}
	check(1, 9) // the stranger's address has 8000, and the guest most of it
	check(1500+1, 5, 6)
	check(2000, 1)        // Ann has 4000 now
	check(5000, 7, 4, 10) // the stranger has 3000, then Eve and Zoe most, who count alone
	check(1, 3)           // Bob has most now
	rows, err := f.log.Files(t.Context(), "", 99)
	must(t, err)
	for _, r := range rows {
		if (r.State == chat.FileGone) != (r.Source == 0) {
			t.Errorf("where it is from is kept as long as the file: %+v", r)
		}
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

func listed(t *testing.T, f *fixture[FileStore]) {
	var want []string
	for n := range 9 {
		_, err := f.log.BeginFile(t.Context(), row((n*5)%9, fmt.Sprint(n)))
		must(t, err)
		want = append(want, fileID(n))
	}
	slices.Sort(want)
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		rows, err := f.log.Files(t.Context(), after, 4)
		if must(t, err); len(rows) == 0 {
			break
		}
		for _, r := range rows {
			got = append(got, r.ID)
		}
	}
	equal(t, "the files", got, want)
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
