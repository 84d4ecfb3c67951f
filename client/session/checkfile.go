package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"

	"go.etcd.io/bbolt"
)

// checkFile looks whether a bbolt file holds together. bbolt maps its file into
// memory and trusts it: a page number that leads nowhere ends the process, one
// that leads in a circle never ends. A check before makes both a plain error.
// A file that does not exist, or is empty, is fine.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	// Opened for reading, bbolt takes the lock and reads the two meta pages
	// only, whose checksums it checks.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return err
	}
	size := db.Info().PageSize
	data, err := os.ReadFile(path)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return checkPages(data, size)
}

// The layout of a bbolt file (its internal/common): a page has a header of 16
// bytes, then as many elements of 16 bytes as the header counts, then what
// those point at. Numbers are in the machine's own order.
const (
	headerSize   = 16
	elementSize  = 16
	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10
	bucketFlag   = 0x01
	bucketSize   = 16 // of a bucket's value: the root page and the sequence
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	metaSummed   = 56 // bytes of a meta page's content under its checksum
	noFreelist   = 1<<64 - 1
	longFreelist = 0xFFFF // in the header's count: the first number is the count
)

var order = binary.NativeEndian

type fileCheck struct {
	data []byte
	size int    // of a page
	high uint64 // pages from here on are not in use
	seen map[uint64]bool
}

type page struct {
	flags, count uint16
	data         []byte // with the header, and what it overflows into
}

func checkPages(data []byte, size int) error {
	meta := newestMeta(data, size)
	if meta == nil {
		return errors.New("no valid meta page")
	}
	c := &fileCheck{data: data, size: size, high: order.Uint64(meta[40:]), seen: map[uint64]bool{}}
	if err := c.tree(order.Uint64(meta[16:])); err != nil {
		return err
	}
	if freelist := order.Uint64(meta[32:]); freelist != noFreelist {
		return c.freelist(freelist)
	}
	return nil
}

func newestMeta(data []byte, size int) (newest []byte) {
	for i := range 2 {
		at := i*size + headerSize
		if len(data) < at+metaSummed+8 {
			continue
		}
		meta := data[at : at+metaSummed+8]
		sum := fnv.New64a()
		sum.Write(meta[:metaSummed]) // never fails
		if order.Uint32(meta) != metaMagic || order.Uint32(meta[4:]) != metaVersion ||
			order.Uint64(meta[metaSummed:]) != sum.Sum64() {
			continue
		}
		if newest == nil || order.Uint64(meta[48:]) > order.Uint64(newest[48:]) {
			newest = meta
		}
	}
	return newest
}

// page returns a page that nothing else has led to.
func (c *fileCheck) page(id uint64) (p page, err error) {
	if id < 2 || id >= c.high || id >= uint64(len(c.data)/c.size) {
		return p, fmt.Errorf("page %d is out of range", id)
	}
	at := int(id) * c.size
	if order.Uint64(c.data[at:]) != id {
		return p, fmt.Errorf("page %d has another number", id)
	}
	overflow := uint64(order.Uint32(c.data[at+12:]))
	end := id + overflow + 1
	if end > c.high || end > uint64(len(c.data)/c.size) {
		return p, fmt.Errorf("page %d is too long", id)
	}
	for i := id; i < end; i++ {
		if c.seen[i] {
			return p, fmt.Errorf("page %d is used twice", i)
		}
		c.seen[i] = true
	}
	return newPage(c.data[at : int(end)*c.size]), nil
}

func newPage(data []byte) page {
	return page{order.Uint16(data[8:]), order.Uint16(data[10:]), data}
}

// tree checks the tree under a root page.
func (c *fileCheck) tree(root uint64) error {
	var last []byte
	return c.subtree(root, nil, &last)
}

// subtree checks a page and what hangs on it: its keys are not less than least,
// and greater than last, which it moves on.
func (c *fileCheck) subtree(id uint64, least []byte, last *[]byte) error {
	p, err := c.page(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case leafFlag:
		return c.leaf(p, least, last)
	case branchFlag:
	default:
		return fmt.Errorf("page %d is of kind %#x", id, p.flags)
	}
	if p.count == 0 {
		return fmt.Errorf("page %d is empty", id)
	}
	for i := range int(p.count) {
		at := headerSize + i*elementSize
		if at+elementSize > len(p.data) {
			return fmt.Errorf("page %d is cut short", id)
		}
		element := p.data[at:]
		key, _, err := p.cut(at, order.Uint32(element), order.Uint32(element[4:]), 0)
		if err != nil {
			return err
		}
		if !ordered(key, least, *last) {
			return fmt.Errorf("page %d is out of order", id)
		}
		if err := c.subtree(order.Uint64(element[8:]), key, last); err != nil {
			return err
		}
	}
	return nil
}

func ordered(key, least, last []byte) bool {
	return bytes.Compare(key, least) >= 0 && (last == nil || bytes.Compare(key, last) > 0)
}

// leaf checks a leaf page and the buckets in it.
func (c *fileCheck) leaf(p page, least []byte, last *[]byte) error {
	for i := range int(p.count) {
		at := headerSize + i*elementSize
		if at+elementSize > len(p.data) {
			return errors.New("a page is cut short")
		}
		element := p.data[at:]
		key, value, err := p.cut(at, order.Uint32(element[4:]), order.Uint32(element[8:]), order.Uint32(element[12:]))
		if err != nil {
			return err
		}
		if !ordered(key, least, *last) {
			return errors.New("a page is out of order")
		}
		*last = key
		if order.Uint32(element)&bucketFlag != 0 {
			if err := c.bucket(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut returns the key and the value of the element at a place in a page.
func (p page) cut(at int, pos, keySize, valueSize uint32) (key, value []byte, err error) {
	from := uint64(at) + uint64(pos)
	middle := from + uint64(keySize)
	to := middle + uint64(valueSize)
	if keySize == 0 || to > uint64(len(p.data)) {
		return nil, nil, errors.New("an element is out of its page")
	}
	return p.data[from:middle], p.data[middle:to], nil
}

// bucket checks a bucket, which has pages of its own or, while it is small, one
// inside its value.
func (c *fileCheck) bucket(value []byte) error {
	if len(value) < bucketSize {
		return errors.New("a bucket is cut short")
	}
	if root := order.Uint64(value); root != 0 {
		return c.tree(root)
	}
	inside := value[bucketSize:]
	if len(inside) < headerSize {
		return errors.New("a bucket is cut short")
	}
	p := newPage(inside)
	if p.flags != leafFlag {
		return fmt.Errorf("a page in a bucket is of kind %#x", p.flags)
	}
	var last []byte
	return c.leaf(p, nil, &last)
}

// freelist checks that the pages that may be written to are not in use.
func (c *fileCheck) freelist(id uint64) error {
	p, err := c.page(id)
	if err != nil {
		return err
	}
	if p.flags != freelistFlag {
		return fmt.Errorf("page %d is of kind %#x", id, p.flags)
	}
	ids, count := p.data[headerSize:], uint64(p.count)
	if count == longFreelist {
		if len(ids) < 8 {
			return errors.New("the list of free pages is cut short")
		}
		count, ids = order.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return errors.New("the list of free pages is cut short")
	}
	for i := range count {
		free := order.Uint64(ids[8*i:])
		if free < 2 || free >= c.high || c.seen[free] {
			return fmt.Errorf("page %d can't be free", free)
		}
		c.seen[free] = true
	}
	return nil
}
