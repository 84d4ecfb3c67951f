package sqlitelog_test

import (
	"context"
	"fmt"
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
