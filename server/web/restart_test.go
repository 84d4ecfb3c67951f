package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/server/web"
	"parley/shared"
)

// TestRestartSpread has a server tell its page to come back within a minute: the
// page takes a moment of its own, another each time.
func TestRestartSpread(t *testing.T) {
	t.Parallel()
	page := web.New("", problem)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/ws/") {
			page.ServeHTTP(w, r)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{shared.Protocol}})
		if err != nil {
			return
		}
		_, _, _ = c.Read(r.Context()) // the hello
		c.Close(websocket.StatusServiceRestart, shared.RestartReason(1<<20))
	}))
	t.Cleanup(s.Close)
	p := newPerson(t)
	p.open(s.URL + "/chat/lobby/")
	longest := 0
	for range 8 {
		p.wait("window.seconds = +/^Next try in (\\d+) s\\.$/.exec(document.querySelector('#countdown').textContent)?.[1]")
		longest = max(longest, eval[int](p, "window.seconds"))
		eval[any](p, "document.querySelector('#again').click(); document.querySelector('#countdown').textContent = ''")
	}
	if longest <= 16 || longest > 80 { // 15 s is the longest wait without it
		t.Errorf("of eight waits the longest is %d s", longest)
	}
}
