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
