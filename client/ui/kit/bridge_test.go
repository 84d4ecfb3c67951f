package kit

import (
	"context"
	"sync"
	"testing"
	"time"

	"parley/client/ui/uitest"
)

func TestBridgeCollectsOneBatch(t *testing.T) {
	q := uitest.NewQueue()
	b := NewBridge(q.Post)
	defer b.Close()
	var fire []func()
	b.after = func(d time.Duration, f func()) {
		if d != window {
			t.Errorf("collects for %v", d)
		}
		fire = append(fire, f)
	}
	calls := 0
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { b.Wake(func() { calls++ }) })
	}
	wg.Wait()
	if len(fire) != 1 {
		t.Fatalf("%d windows for one batch", len(fire))
	}
	fire[0]()
	if q.Len() != 1 {
		t.Fatalf("%d functions were posted", q.Len())
	}
	q.Drain()
	if calls != 50 {
		t.Errorf("%d of 50 were called", calls)
	}
	b.Wake(func() { calls++ })
	if len(fire) != 2 {
		t.Error("the next batch has no window")
	}
}

func TestBridgeRun(t *testing.T) {
	q := uitest.NewQueue()
	b := NewBridge(q.Post)
	done := ""
	b.Run(context.Background(), func(context.Context) func() { return func() { done += "a" } })
	<-q.Added
	q.Drain()

	// What was asked for by somebody who has left is not told any more.
	ctx, cancel := context.WithCancel(context.Background())
	b.Run(ctx, func(ctx context.Context) func() {
		<-ctx.Done()
		return func() { done += "b" }
	})
	cancel()
	b.Run(context.Background(), func(ctx context.Context) func() {
		<-ctx.Done()
		return func() { done += "c" }
	})
	b.Close()
	q.Drain()
	if done != "a" {
		t.Errorf("ran %q", done)
	}
	b.Wake(func() { t.Error("called after the end") })
	q.Drain()
}

func TestBridgeEvery(t *testing.T) {
	q := uitest.NewQueue()
	b := NewBridge(q.Post)
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	b.Every(ctx, time.Millisecond, func() { n++ })
	for n < 3 {
		<-q.Added
		q.Drain()
	}
	cancel()
	last := n
	b.Close()
	q.Drain()
	if n != last {
		t.Error("called after the end")
	}
}
