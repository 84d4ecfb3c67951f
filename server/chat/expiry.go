package chat

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
)

// FileShare is what a device has of the whole files, as far as they come from one source.
type FileShare struct {
	Source int64
	Device string
	Bytes  int64 // of the disk: see FileRow.Taken
}

// FileHolder is to whom a file counts when files have to make room for others: to a
// source, since anyone can make devices, or to a device if its source is not known.
type FileHolder struct {
	source int64
	device string // "" if there is a source
}

// Holder returns to whom the share counts.
func (s FileShare) Holder() FileHolder {
	if s.Source != 0 {
		return FileHolder{source: s.Source}
	}
	return FileHolder{device: s.Device}
}

// Holder returns to whom the file counts.
func (r FileRow) Holder() FileHolder { return FileShare{Source: r.Source, Device: r.Device}.Holder() }

// sourceNumber stands for a source where its address is not to be kept. It is never 0.
func sourceNumber(name string) int64 {
	sum := sha256.Sum256([]byte("files of " + name))
	return max(1, int64(binary.BigEndian.Uint64(sum[:8])>>1))
}

// Expiring returns the files that go so that the others take over bytes less, at most as
// many as most: those of whoever holds most, the oldest first. Of a source with several
// devices it is the one that holds most, so that people behind one router are as safe
// from each other. What oldest returns are the next files of a share, in order of age,
// without the first skip of them.
func Expiring(shares []FileShare, over int64, most int, oldest func(s FileShare, skip int) ([]FileRow, error)) (all []FileRow, err error) {
	holdings := holdingsOf(shares)
	for over > 0 && len(all) < most && len(holdings) > 0 {
		holding := holdings[0]
		share := holding.shares[0]
		if len(share.next) == 0 {
			if share.next, err = oldest(share.FileShare, share.taken); err != nil {
				return nil, err
			}
		}
		less := share.Bytes
		if len(share.next) > 0 { // otherwise the others went meanwhile
			row := share.next[0]
			share.next = share.next[1:]
			share.taken++
			less = min(less, row.Taken())
			over -= row.Taken()
			all = append(all, row)
		}
		share.Bytes -= less
		holding.bytes -= less
		settleTop(&holding.shares, share.Bytes)
		settleTop(&holdings, holding.bytes)
	}
	return all, nil
}

// A fileHolding is what a holder has. Of its shares, the largest is on top.
type fileHolding struct {
	bytes  int64
	order  int
	shares largest[*expiringShare]
}

type expiringShare struct {
	FileShare
	order int
	next  []FileRow
	taken int
}

func (h *fileHolding) held() (bytes int64, order int)   { return h.bytes, h.order }
func (s *expiringShare) held() (bytes int64, order int) { return s.Bytes, s.order }

// holdingsOf returns what each holder has. The largest holding is on top.
func holdingsOf(shares []FileShare) largest[*fileHolding] {
	of := make(map[FileHolder]*fileHolding)
	var all largest[*fileHolding]
	for i, s := range shares {
		if s.Bytes <= 0 {
			continue
		}
		h := of[s.Holder()]
		if h == nil {
			h = &fileHolding{order: i}
			of[s.Holder()] = h
			all = append(all, h)
		}
		h.bytes += s.Bytes
		h.shares = append(h.shares, &expiringShare{FileShare: s, order: i})
	}
	for _, h := range all {
		heap.Init(&h.shares)
	}
	heap.Init(&all)
	return all
}

// largest is a heap.Interface with whoever holds most on top, and of several of them the
// first.
type largest[T interface {
	held() (bytes int64, order int)
}] []T

func (l largest[T]) Len() int      { return len(l) }
func (l largest[T]) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *largest[T]) Push(x any)   { *l = append(*l, x.(T)) }

// Less implements heap.Interface.
func (l largest[T]) Less(i, j int) bool {
	a, first := l[i].held()
	b, second := l[j].held()
	return a > b || a == b && first < second
}

// Pop implements heap.Interface.
func (l *largest[T]) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	*l = (*l)[:last]
	return x
}

// settleTop gives the top its place after it became smaller, or takes it away if it has
// nothing left.
func settleTop(h heap.Interface, left int64) {
	if left <= 0 {
		heap.Pop(h)
		return
	}
	heap.Fix(h, 0)
}
