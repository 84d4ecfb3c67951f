package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/server/web"
)

const apkSize = 8<<20 + 7

// newAPK writes a file of an app's size, and returns its content.
func newAPK(t *testing.T, path string) []byte {
	t.Helper()
	data := make([]byte, apkSize)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestApp downloads the app as phones do: cut off after 3 MB and resumed, and so
// slowly that it takes longer than any other answer may.
func TestApp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	data := newAPK(t, filepath.Join(folder, "parley-1.0-arm64.apk"))
	for _, name := range []string{"parley-1.0-x86_64.apk", "a \"b\" ü.apk", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, "--apk", folder)
	sum := sha256.Sum256(data)

	p := newPerson(t)
	p.look(412, 860, "light")
	p.open(s.url() + "/app")
	p.picture("page-app")
	links := eval[[]string](p, "[...document.querySelectorAll('.button')].map(a => decodeURI(a.pathname))")
	if !slices.Equal(links, []string{"/app/parley-1.0-arm64.apk", `/app/a "b" ü.apk`, "/app/parley-1.0-x86_64.apk"}) {
		t.Errorf("it offers %q", links)
	}
	if text := eval[string](p, "document.body.innerText"); !strings.Contains(text, hex.EncodeToString(sum[:])) || !strings.Contains(text, "8.4 MB") || !strings.Contains(text, "Add to Home Screen") {
		t.Errorf("it says %s", text)
	}
	for _, width := range []int64{320, 412} {
		p.look(width, 860, "dark")
		if !eval[bool](p, "(a => a.getBoundingClientRect().left === a.parentElement.getBoundingClientRect().left)(document.querySelector('a:not(.button)'))") {
			t.Errorf("at %d px, the link to the page is within a line, and makes that higher than the others", width)
		}
		p.picture(fmt.Sprintf("page-app-%d-dark", width))
		if wide := p.wider(); len(wide) > 0 {
			t.Errorf("at %d it is wider than the window: %q", width, wide)
		}
	}

	p.open(s.url() + "/chat/Lobby/")
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		manifest, err := cdp.Call(ctx, target, cdpage.GetAppManifest, cdpage.GetAppManifestParams{})
		if err == nil && (len(manifest.Errors) > 0 || !strings.Contains(manifest.Data, "apple-touch-icon.png")) {
			t.Errorf("the manifest %s: %+v, %s", manifest.URL, manifest.Errors, manifest.Data)
		}
		return err
	}))

	url := s.url() + "/app/parley-1.0-arm64.apk"
	ask := func(header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	first := ask()
	for header, want := range map[string]string{"Content-Type": "application/vnd.android.package-archive", "Content-Length": fmt.Sprint(apkSize),
		"Accept-Ranges": "bytes", "Repr-Digest": "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":", "Content-Disposition": "attachment; filename=parley-1.0-arm64.apk"} {
		if got := first.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	begin := make([]byte, 3<<20)
	if _, err := io.ReadFull(first.Body, begin); err != nil {
		t.Fatal(err)
	}
	first.Body.Close()
	rest := ask("Range", fmt.Sprintf("bytes=%d-", len(begin)), "If-Range", first.Header.Get("ETag"))
	end, err := io.ReadAll(rest.Body)
	if err != nil || rest.StatusCode != http.StatusPartialContent || sha256.Sum256(append(begin, end...)) != sum {
		t.Errorf("resumed: %d, %d bytes, %v", rest.StatusCode, len(end), err)
	}

	for _, path := range []string{"/app/notes.txt", "/app/../notes.txt", "/app/%2e%2e%2fnotes.txt", "/app/nothing.apk", "/app//etc/passwd"} {
		if status, body := s.Get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d %.40q", path, status, body)
		}
	}
}

// TestSlowDownload reads for a minute, twice as long as any other answer may take.
func TestSlowDownload(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	folder := t.TempDir()
	data := newAPK(t, filepath.Join(folder, "parley-arm64.apk"))
	s := startServer(t, "--apk", folder)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil { // else the kernel takes all of it at once
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /app/parley-arm64.apk HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.Addr())
	var got bytes.Buffer
	began := time.Now()
	for pace := time.Tick(time.Second); ; <-pace {
		n, err := io.CopyN(&got, conn, apkSize/60)
		if err != nil && n == 0 {
			break
		}
	}
	_, body, _ := bytes.Cut(got.Bytes(), []byte("\r\n\r\n"))
	if took := time.Since(began); !bytes.Equal(body, data) || took < 50*time.Second {
		t.Errorf("%d of %d bytes came in %v", len(body), len(data), took)
	}
}

// TestNoApp has a server whose folder has no package.
func TestNoApp(t *testing.T) {
	h := web.New("", problem)
	if err := h.OfferAPKs(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("nothing says that there is no folder")
	}
	res := get(t, h, "GET", "/app", "Accept-Language", "ja")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || !strings.Contains(string(body), "make apk") || regexp.MustCompile(`<ol>|class=button`).Match(body) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
