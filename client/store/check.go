package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// check has bbolt look whether the file at path holds together, before anything
// is written to it. A file that does not exist, or is empty, is fine.
//
// bbolt maps its file into memory and trusts it. Its own check would end the
// process at a page number that leads out of the file, and never end at one that
// leads in a circle. So everything is read first, in a goroutine that survives
// both. What bbolt checks afterwards are pages that were visited.
func check(path, aside string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	db, _, err := openFile(path, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return err
	}
	c := &checker{most: info.Size() / minElement}
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.watch(done, func() { _ = stopReading(path, aside) }) // if it can't be stopped, nothing else helps
	}()
	err, _ = survive(func() error { return c.run(db, info.Size()) })
	close(done)
	<-watched
	closed, _ := survive(db.Close)
	return errors.Join(err, closed)
}

// checker reads a whole file.
type checker struct {
	read atomic.Int64 // keys
	most int64        // more keys than the file has place for
	sum  byte         // of what was read, so that the compiler does not leave out the reading
}

const (
	minElement = 16 // bytes that a key takes in a file, at least
	maxNested  = 8  // buckets; ours are three deep
)

var errCircle = errors.New("a page leads back to itself")

func (c *checker) run(db *bbolt.DB, size int64) error {
	tx, err := db.Begin(false)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // reading, it can't fail
	if tx.Size() > size {
		return errors.New("the file is cut short")
	}
	if err := checkLengths(tx, size/int64(db.Info().PageSize)); err != nil {
		return err
	}
	err = tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return c.bucket(b, 1) })
	if err != nil {
		return err
	}
	for e := range tx.Check() {
		err = errors.Join(err, e)
	}
	return err
}

// checkLengths looks whether a page goes on behind the end of the file.
func checkLengths(tx *bbolt.Tx, pages int64) error {
	for id := int64(0); id < pages; id++ {
		p, err := tx.Page(int(id))
		if err != nil || p == nil {
			return err
		}
		if p.Type == "free" {
			continue
		}
		if id += int64(p.OverflowCount); id >= pages {
			return fmt.Errorf("page %d is too long", p.ID)
		}
	}
	return nil
}

// bucket reads every byte of a bucket and of the buckets in it.
func (c *checker) bucket(b *bbolt.Bucket, depth int) error {
	if depth > maxNested {
		return errCircle
	}
	if b.Root() == 0 && b.Stats().InlineBucketInuse == 0 { // what is inside another bucket's page is one leaf
		return errors.New("a bucket is no leaf")
	}
	return b.ForEach(func(key, value []byte) error {
		if c.read.Add(1) > c.most {
			return errCircle
		}
		if len(key) > bbolt.MaxKeySize {
			return fmt.Errorf("a key has %d bytes", len(key))
		}
		c.sum ^= touch(key) ^ touch(value)
		if value != nil {
			return nil
		}
		inner := b.Bucket(key)
		if inner == nil {
			return fmt.Errorf("%q is no bucket", key)
		}
		return c.bucket(inner, depth+1)
	})
}

// touch reads a byte of every 512 of a piece of the mapped file. The caller keeps the sum.
func touch(p []byte) (sum byte) {
	for i := 0; i < len(p); i += 512 {
		sum ^= p[i]
	}
	if len(p) > 0 {
		sum ^= p[len(p)-1]
	}
	return sum
}

// watch calls stop if bbolt follows pages in a circle. It does so within one call,
// and takes more and more memory.
func (c *checker) watch(done <-chan struct{}, stop func()) {
	const runaway = 256 << 20 // bytes, without a key
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	read, before := int64(-1), uint64(0)
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(sample)
		allocated := sample[0].Value.Uint64()
		if n := c.read.Load(); n != read {
			read, before = n, allocated
		} else if allocated-before > runaway {
			stop()
			<-done
			return
		}
	}
}

// stopReading overwrites the file, which its reader has mapped: bbolt no longer
// finds a page with a valid number, and panics. The file has been copied before.
func stopReading(path, aside string) error {
	from, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	size, err := io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	_, err = from.WriteAt(bytes.Repeat([]byte{0xff}, int(size)), 0)
	return err
}
