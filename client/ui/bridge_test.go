package ui

import (
	"context"
	"sync"
	"testing"
	"time"
)

func TestBridgeCollectsOneBatch(t *testing.T) {
	q := newQueue()
	b := newBridge(q.post)
	defer b.close()
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
		wg.Go(func() { b.wake(func() { calls++ }) })
	}
	wg.Wait()
	if len(fire) != 1 {
		t.Fatalf("%d windows for one batch", len(fire))
	}
	fire[0]()
	if len(q.funcs) != 1 {
		t.Fatalf("%d functions were posted", len(q.funcs))
	}
	q.drain()
	if calls != 50 {
		t.Errorf("%d of 50 were called", calls)
	}
	b.wake(func() { calls++ })
	if len(fire) != 2 {
		t.Error("the next batch has no window")
	}
}

func TestBridgeRun(t *testing.T) {
	q := newQueue()
	b := newBridge(q.post)
	done := ""
	b.run(context.Background(), func(context.Context) func() { return func() { done += "a" } })
	<-q.added
	q.drain()

	// What was asked for by somebody who has left is not told any more.
	ctx, cancel := context.WithCancel(context.Background())
	b.run(ctx, func(ctx context.Context) func() {
		<-ctx.Done()
		return func() { done += "b" }
	})
	cancel()
	b.run(context.Background(), func(ctx context.Context) func() {
		<-ctx.Done()
		return func() { done += "c" }
	})
	b.close()
	q.drain()
	if done != "a" {
		t.Errorf("ran %q", done)
	}
	b.wake(func() { t.Error("called after the end") })
	q.drain()
}

func TestBridgeEvery(t *testing.T) {
	q := newQueue()
	b := newBridge(q.post)
	defer b.close()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	b.every(ctx, time.Millisecond, func() { n++ })
	for n < 3 {
		<-q.added
		q.drain()
	}
	cancel()
	last := n
	b.close()
	q.drain()
	if n != last {
		t.Error("called after the end")
	}
}
