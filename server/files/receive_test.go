package files

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// receiver has every request's body be a file of its own, which is Dropped if something
// is wrong with it.
type receiver struct {
	*world
	id  string
	srv *httptest.Server
}

func newReceiver(t *testing.T, opt Options) *receiver {
	t.Helper()
	r := &receiver{world: newWorld(t, opt)}
	r.srv = httptest.NewServer(r.store.Bounded(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		row := fileOf(ann, shared.File{ID: r.id, Name: "a.bin", Size: r.store.Max()})
		row.Made = r.opt.Now()
		if _, _, err := r.store.Begin(req.Context(), row); err != nil {
			chat.Problem(w, http.StatusInsufficientStorage, err.Error())
			return
		}
		var status int
		var detail string
		if row.Size, status, detail = r.store.Receive(req, row, req.Body); status == 0 {
			status, detail = r.store.Finish(req, row, nil)
		}
		if status != 0 {
			r.store.Drop(context.WithoutCancel(req.Context()), row.ID)
			chat.Problem(w, status, detail)
		}
	})))
	t.Cleanup(r.srv.Close)
	return r
}

// post sends a body and returns the status; 0 if the connection broke.
func (r *receiver) post(body io.Reader) int {
	resp, err := r.srv.Client().Post(r.srv.URL, "", body)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// leaves waits until there are whole files alone.
func (r *receiver) leaves(whole ...string) {
	r.Helper()
	r.settles(whole...)
	late := time.After(time.Minute)
	for r.store.parts.bytes()+r.store.pending.Load() != 0 {
		select {
		case <-late:
			r.Fatalf("%d bytes are unfinished", r.store.parts.bytes()+r.store.pending.Load())
		case <-time.After(time.Millisecond):
		}
	}
}

// Files of every length come whole, up to the largest.
func TestReceive(t *testing.T) {
	t.Parallel()
	const most = 2*shared.MaxUploadPart + 10
	r := newReceiver(t, Options{Max: most})
	var whole []string
	for _, n := range []int{1, 100, shared.MaxUploadPart - 1, shared.MaxUploadPart, shared.MaxUploadPart + 1, 2 * shared.MaxUploadPart, most} {
		data := random(n)
		r.id = newID()
		if status := r.post(bytes.NewReader(data)); status != 200 {
			t.Fatalf("%d bytes: %d", n, status)
		}
		whole = append(whole, r.id)
		offset := r.say(r.id)
		if a := r.do("GET", "/files/"+r.id, nil); a.body != string(data) || offset == 0 {
			t.Errorf("of %d bytes there are %d", n, len(a.body))
		}
	}
	for _, n := range []int{most + 1, most + 1<<20} {
		r.id = newID()
		if status := r.post(bytes.NewReader(random(n))); status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d bytes: %d", n, status)
		}
	}
	r.leaves(whole...)
}

// What comes with a file is not waited for either when the server stops.
func TestStopWhileReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Patience: time.Hour})
	begun := make(chan struct{})
	srv := httptest.NewServer(w.store.Bounded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1))
		close(begun)
		if _, err := io.ReadAll(r.Body); err == nil {
			t.Error("a body is whole that was not")
		}
	})))
	defer srv.Close()
	body, feed := io.Pipe()
	answered := make(chan error)
	go func() {
		resp, err := srv.Client().Post(srv.URL, "", body)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	_, _ = feed.Write([]byte("x"))
	<-begun
	w.store.Stop()
	<-answered // or the test takes an hour
	feed.Close()
}

// Whoever asks before sending a body (RFC 9110, 10.1.1) learns at once that it is refused,
// and sends nothing.
func TestRefusedBeforeItsBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Patience: time.Hour})
	srv := httptest.NewServer(w.store.Bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			chat.Problem(w, http.StatusRequestEntityTooLarge, "It is too large.")
		} else if n, err := io.Copy(w, r.Body); n != 1<<20 || err != nil {
			t.Errorf("%d bytes come, %v", n, err)
		}
	})))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
	defer client.CloseIdleConnections()
	for _, wanted := range []bool{false, true} {
		body := bytes.NewReader(random(1 << 20))
		req, err := http.NewRequest("POST", srv.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Expect", "100-continue")
		if wanted {
			req.Header.Set("Authorization", "Bearer x")
		}
		resp, err := client.Do(req) // or the test takes an hour
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if sent := body.Len() == 0; err != nil || sent != wanted || (resp.StatusCode == 200) != wanted {
			t.Errorf("it is answered with %d, %v; sent: %v", resp.StatusCode, err, sent)
		}
	}
}

// While a file comes, it may become too old, or be in the way of others; the disk may
// become full, and the server stop. Nothing of it stays.
func TestReceiveIsInterrupted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		between func(r *receiver, full *atomic.Bool)
		want    int
	}{
		"slow":       {func(r *receiver, full *atomic.Bool) { r.clock.Add(int64(renewAfter + time.Second)) }, 200},
		"no place":   {func(r *receiver, full *atomic.Bool) { r.clock.Add(int64(renewAfter + time.Second)); full.Store(true) }, 429},
		"full":       {func(r *receiver, full *atomic.Bool) { r.free.Store(0) }, 507},
		"in the way": {func(r *receiver, full *atomic.Bool) { r.store.drop(r.Context(), r.id) }, 507},
		"in others' way": {func(r *receiver, full *atomic.Bool) {
			if ids, err := r.log.ForgetFiles(r.Context(), r.opt.Now().Add(time.Hour)); err != nil || len(ids) != 1 {
				r.Error(ids, err)
			}
		}, 507},
		"stopping": {func(r *receiver, full *atomic.Bool) { r.store.Stop() }, 503},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var full atomic.Bool
			r := newReceiver(t, Options{Max: 3 << 20, Free: 1, Renew: func(*http.Request, string) bool { return !full.Load() }})
			r.id = newID()
			body, feed := io.Pipe()
			answered := make(chan int)
			go func() { answered <- r.post(body) }()
			if _, err := feed.Write(random(shared.MaxUploadPart + 1)); err != nil {
				t.Fatal(err)
			}
			for at := int64(0); at < shared.MaxUploadPart+1; { // the next part has begun
				at, _ = r.store.disk.partSize(r.id)
			}
			c.between(r, &full)
			go func() {
				_, _ = feed.Write(random(shared.MaxUploadPart))
				feed.Close()
			}()
			// Who is cut off while sending may find the connection broken before the answer.
			if got := <-answered; got != c.want && !(got == 0 && slices.Contains([]string{"stopping", "in the way", "in others' way"}, what)) {
				t.Errorf("it is answered with %d, not %d", got, c.want)
			}
			feed.CloseWithError(io.ErrClosedPipe)
			switch c.want {
			case 200:
				r.leaves(r.id)
			case 503: // the next start removes it
				r.srv.Close() // its request may be under way still
				r.stop()
				r.start()
				fallthrough
			default:
				r.leaves()
			}
		})
	}
}
