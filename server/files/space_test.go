package files

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
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
	w := newWorld(t, Options{Bytes: 64 * (100 + chat.FileOverhead), Max: 1000})
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

// What a file takes besides its bytes counts, while it is not whole and after that: many
// tiny files with thumbnails would fill the disk otherwise.
func TestThumbnailsTakeRoom(t *testing.T) {
	t.Parallel()
	const each = 1 + chat.FileOverhead
	w := newWorld(t, Options{Bytes: 4 * each, Max: 1000})
	thumb := func() (id, key string) {
		id = newID()
		key, _ = w.begin(id, "a.jpg", 1)
		if a := w.do("PUT", "/files/"+id+"/thumb", bytes.NewReader(aJPEG(t)), "Authorization", "Bearer "+key); a.status != 204 {
			t.Fatalf("a thumbnail: %+v", a)
		}
		return id, key
	}
	check := func(when string, unfinished, whole int64) {
		t.Helper()
		_, bytes, err := w.log.Filed(t.Context())
		if got := w.store.parts.bytes(); got != unfinished || bytes != whole || err != nil {
			t.Errorf("%s %d bytes are unfinished and %d whole, %v", when, got, bytes, err)
		}
	}
	first, _ := thumb()
	thumb()
	check("with two thumbnails", 2*chat.FileOverhead, 0)
	other := fileOf(ann, shared.File{ID: newID(), Name: "b", Size: 3})
	if _, _, err := w.store.Begin(t.Context(), other); err == nil {
		t.Error("her third file has room in the half that unfinished files have")
	}
	w.stop()
	w.start()
	check("after a restart", 2*chat.FileOverhead, 0)
	key, _ := w.begin(first, "a.jpg", 1)
	if a := w.patch(first, key, 0, []byte("x")); a.status != 204 {
		t.Fatalf("its byte: %+v", a)
	}
	check("when one of them is whole", chat.FileOverhead, each)
	w.do("PUT", "/files/"+first+"/thumb", bytes.NewReader(aJPEG(t)), "Authorization", "Bearer "+key)
	check("with another thumbnail", chat.FileOverhead, each)
}

// An upload that takes long is renewed by its parts, as long as its source has a place.
func TestRenewedByParts(t *testing.T) {
	t.Parallel()
	mayRenew := true
	asked := 0
	w := newWorld(t, Options{Renew: func(*http.Request, string) bool { asked++; return mayRenew }})
	id := newID()
	key, _ := w.begin(id, "a.bin", 10)
	made := func() time.Time {
		t.Helper()
		row, err := w.log.File(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return row.Made
	}
	send := func(at int64, want int) {
		t.Helper()
		if a := w.patch(id, key, at, []byte("x")); a.status != want {
			t.Errorf("the part at %d: %+v", at, a)
		}
	}
	before := made()
	send(0, 204)
	if asked != 0 || made() != before {
		t.Error("a young upload is renewed")
	}
	w.clock.Add(int64(renewAfter + time.Second))
	send(1, 204)
	renewed := made()
	if asked != 1 || renewed.Equal(before) {
		t.Error("an old upload is not renewed")
	}
	mayRenew = false
	w.clock.Add(int64(renewAfter + time.Second))
	send(2, 429)
	if made() != renewed {
		t.Error("it is renewed without a place")
	}
}

// Whoever has the disk waited for pays for each time, however little comes.
func TestSyncsAreCharged(t *testing.T) {
	t.Parallel()
	syncs := 0
	w := newWorld(t, Options{Charge: func(_ *http.Request, n int) { syncs += n }})
	id := newID()
	key, _ := w.begin(id, "a.jpg", 5)
	for at := range int64(4) {
		w.patch(id, key, at, []byte("x"))
	}
	w.patch(id, key, 0, nil) // stands elsewhere
	if syncs != 5 {
		t.Errorf("five parts are charged as %d", syncs)
	}
	w.patch(id, key, 4, []byte("x"))
	if syncs != 6+wholeSyncs {
		t.Errorf("with the last one it is %d", syncs)
	}
	w.do("PUT", "/files/"+id+"/thumb", bytes.NewReader(aJPEG(t)), "Authorization", "Bearer "+key)
	if syncs != 6+wholeSyncs+thumbSyncs {
		t.Errorf("with the thumbnail it is %d", syncs)
	}
}
