package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"parley/server/web"
	"parley/shared/servertest"
)

// patience is how long a test waits for what must come before it calls the page
// hung.
const patience = 2 * time.Minute

var scratch string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "parley-web"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	defer servertest.Remove()
	defer func() { stopBrowser() }()
	return m.Run()
}

var stopBrowser = func() {}

// browser starts the one Chromium of all tests.
var browser = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, errors.New("these tests need a Chromium: apt-get install chromium")
	}
	accepted, err := acceptedCertificate()
	if err != nil {
		return nil, err
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.WSURLReadTimeout(patience),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(scratch, "profile")),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", accepted.keyHash),
		chromedp.Flag("host-resolver-rules", "MAP parley.lan 127.0.0.1, MAP evil.* 127.0.0.1"),
	)...)
	ctx, close := chromedp.NewContext(ctx)
	stopBrowser = func() { close(); cancel() }
	return ctx, chromedp.Do(ctx)
})

// page is one tab.
type page struct {
	t     *testing.T
	ctx   context.Context
	close context.CancelFunc

	mu      sync.Mutex
	trouble []string // what the console complained about

	mayComplain bool // the test brings about what the console complains about
}

// newPerson opens a tab with storage of its own, as another device has it.
func newPerson(t *testing.T) *page {
	t.Helper()
	ctx, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	return newPage(t, ctx, chromedp.WithNewBrowserContext())
}

// newTab opens one more tab of the same person.
func (p *page) newTab() *page { return newPage(p.t, p.ctx) }

func newPage(t *testing.T, parent context.Context, opts ...chromedp.ContextOption) *page {
	t.Helper()
	p := &page{t: t}
	p.ctx, p.close = chromedp.NewContext(parent, append(opts, chromedp.WithListener(p.hear))...)
	t.Cleanup(p.close)
	t.Cleanup(p.checkConsole)
	if err := chromedp.Do(p.ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *page) hear(ev any) {
	var s string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		s = ev.ExceptionDetails.Text
		if x := ev.ExceptionDetails.Exception; x != nil {
			s += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type != "error" && ev.Type != "warning" {
			return
		}
		b, _ := json.Marshal(ev.Args)
		s = string(b)
	case *log.EventEntryAdded:
		if ev.Entry.Level != "error" && ev.Entry.Level != "warning" {
			return
		}
		s = ev.Entry.Text + " " + ev.Entry.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = append(p.trouble, s)
}

// checkConsole fails the test for any error or refused resource, but for a
// server that could not be reached, or went before it answered: that some tests bring about.
func (p *page) checkConsole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.trouble {
		if !p.mayComplain && !strings.Contains(s, "WebSocket connection to") && !strings.Contains(s, "net::ERR_CONNECTION_REFUSED") &&
			!strings.Contains(s, "net::ERR_CONNECTION_RESET") && !strings.Contains(s, "net::ERR_EMPTY_RESPONSE") &&
			!strings.Contains(s, "/ws/chat/") && !strings.Contains(s, "404 (Not Found) http://127.0.0.1") {
			p.t.Errorf("in the console: %s", s)
		}
	}
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) open(url string) { p.t.Helper(); p.do(chromedp.Navigate(url)) }

// keys types without clicking, as the tutorial's suite does.
func (p *page) keys(s string) { p.t.Helper(); p.do(chromedp.KeyEvent(s)) }

// eval evaluates JavaScript, a promise's value included.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait polls until a condition holds, over navigations too.
func (p *page) wait(condition string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && ok {
			return
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			body, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			p.t.Fatalf("did not come: %s (%v)\nthe page shows:\n%s", condition, err, body)
		}
	}
}

// transcript is what #chat-log's value property has.
func (p *page) transcript() string {
	p.t.Helper()
	return eval[string](p, "document.querySelector('#chat-log').value")
}

func (p *page) waitFor(text string) {
	p.t.Helper()
	p.wait("document.querySelector('#chat-log').value.includes(" + quote(text) + ")")
}

func (p *page) waitConnected() {
	p.t.Helper()
	p.wait(`/here/.test(document.querySelector('#count').textContent)`)
}

// enter opens a room and waits until the page is connected.
func (p *page) enter(base, room string) {
	p.t.Helper()
	p.open(base + "/chat/" + room + "/")
	p.waitConnected()
}

// openPeople opens the sheet with the people, in the room that is shown.
func (p *page) openPeople() {
	p.t.Helper()
	eval[any](p, "document.querySelector('#open').click()")
	p.wait("document.querySelector('#people')")
}

// waitMember looks among the people until somebody is there.
func (p *page) waitMember(name string) {
	p.t.Helper()
	p.openPeople()
	p.wait("document.querySelector('#members').innerText.includes(" + quote(name) + ")")
	p.keys("\x1b")
	p.wait("!document.querySelector('#people')")
}

// say types a message and sends it.
func (p *page) say(text string) {
	p.t.Helper()
	// As an input method hands it over: not every character has a key.
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
	p.keys("\r")
}

func (p *page) setName(name string) {
	p.t.Helper()
	eval[any](p, "localStorage.setItem('parley/name', "+quote(quote(name))+")")
}

// look sets the window's size and colour scheme.
func (p *page) look(width, height int64, scheme string) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
	p.waitSize(width, height)
}

// waitSize waits until the browser has given the page a size, which may take some frames.
func (p *page) waitSize(width, height int64) {
	p.t.Helper()
	p.wait(fmt.Sprintf("innerWidth === %d && innerHeight === %d", width, height))
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// --- what the pages talk to ---

// staticServer serves the page alone.
func staticServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(web.New("", problem))
	t.Cleanup(s.Close)
	return s.URL
}

func problem(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	http.Error(w, detail, status)
}
