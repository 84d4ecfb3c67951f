package files

import "testing"

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
