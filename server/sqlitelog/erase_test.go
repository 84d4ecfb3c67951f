package sqlitelog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// secret is a text that is nowhere else, every part of it.
func secret(n, length int) string {
	var b strings.Builder
	for i := 0; b.Len() < length; i++ {
		fmt.Fprintf(&b, "secret-%d-%d.", n, i)
	}
	return b.String()
}

// traces returns where parts of a secret are in a log's files.
func traces(t *testing.T, dir string, secrets ...int) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		there := make(map[string]bool)
		for _, match := range regexp.MustCompile(`secret-(\d+)-`).FindAllSubmatch(data, -1) {
			there[string(match[1])] = true
		}
		for _, n := range secrets {
			if there[fmt.Sprint(n)] {
				found = append(found, fmt.Sprintf("%d in %s", n, filepath.Base(file)))
			}
		}
	}
	return found
}

// What was deleted, and what an edit has replaced, is soon in none of the log's files,
// while it is open; a reader holds that up and no more.
func TestErased(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{}.WithErase(time.Millisecond).WithIdle(time.Hour))
	defer l.Close()
	said := 0
	say := func(e chat.Entry) {
		t.Helper()
		said++
		e.ID, e.Device, e.User, e.Time = fmt.Sprint(said), "d", "Ann", time.Unix(1, 0)
		done := make(chan error, 1)
		l.Append(t.Context(), lobby, e, func(_ chat.Receipt, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	gone := func(secrets ...int) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			found := traces(t, dir, secrets...)
			if len(found) == 0 {
				return
			}
			if time.Now().After(late) {
				t.Fatal(found)
			}
		}
	}
	lengths := []int{30, 3000, 16_000, 30, 3000, 16_000}
	for i, length := range lengths {
		say(chat.Entry{Text: secret(i, length)})
	}
	if found := traces(t, dir, 0, 1, 2, 3, 4, 5); len(found) < len(lengths) {
		t.Fatalf("only %v can be found before", found)
	}
	for i := range 3 {
		say(chat.Entry{Kind: chat.KindDelete, Target: int64(i + 1), Extra: &chat.Extra{Of: fmt.Sprint(i + 1)}})
	}
	gone(0, 1, 2)
	for i := 3; i < 6; i++ {
		say(chat.Entry{Kind: chat.KindEdit, Target: int64(i + 1), Extra: &chat.Extra{Of: fmt.Sprint(i + 1)}, Text: secret(10+i, lengths[len(lengths)-1-i])})
	}
	gone(3, 4, 5)

	reader := database(t, dir)
	if _, err := reader.Exec("BEGIN; SELECT COUNT(*) FROM entries"); err != nil {
		t.Fatal(err)
	}
	say(chat.Entry{Kind: chat.KindDelete, Target: 4, Extra: &chat.Extra{Of: "4"}})
	say(chat.Entry{Text: "nobody waits for the reader"})
	if found := traces(t, dir, 13); len(found) == 0 {
		t.Error("it is gone while somebody reads it")
	}
	if _, err := reader.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	gone(13)
}

// However rows and pages have moved before, nothing of a text is left.
func TestErasedEverywhere(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{Sync: sqlitelog.Normal}.WithErase(time.Millisecond).WithIdle(time.Hour))
	random := rand.New(rand.NewPCG(5, 6))
	type message struct {
		room   int
		offset int64
		id     string
		secret int
	}
	var all []message
	var gone []int
	secrets := 0
	done := make(chan struct{}, 1)
	length := func() int {
		return []int{10, 100, 300, 1000, 4000, 16_000}[random.IntN(6)] * (50 + random.IntN(100)) / 100
	}
	for i := range 3000 {
		e := chat.Entry{ID: fmt.Sprint(i), Device: "d", User: "Ann", Time: time.Unix(int64(i), 0)}
		m := message{room: random.IntN(12), id: e.ID}
		old := -1
		var victim int
		if len(all) > 0 {
			victim = random.IntN(len(all))
		}
		switch n := random.IntN(10); {
		case n < 6 || len(all) == 0:
			m.secret = secrets
			e.Text = secret(m.secret, length())
			secrets++
		case n < 8:
			m = all[victim]
			old = m.secret
			m.secret = secrets
			e.Kind, e.Target, e.Text, e.Extra = chat.KindEdit, m.offset, secret(m.secret, length()), &chat.Extra{Of: m.id}
			secrets++
			all[victim].secret = m.secret
		case n < 9:
			m = all[victim]
			e.Kind, e.Target, e.Extra = chat.KindReact, m.offset, &chat.Extra{Of: m.id, Emoji: "👍"}
			e.Device = fmt.Sprintf("%032x", i)
		default:
			m = all[victim]
			old = m.secret
			e.Kind, e.Target, e.Extra = chat.KindDelete, m.offset, &chat.Extra{Of: m.id}
			all = append(all[:victim], all[victim+1:]...)
		}
		room := shared.Name{Text: "Room", Key: fmt.Sprint("room", m.room)}
		l.Append(t.Context(), room, e, func(r chat.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
			if e.Kind == chat.KindMessage {
				m.offset = r.Offset
			}
			done <- struct{}{}
		})
		<-done
		if e.Kind == chat.KindMessage {
			all = append(all, m)
		}
		if old >= 0 {
			gone = append(gone, old)
		}
	}
	left := traces(t, dir, gone...)
	for late := time.Now().Add(time.Minute); len(left) > 0; left = traces(t, dir, gone...) {
		if time.Now().After(late) {
			t.Fatalf("of %d texts that went, %d are still there: %.20v", len(gone), len(left), left)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitelog.Check(t.Context(), dir); err != nil {
		t.Error(err)
	}
	var wrong int
	if err := database(t, dir).QueryRow(`SELECT COUNT(*) FROM rooms WHERE bytes <>
		(SELECT SUM(octet_length(text) + octet_length(user) + 160) FROM entries WHERE room = rooms.id)`).Scan(&wrong); err != nil || wrong > 0 {
		t.Errorf("the sizes of %d rooms are wrong, %v", wrong, err)
	}
}

// Searches that follow one another for ever, each longer than the writer waits, keep
// no text in the write-ahead log.
func TestErasedDuringSearches(t *testing.T) {
	l := open(t, t.TempDir(), sqlitelog.Options{Sync: sqlitelog.Normal}.WithErase(time.Hour))
	defer l.Close()
	const messages = 60_000
	done := make(chan error, messages)
	text := strings.Repeat("Ä", 400)
	say := func(id string) {
		l.Append(t.Context(), lobby, chat.Entry{ID: id, Device: "d", User: "Ann", Text: text}, func(_ chat.Receipt, err error) { done <- err })
	}
	for i := range messages {
		say(fmt.Sprint(i))
	}
	for range messages {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var searches sync.WaitGroup
	var over atomic.Bool
	began := make(chan bool, 1)
	for range 3 {
		searches.Go(func() {
			for !over.Load() {
				if _, err := l.Search(t.Context(), lobby.Key, "nothing", 0, chat.Most{Entries: 20}, 200*time.Millisecond); err != nil {
					t.Error(err)
				}
				select {
				case began <- true:
				default:
				}
			}
		})
	}
	<-began
	for i := range 5 {
		say(fmt.Sprint("while they search ", i))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := l.EraseNow(); err != nil {
			t.Error(err)
		}
	}
	over.Store(true)
	searches.Wait()
}
