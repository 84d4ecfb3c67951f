package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/server/web"
)

// scan returns the texts of the QR codes that a picture (PNG) has.
func scan(t *testing.T, png []byte) []string {
	t.Helper()
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Fatal("this test reads QR codes: apt-get install zbar-tools")
	}
	file := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(file, png, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// scan returns the text of the one QR code that the page shows now.
func (p *page) scan() string {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	codes := scan(p.t, png)
	if len(codes) != 1 {
		p.t.Fatalf("the page shows the QR codes %q", codes)
	}
	return codes[0]
}

// invite opens the sheet that invites, of the room that is shown.
func (p *page) invite() {
	p.t.Helper()
	p.openPeople()
	eval[any](p, "document.querySelector('#invite-open').click()")
	p.wait("document.querySelector('#invite')")
}

// TestInvite has the codes and links of the sheet read, and followed.
func TestInvite(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--allow-host", "parley.lan")
	url := "http://parley.lan" + s.Addr()[strings.LastIndex(s.Addr(), ":"):]
	p := newPerson(t)
	p.look(412, 860, "light")
	p.open(url + "/chat/")
	p.lockRoom("Dach & Boden", "correct horse & more", true)
	p.waitConnected()
	p.say("a secret")
	p.waitFor("a secret")

	p.invite()
	p.wait("document.querySelector('#invite-code svg')")
	p.picture("page-invite")
	open := url + "/r/Dach%20%26%20Boden"
	if got := p.scan(); got != open {
		t.Errorf("the code has %q, want %q", got, open)
	}
	eval[any](p, "document.querySelector('#invite-key').click()")
	p.wait("document.querySelector('#invite-link').value.includes('#k=')")
	p.look(320, 568, "dark")
	p.wait("innerWidth === 320 && !document.getAnimations().length && document.querySelector('#invite-code svg').getBoundingClientRect().width > 250")
	p.picture("page-invite-320-dark")
	if wide := p.wider(); len(wide) > 0 {
		t.Errorf("the sheet is wider than the page: %q", wide)
	}
	locked := eval[string](p, "document.querySelector('#invite-link').value")
	if got := p.scan(); got != open+"#k=correct%20horse%20%26%20more" || got != locked {
		t.Errorf("the code has %q, the field %q", got, locked)
	}
	eval[any](p, "document.querySelector('#invite > button').focus()")
	p.keys("\r") // only somebody's own act may copy
	p.wait("document.querySelector('#invite > button').textContent === 'Copied'")
	p.keys("\x1b")
	p.wait("!document.querySelector('.sheet')")

	bob := newPerson(t)
	bob.open(locked)
	bob.wait("document.activeElement.id === 'name-input'")
	bob.keys("Bob\r")
	bob.waitFor("a secret")

	// Where nothing can copy, the link stays selected. A room without a passphrase
	// offers none.
	bob.before("document.execCommand = () => false")
	bob.enter(url, "hall")
	bob.invite()
	bob.wait("document.querySelector('#invite-code svg') && !document.querySelector('#invite-key')")
	eval[any](bob, "document.querySelector('#invite > button').click()")
	bob.wait("document.activeElement.id === 'invite-link' && getSelection().toString() === document.activeElement.value")

	// An address that others can't use is not handed out.
	bob.enter(s.url(), "hall")
	bob.invite()
	bob.wait("document.querySelector('#invite a').href === " + quote(s.url()+"/join") + " && !document.querySelector('#invite-link')")
}

func TestQR(t *testing.T) {
	h := web.New("", problem)
	post := func(body string, header ...string) *http.Response {
		r := httptest.NewRequest("POST", "/qr", strings.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	own := []string{"Origin", "http://example.com"}
	for name, test := range map[string]struct {
		body   string
		header []string
		status int
	}{
		"a text":            {"http://192.168.1.5:8000/r/Lobby#k=a%20b", own, 200},
		"the longest":       {strings.Repeat("x", 1024), own, 200},
		"a longer one":      {strings.Repeat("x", 1025), own, 413},
		"none":              {"", own, 400},
		"no origin":         {"x", nil, 403},
		"another site":      {"x", append(own, "Sec-Fetch-Site", "cross-site"), 403},
		"the same":          {"x", append(own, "Sec-Fetch-Site", "same-origin"), 200},
		"another subdomain": {"x", append(own, "Sec-Fetch-Site", "same-site"), 403},
	} {
		resp := post(test.body, test.header...)
		if resp.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, test.status)
		}
		if body, _ := io.ReadAll(resp.Body); test.status == 200 && (resp.Header.Get("Content-Type") != "image/svg+xml" ||
			resp.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(string(body), "<svg ") || strings.Contains(string(body), "Lobby")) {
			t.Errorf("%s: %v %.80s", name, resp.Header, body)
		}
	}
	if resp := get(t, h, "GET", "/qr"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}
