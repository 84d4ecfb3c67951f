package sqlitelog_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// BenchmarkAppend keeps 2,048 entries for a number of rooms under way.
func BenchmarkAppend(b *testing.B) {
	for _, rooms := range []int{1, 100} {
		b.Run(fmt.Sprint(rooms, " rooms"), func(b *testing.B) {
			l, err := sqlitelog.Open(context.Background(), b.TempDir(), sqlitelog.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			window := make(chan struct{}, 2048)
			var wg sync.WaitGroup
			text := strings.Repeat("x", 100)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				window <- struct{}{}
				wg.Add(1)
				room := shared.Name{Text: "Room", Key: fmt.Sprint("room", i%rooms)}
				e := chat.Entry{ID: fmt.Sprintf("%026d", i), Device: "00112233445566778899aabbccddeeff", User: "Ann", Text: text, Time: time.Unix(1, 0)}
				l.Append(context.Background(), room, e, func(_ chat.Receipt, err error) {
					if err != nil {
						b.Error(err)
					}
					<-window
					wg.Done()
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkRooms lists the newest 50 of 100,000 rooms.
func BenchmarkRooms(b *testing.B) {
	dir := b.TempDir()
	l, err := sqlitelog.Open(context.Background(), dir, sqlitelog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlitelog.FileName))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
		INSERT INTO rooms (key, name, head, last) SELECT 'room' || i, 'Room ' || i, 1, abs(random() % 1000000000) + 1 FROM n`); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if rooms, err := l.Rooms(context.Background(), 50); err != nil || len(rooms) != 50 {
			b.Fatal(len(rooms), err)
		}
	}
}
