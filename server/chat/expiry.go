package chat

import (
	"crypto/sha256"
	"encoding/binary"
)

// FileShare is what a device has of the whole files, as far as they come from one source.
type FileShare struct {
	Source int64
	Device string
	Bytes  int64
}

// FileHolder is whose a file counts as where files make room for others: a source's,
// since devices are free to make, or a device's where sources are not told apart.
type FileHolder struct {
	source int64
	device string // "" if there is a source
}

// Holder returns whose the share is.
func (s FileShare) Holder() FileHolder {
	if s.Source != 0 {
		return FileHolder{source: s.Source}
	}
	return FileHolder{device: s.Device}
}

// Holder returns whose the file is.
func (r FileRow) Holder() FileHolder { return FileShare{Source: r.Source, Device: r.Device}.Holder() }

// sourceNumber stands for a source where its address is not to be kept. It is never 0.
func sourceNumber(name string) int64 {
	sum := sha256.Sum256([]byte("files of " + name))
	return max(1, int64(binary.BigEndian.Uint64(sum[:8])>>1)) //nolint:gosec // 63 bits
}

// Expiring returns the files that go so that the others have over bytes less, at most as
// many as most: those of whoever holds most, the oldest first. Of a source with several
// devices it is the one that holds most, so that people behind one router are as safe
// from each other. What oldest returns are the next files of a share, in order of age,
// without the first skip of them.
func Expiring(shares []FileShare, over int64, most int, oldest func(s FileShare, skip int) ([]FileRow, error)) (all []FileRow, err error) {
	held := make(map[FileHolder]int64)
	for _, s := range shares {
		held[s.Holder()] += s.Bytes
	}
	next := make([][]FileRow, len(shares))
	taken := make([]int, len(shares))
	for over > 0 && len(all) < most {
		heaviest := -1
		for i, s := range shares {
			if s.Bytes > 0 && (heaviest < 0 || heavier(s, shares[heaviest], held)) {
				heaviest = i
			}
		}
		if heaviest < 0 {
			break
		}
		s := &shares[heaviest]
		if len(next[heaviest]) == 0 {
			if next[heaviest], err = oldest(*s, taken[heaviest]); err != nil {
				return nil, err
			}
			if len(next[heaviest]) == 0 { // they went meanwhile
				held[s.Holder()] -= s.Bytes
				s.Bytes = 0
				continue
			}
		}
		row := next[heaviest][0]
		next[heaviest] = next[heaviest][1:]
		taken[heaviest]++
		s.Bytes -= row.Size
		held[s.Holder()] -= row.Size
		over -= row.Size
		all = append(all, row)
	}
	return all, nil
}

// heavier reports whether a file of a goes before one of b.
func heavier(a, b FileShare, held map[FileHolder]int64) bool {
	if x, y := held[a.Holder()], held[b.Holder()]; x != y {
		return x > y
	}
	return a.Bytes > b.Bytes
}
