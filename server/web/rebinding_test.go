package web_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"parley/shared/servertest"
)

// TestRebinding plays DNS rebinding: a page of another name stays open while its
// name comes to mean the Parley server, on the same port, so that both are one
// origin for the browser. Anybody in the network can have a name in .local, .lan
// or without a dot mean what they like.
func TestRebinding(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"evil.example", "evil.local", "evil.lan", "evil.internal"} {
		t.Run(name, func(t *testing.T) { rebind(t, name) })
	}
}

func rebind(t *testing.T, name string) {
	attacker, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", servertest.FreePort(t))) // which nobody else takes in between
	if err != nil {
		t.Fatal(err)
	}
	evil := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "<!doctype html><title>Free games</title>")
	})}
	served := make(chan error, 1)
	go func() { served <- evil.Serve(attacker) }()
	addr := attacker.Addr().String()
	_, port, _ := net.SplitHostPort(addr)

	p := newPerson(t)
	p.mayComplain = true
	p.open("http://" + name + ":" + port + "/")
	p.wait("document.title === 'Free games'")
	evil.Close()
	<-served
	s := &server{servertest.New(t)}
	s.Listen(addr)
	s.start("--allow-host", "parley.lan")
	t.Cleanup(s.Stop)
	dial(t, s, "hall", "Ann").send("for members only")

	for _, path := range []string{"/api/rooms", "/api/rooms/hall/messages", "/api/server", "/metrics"} {
		got := eval[string](p, `fetch(`+quote(path)+`).then(r => r.text())`)
		if strings.Contains(got, "members only") || strings.Contains(got, "hall") || !strings.Contains(got, "--allow-host") {
			t.Errorf("the page reads %s: %s", path, got)
		}
	}
	if got := eval[int](p, `fetch('/api/rooms/hall/messages', {method: 'POST', body: '{}'}).then(r => r.status)`); got != http.StatusForbidden {
		t.Errorf("the page's POST is answered with %d", got)
	}
	socket := eval[string](p, `new Promise(done => {
		const ws = new WebSocket('ws://' + location.host + '/ws/chat/hall/');
		ws.onopen = () => done('open');
		ws.onerror = () => done('refused');
	})`)
	if socket != "refused" {
		t.Errorf("the page's socket is %s", socket)
	}
	// The same server lets the same browser in under a name of its own network.
	p.enter("http://parley.lan:"+port, "hall")
	p.waitFor("for members only")
	if cookies := eval[string](p, "document.cookie"); cookies != "" {
		t.Errorf("the page has cookies: %s", cookies)
	}
}
