package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Whoever types the address of a server with TLS comes without it, and is led to
// the page.
func TestPlainOnTheTLSPort(t *testing.T) {
	out, _ := runServer(t, "--data", t.TempDir(), "--tls", "auto")
	addr := strings.TrimPrefix(out.wait(t, `https://127\.0\.0\.1:\d+`), "https://")
	resp, err := insecure(t, &tls.Config{}).Get("http://" + addr + "/chat/?room=Team+Pizza")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.Request.URL.String() != "https://"+addr+"/chat/Team%20Pizza/" || !strings.Contains(string(body), "chat-message-input") {
		t.Errorf("it leads to %s: %.100s", resp.Request.URL, body)
	}

	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: x.example:8000\r\n\r\n":                                     "https://x.example:8000/",
		"GET /chat/a%2Fb/?q=1 HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n":                          "https://[::1]:8000/chat/a%2Fb/?q=1",
		"HEAD / HTTP/1.1\r\nHost: x\r\nCookie: " + strings.Repeat("long", 5000) + "\r\n\r\n": "https://x/",
		"GET //evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n":                                    "https://x//evil.example/",
		"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n":                                                "https:// or wss://",
		"GET / HTTP/1.1\r\n\r\n":                                                             "https:// or wss://",
		"POST /api/rooms/hall/messages HTTP/1.1\r\nHost: x\r\n\r\n":                          "https:// or wss://",
		"GET /ws/chat/hall HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n":                "https:// or wss://",
		"GET /\r\n\r\n": "https:// or wss://",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%.60q: %v", request, err)
		}
		body, _ := io.ReadAll(resp.Body)
		got := resp.Header.Get("Location")
		if resp.StatusCode == http.StatusBadRequest {
			got = string(body)
		}
		if got != want && !(resp.StatusCode == http.StatusBadRequest && strings.Contains(got, want)) {
			t.Errorf("%.60q: %d %s, want %s", request, resp.StatusCode, got, want)
		}
		c.Close()
	}
}
