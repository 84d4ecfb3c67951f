package pglog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// marks are what this server knows of the database besides its rows: how many
// transactions each of its writers has committed, and the newest timeline. A database
// that has fewer of them has lost some: it was restored, or another server took its place
// that had not got everything.
type marks struct {
	path   string // "" keeps them in memory alone
	saving sync.Mutex

	mu    sync.Mutex
	kept  markFile
	dirty bool
}

type markFile struct {
	Server   string        `json:"server"`
	Log      string        `json:"log"` // of the database: meta.id
	Timeline uint64        `json:"timeline"`
	Writers  map[int]int64 `json:"writers"`

	// Proved is the timeline of the last proof, and Alone says that no standby had to have
	// it: one that takes over may lack what nobody remembers.
	Proved uint64 `json:"proved"`
	Alone  bool   `json:"alone"`

	// Newest has the newest entry of each writer. Whatever the server wrote before is in a
	// database that has these, so they tell when the counters can't.
	Newest map[int]markEntry `json:"newest"`
}

type markEntry struct {
	Room   string `json:"room"` // its key
	Offset int64  `json:"offset"`
	ID     string `json:"id"`
}

// MarksName is the file with the marks in the data folder.
const MarksName = "postgres.json"

func openMarks(dir string) (*marks, error) {
	m := &marks{}
	if dir != "" {
		m.path = filepath.Join(dir, MarksName)
		text, err := os.ReadFile(m.path)
		if err == nil {
			err = json.Unmarshal(text, &m.kept)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the file %s can't be read: %w", m.path, err)
		}
	}
	if m.kept.Server == "" {
		m.kept.Server, m.dirty = rand.Text(), true
	}
	if m.kept.Writers == nil {
		m.kept.Writers = make(map[int]int64)
	}
	if m.kept.Newest == nil {
		m.kept.Newest = make(map[int]markEntry)
	}
	return m, nil
}

// saw takes note of a timeline, or fails if a newer one was seen.
func (m *marks) saw(timeline uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if timeline < m.kept.Timeline {
		return errTimeline
	}
	m.dirty = m.dirty || timeline > m.kept.Timeline
	m.kept.Timeline = timeline
	return nil
}

// proved takes note of a proof.
func (m *marks) proved(timeline uint64, alone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dirty = m.dirty || timeline != m.kept.Proved || alone != m.kept.Alone
	m.kept.Proved, m.kept.Alone = timeline, alone
}

// mayLack reports whether a database on a timeline may lack what was written on the one
// before, and no server may be left that knows of it.
func (m *marks) mayLack(timeline uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Proved != 0 && m.kept.Proved < timeline && m.kept.Alone
}

// seen is the newest timeline.
func (m *marks) seen() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Timeline
}

// committed takes note of a writer's transaction.
func (m *marks) committed(writer int, n int64, rooms []*roomState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Writers[writer], m.dirty = n, true
	for _, r := range rooms {
		if len(r.fresh) > 0 {
			last := &r.fresh[len(r.fresh)-1]
			m.kept.Newest[writer] = markEntry{r.key, last.Offset, last.ID}
			return
		}
	}
}

// hasMore reports whether a writer has committed as many transactions already as the
// database says, this one included.
func (m *marks) hasMore(writer int, n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return n <= m.kept.Writers[writer]
}

// goOn takes note of what there is in a database, from which to go on.
func (m *marks) goOn(log string, writers map[int]int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Log, m.kept.Writers, m.dirty = log, writers, true
}

// save writes the marks, whole and durably. Meanwhile nobody else waits for the disk.
func (m *marks) save() (err error) {
	m.saving.Lock()
	defer m.saving.Unlock()
	m.mu.Lock()
	if !m.dirty || m.path == "" {
		m.mu.Unlock()
		return nil
	}
	text, err := json.Marshal(m.kept)
	m.dirty = false
	m.mu.Unlock()
	defer func() {
		if err != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.dirty = true
		}
	}()
	if err != nil {
		return err
	}
	fresh := m.path + ".part"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(fresh, m.path)
	}
	return err
}

// saveEvery is how old the marks on the disk may be.
const saveEvery = time.Second

func (l *Log) keepMarks(ctx context.Context) {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := l.marks.save(); err != nil {
				l.says.Do(func() { l.opt.Logger.Warn("what the server knows of the database can't be written", "error", err) })
			}
		}
	}
}

// connected looks, after each connect, whether the database still has everything that
// this server has seen. If not, a new epoch begins, and the rooms are read anew.
func (l *Log) connected(ctx context.Context, conn *session) error {
	var epoch, id, lost string
	var there map[int]int64
	err := conn.durably(ctx, func(tx pgx.Tx) error {
		var wal string
		var began uint64
		if err := tx.QueryRow(ctx, "SELECT epoch, id, timeline, "+walNow+" FROM meta FOR NO KEY UPDATE").Scan(&epoch, &id, &began, &wal); err != nil {
			return err
		}
		timeline, err := timelineOf(wal)
		if err != nil {
			return err
		}
		if l.marks.seen() > timeline { // what it lacks says nothing of the one that took its place
			return errTimeline
		}
		mayLack := began < timeline && l.marks.mayLack(timeline) // the first server that comes begins the epoch for all
		if lost, there, err = l.missing(ctx, tx, id, mayLack); err != nil || lost == "" {
			return err
		}
		epoch = rand.Text()
		_, err = tx.Exec(ctx, "UPDATE meta SET epoch = $1, timeline = $2", epoch, timeline)
		return err
	})
	if err != nil {
		return err
	}
	if lost != "" {
		l.opt.Logger.Warn("the database has lost something: a new epoch begins", "what", lost)
	}
	l.people.again() // the table of people may be empty
	if was := l.epoch.Swap(&epoch); was != nil && *was != epoch {
		l.over()
	}
	if there != nil { // not before there is the new epoch: then the writers go on
		l.marks.goOn(id, there)
	}
	return nil
}

// missing says what the database has lost of what this server has written or handed on,
// or of what others have, if it may lack that; "" for nothing. If the counters in the
// database are to be the ones to go on from, it returns them.
func (l *Log) missing(ctx context.Context, tx pgx.Tx, id string, mayLack bool) (what string, there map[int]int64, err error) {
	l.marks.mu.Lock()
	kept, newest := maps.Clone(l.marks.kept.Writers), maps.Clone(l.marks.kept.Newest)
	same, known := l.marks.kept.Log == id || l.marks.kept.Log == "", l.marks.kept.Log == id
	l.marks.mu.Unlock()
	rows, err := tx.Query(ctx, "SELECT writer, n FROM marks WHERE server = $1", l.server)
	if err != nil {
		return "", nil, err
	}
	there = make(map[int]int64)
	var writer int
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&writer, &n}, func() error {
		there[writer] = n
		return nil
	}); err != nil {
		return "", nil, err
	}
	if !same {
		what = "this is another log than before"
		if l.epoch.Load() == nil {
			what = "" // the server was started with another one, whose epoch is another, too
		}
	}
	// A server without any counters was away for so long that they were deleted (sweep.go),
	// or it was asleep. Or they are lost with all that it has written: then so is the newest
	// entry of each writer. Without an entry there is nothing to lose.
	swept := same && len(there) == 0 && len(kept) > 0
	for writer, n := range kept {
		if same && !swept && there[writer] < n {
			what = fmt.Sprintf("of %d transactions of this server there are %d", n, there[writer])
		}
	}
	for _, e := range newest {
		if swept && what == "" {
			what, err = lostEntry(ctx, tx, e)
		}
		if err != nil {
			return "", nil, err
		}
	}
	if what == "" {
		what, err = l.lostHanded(ctx, tx)
	}
	if what == "" && same && mayLack {
		what = "a standby took over that may not have had everything"
	}
	if what == "" && l.opt.Restored && l.epoch.Load() == nil {
		what = "it was restored, as --log-restored says" // clients may have what no server knows of any more
	}
	if same && what == "" && known && !swept {
		there = nil // a writer may have gone on meanwhile
	}
	return what, there, err
}

// lostHanded looks for the last entry that each room was handed.
func (l *Log) lostHanded(ctx context.Context, tx pgx.Tx) (what string, err error) {
	for _, w := range l.writers {
		for key, f := range w.newest() {
			last := f.last.Load()
			if last == nil {
				continue
			}
			if what, err = lostEntry(ctx, tx, markEntry{key, last.offset, last.id}); what != "" || err != nil {
				return what, err
			}
		}
	}
	return "", nil
}

// lostEntry looks for an entry. A room that another server has deleted or renamed has
// left its end.
func lostEntry(ctx context.Context, tx pgx.Tx, e markEntry) (what string, err error) {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM rooms r JOIN entries e ON e.room = r.id WHERE r.key = $1 AND e.off = $2 AND e.id = $3) "+
		"OR EXISTS (SELECT 1 FROM rooms WHERE key = $1 AND first > $2) "+
		"OR EXISTS (SELECT 1 FROM ends WHERE key = $1 AND head >= $2)", e.Room, e.Offset, e.ID).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		what = fmt.Sprintf("an entry of a room is not there any more (offset %d)", e.Offset)
	}
	return what, nil
}
