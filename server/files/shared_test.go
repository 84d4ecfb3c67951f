package files

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"parley/server/chat"
)

// A connection that its client has given up brings no byte to another place, also at
// another server.
func TestGivenUpElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Secret: []byte("of both"), Patience: 20 * time.Second})
	other, err := Open(t.Context(), w.dir, w.log, w.store.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	router := chi.NewRouter()
	other.Routes(router)
	srv := httptest.NewServer(router)
	defer srv.Close()
	data, id := random(1000), newID()
	key, _ := w.begin(id, "a.bin", len(data))

	late, body := io.Pipe()
	answered := make(chan int)
	go func() {
		req, _ := http.NewRequest("PATCH", srv.URL+"/files/"+id, late)
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Upload-Offset", "0")
		resp, err := srv.Client().Do(req)
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	_, _ = body.Write(data[:300])
	for size := int64(0); size < 300; {
		size, _ = other.disk.partSize(id)
	}
	if a := w.patch(id, key, 300, data[300:600]); a.status != http.StatusNoContent {
		t.Fatalf("the next part: %+v", a)
	}
	_, _ = body.Write(data[300:600])
	_ = body.Close()
	<-answered
	for at := int64(600); at < 1000; {
		a := w.patch(id, key, at, data[at:])
		if at, err = strconv.ParseInt(a.Get(offsetHeader), 10, 64); err != nil {
			t.Fatalf("the rest: %+v", a)
		}
	}
	if got, err := os.ReadFile(w.store.disk.path(id)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file has %d bytes, and not those that were sent: %v", len(got), err)
	}
	if row, err := w.log.File(t.Context(), id); err != nil || row.State != chat.FileWhole {
		t.Errorf("its row: %+v, %v", row, err)
	}
}
