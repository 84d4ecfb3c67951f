package files

import (
	"slices"
	"testing"
	"time"
)

// Somebody begins a file again between its row going and its bytes: they stay.
func TestBegunAgainBeforeItsBytesWent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	id := w.upload("a.txt", []byte("what is in the file"))
	w.store.unlink([]string{id})
	if got := w.onDisk(); len(got) != 1 || got[0] != id {
		t.Errorf("there are %v", got)
	}
	offset := w.say(id)
	if a := w.do("GET", "/files/"+id, nil); a.status != 200 {
		t.Errorf("it is answered with %d %s", a.status, a.body)
	}
	w.delete(offset)
	w.settles()
}

// The log is asked for what has to go only if there is too much, and then for a little
// more, so that it is not asked again for each file that comes.
func TestExpiryIsRare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Bytes: 6400, Max: 1000})
	var ids []string
	for range 64 {
		ids = append(ids, w.upload("a.bin", random(100)))
		w.say(ids[len(ids)-1])
		w.clock.Add(int64(time.Second))
	}
	w.settles(slices.Clone(ids)...)
	ids = append(ids[3:], w.upload("a.bin", random(100)))
	w.settles(slices.Clone(ids)...)
	ids = append(ids, w.upload("a.bin", random(100)))
	w.settles(slices.Clone(ids)...)
}
