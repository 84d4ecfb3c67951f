package chat_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/server/chat"
)

// Expiring takes the files one after the other, each from whoever holds most then.
func TestExpiring(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var shares []chat.FileShare
		files := make(map[chat.FileShare][]chat.FileRow) // by source and device, the oldest first
		var all int64
		for i := range 1 + r.IntN(12) {
			s := chat.FileShare{Source: r.Int64N(4), Device: fmt.Sprint(i)}
			of := s
			for n := range 1 + r.IntN(5) {
				row := chat.FileRow{File: chat.File{ID: fmt.Sprint(i, ".", n), Size: 1 + 50e3*r.Int64N(4)}, Source: s.Source, Device: s.Device}
				files[of] = append(files[of], row)
				s.Bytes += row.Taken()
			}
			all += s.Bytes
			shares = append(shares, s)
		}
		over, most := r.Int64N(all+2), r.IntN(40)
		want := slowlyExpiring(files, shares, over, most)
		given := slices.Clone(shares)
		got, err := chat.Expiring(given, over, most, func(s chat.FileShare, skip int) ([]chat.FileRow, error) {
			rows := files[chat.FileShare{Source: s.Source, Device: s.Device}]
			return rows[skip:min(skip+2, len(rows))], nil
		})
		var ids []string
		for _, row := range got {
			ids = append(ids, row.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Fatalf("%d: %v go, not %v, %v", seed, ids, want, err)
		}
	}
}

// slowlyExpiring is what Expiring should return, by looking at all shares for each file.
func slowlyExpiring(files map[chat.FileShare][]chat.FileRow, shares []chat.FileShare, over int64, most int) (ids []string) {
	shares = slices.Clone(shares)
	taken := make([]int, len(shares))
	holds := func(of chat.FileShare) (bytes int64) {
		for _, s := range shares {
			if s.Holder() == of.Holder() {
				bytes += s.Bytes
			}
		}
		return bytes
	}
	// Of two that hold the same, the one whose first share comes first.
	first := func(of chat.FileShare) int {
		return slices.IndexFunc(shares, func(s chat.FileShare) bool { return s.Holder() == of.Holder() })
	}
	for over > 0 && len(ids) < most {
		order := make([]int, len(shares))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int {
			a, b := shares[i], shares[j]
			return cmp.Or(cmp.Compare(holds(b), holds(a)), cmp.Compare(first(a), first(b)), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(i, j))
		})
		s := &shares[order[0]]
		if s.Bytes == 0 {
			break
		}
		row := files[chat.FileShare{Source: s.Source, Device: s.Device}][taken[order[0]]]
		taken[order[0]]++
		s.Bytes -= row.Taken()
		over -= row.Taken()
		ids = append(ids, row.ID)
	}
	return ids
}

// BenchmarkExpiring has very many devices, each of which has one file.
func BenchmarkExpiring(b *testing.B) {
	shares := make([]chat.FileShare, 100_000)
	for i := range shares {
		shares[i] = chat.FileShare{Device: fmt.Sprint(i), Bytes: 1000 + chat.FileOverhead}
	}
	for b.Loop() {
		_, err := chat.Expiring(slices.Clone(shares), 1<<40, 1000, func(s chat.FileShare, skip int) ([]chat.FileRow, error) {
			return []chat.FileRow{{File: chat.File{Size: 1000}, Device: s.Device}}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
