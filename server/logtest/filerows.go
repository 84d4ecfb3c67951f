package logtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

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
	sized := again.File
	sized.Size, sized.Width, sized.Height = 7, 0, 9
	must(t, f.log.SizeFile(t.Context(), sized))
	if got, err := f.log.File(t.Context(), fileID(1)); err != nil || got.File != sized || got.Made != again.Made {
		t.Errorf("with another size, it is %+v, %v", got, err)
	}
	must(t, f.log.SizeFile(t.Context(), again.File))
	must(t, f.log.SizeFile(t.Context(), chat.File{ID: fileID(2), Size: 1})) // of none
	for range 2 {
		must(t, f.log.WholeFile(t.Context(), fileID(1), "image/png"))
		must(t, f.log.ThumbFile(t.Context(), fileID(1)))
	}
	must(t, f.log.WholeFile(t.Context(), fileID(1), "image/gif")) // too late
	must(t, f.log.SizeFile(t.Context(), sized))                   // the same
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
