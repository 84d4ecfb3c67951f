package web_test

import (
	"bytes"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"io"
	"math/rand"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/shared"
)

// A given is a file that somebody chooses.
type given struct {
	name string
	data []byte
}

// files is an expression for a DataTransfer with files.
func files(all ...given) string {
	var b strings.Builder
	b.WriteString("[")
	for _, f := range all {
		fmt.Fprintf(&b, "[%s, %q],", quote(f.name), base64.StdEncoding.EncodeToString(f.data))
	}
	return `(all => {
		const data = new DataTransfer();
		for (const [name, base64] of all) data.items.add(new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], name));
		return data;
	})(` + b.String() + `])`
}

// attach chooses files by the button, and waits until they are prepared.
func (p *page) attach(all ...given) { p.t.Helper(); p.attachIn("Send", all...) }

// attachIn is attach, with the button's word in another language.
func (p *page) attachIn(send string, all ...given) {
	p.t.Helper()
	p.wait("document.querySelector('#attach') && !document.querySelector('#attach').hidden")
	eval[any](p, `{ const field = document.querySelector('#choose'); field.files = `+files(all...)+`.files; field.dispatchEvent(new Event('change')); }`)
	p.ready(len(all), send)
}

// ready waits until a number of files is prepared in the sheet.
func (p *page) ready(n int, send string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("document.querySelectorAll('#chosen li').length === %d && document.querySelector('#send form button').textContent === %q", n, send))
}

// sendFiles sends what the sheet shows, with a caption.
func (p *page) sendFiles(caption string) {
	p.t.Helper()
	eval[any](p, "document.querySelector('#caption').value = "+quote(caption))
	eval[any](p, "document.querySelector('#send form button').click()")
	p.wait("!document.querySelector('#send')")
}

// holdPart has the page's n-th request with a part of a file wait until letGo.
func (p *page) holdPart(n int) {
	p.t.Helper()
	eval[any](p, fmt.Sprintf(`{
		const real = window.fetch;
		let parts = 0;
		window.held = false;
		window.fetch = async (url, options = {}) => {
			if (options.method === 'PATCH' && ++parts === %d) {
				window.held = true;
				await new Promise(done => { window.letGo = done; });
			}
			return real(url, options);
		};
	}`, n))
}

// filed returns the messages of a room that have a file, and fails if there are not n.
func filed(t *testing.T, s *server, room string, n int) (all []shared.Message) {
	t.Helper()
	for _, m := range s.Messages(room, 0) {
		if m.File != nil {
			all = append(all, m)
		}
	}
	if len(all) != n {
		t.Fatalf("%d messages have a file, want %d: %+v", len(all), n, all)
	}
	return all
}

// download gets what is at a path of the server, with its headers.
func download(t *testing.T, s *server, path string) ([]byte, http.Header) {
	t.Helper()
	res, err := http.Get(s.url() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
	return data, res.Header
}

// waitSent waits until nothing of the page's waits for the server.
func (p *page) waitSent() {
	p.t.Helper()
	p.wait("Object.keys(localStorage).every(key => !key.startsWith('parley/out/'))")
}

// file sends a file with what is said of it, as another client does, and returns the
// message.
func (c *client) file(s *server, name string, data, thumb []byte, width, height int, caption string) shared.Message {
	c.t.Helper()
	id := strings.ToLower(cryptorand.Text())
	c.write(shared.Message{Type: shared.TypeUpload, ID: id, Name: name, Size: int64(len(data)), Width: width, Height: height})
	var key string
	c.await(func(m shared.Message) bool { key = m.Key; return m.Type == shared.TypeUpload && m.ID == id })
	send := func(method, path string, body []byte) {
		c.t.Helper()
		r, err := http.NewRequest(method, s.url()+path, bytes.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Upload-Offset", "0")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			c.t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			c.t.Fatalf("%s %s: %s", method, path, res.Status)
		}
	}
	send("PATCH", "/files/"+id, data)
	if thumb != nil {
		send("PUT", "/files/"+id+"/thumb", thumb)
	}
	return c.put(shared.Message{Type: shared.TypeChat, Text: caption, File: &shared.File{ID: id}})
}

// waitPromised waits until what an expression promises is a number.
func (p *page) waitPromised(promise string, want int) {
	p.t.Helper()
	p.wait(fmt.Sprintf("(%s.then(n => { window.promised = n; }), window.promised === %d)", promise, want))
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(data)
	return data
}

const pictureShown = "document.querySelector('#chat-log .picture img')?.naturalWidth > 0"

// TestPhotoThroughThePage sends a phone's photo from a page without HTTPS: it arrives
// upright, and nobody learns where it was taken.
func TestPhotoThroughThePage(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--allow-host", "parley.lan")
	insecure := "http://parley.lan" + s.url()[strings.LastIndex(s.url(), ":"):]
	ann, bob := newPerson(t), newPerson(t)
	for name, p := range map[string]*page{"Ann": ann, "Bob": bob} {
		p.open(insecure + "/static/icon.svg")
		p.setName(name)
		p.enter(insecure, "Lobby")
	}
	if eval[bool](ann, "isSecureContext") {
		t.Fatal("the page is not as in a network without HTTPS")
	}
	ann.attach(given{"IMG_7.JPG", photo(t, halves(3000, 1500), 6)})
	ann.wait("document.querySelector('#chosen img').naturalWidth > 0")
	ann.sendFiles("Look here")
	ann.wait(pictureShown)
	bob.wait(pictureShown)
	if got := eval[string](bob, "document.querySelector('#chat-log .bubble p').textContent"); got != "Look here" {
		t.Errorf("Bob reads %q", got)
	}
	if got := bob.transcript(); got != "Ann: Look here\n" {
		t.Errorf("the transcript is %q", got)
	}
	f := filed(t, s, "Lobby", 1)[0].File
	if f.Name != "IMG_7.jpg" || f.Type != "image/jpeg" || f.Width != 1280 || f.Height != 2560 || !f.Thumb || f.Caption != "Look here" {
		t.Errorf("%+v", f)
	}
	for _, path := range []string{"/files/" + f.ID, "/files/" + f.ID + "/thumb"} {
		data, _ := download(t, s, path)
		m, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		b := m.Bounds()
		if bytes.Contains(data, []byte(taken)) || bytes.Contains(data, []byte("Exif")) || b.Dy() != 2*b.Dx() || !isRed(m.At(1, 1)) || !isRed(m.At(b.Dx()-2, 1)) || isRed(m.At(1, b.Dy()-2)) {
			t.Errorf("%s: %v, or it says where it was taken", path, b)
		}
	}
	// Whole, over the page; Escape leads back to it.
	eval[any](bob, "document.querySelector('#chat-log .picture').click()")
	bob.wait("document.querySelector('#whole img')?.naturalHeight === 2560 && document.querySelector('#whole p').textContent === ''")
	bob.keys("\x1b")
	bob.wait("!document.querySelector('#whole')")
	// "As it is" sends it as it was, after it said so.
	ann.attach(given{"IMG_7.JPG", photo(t, halves(300, 150), 6)})
	eval[any](ann, "document.querySelector('#as-it-is').click()")
	ann.wait("document.querySelector('#send .soft').offsetParent")
	ann.sendFiles("")
	bob.wait("document.querySelectorAll('#chat-log .picture').length === 2")
	f = filed(t, s, "Lobby", 2)[1].File
	if data, _ := download(t, s, "/files/"+f.ID); !bytes.Equal(data, photo(t, halves(300, 150), 6)) || f.Width != 150 || f.Height != 300 {
		t.Errorf("what is sent as it is has changed: %+v", f)
	}
}

// TestSeveralFiles chooses, drops and pastes files; a table that is pasted is a text.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--max-file", "3MB")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.attach(given{"one.png", encodePNG(t, halves(30, 20))}, given{"list.pdf", []byte("%PDF-1.4 something")}, given{"none.txt", nil}, given{"long.bin", randomBytes(3<<20 + 1)})
	if got := eval[[]string](p, "[...document.querySelectorAll('#chosen .danger')].map(e => e.textContent)"); len(got) != 2 || !strings.Contains(got[0], "none.txt is empty") || !strings.Contains(got[1], "at most") {
		t.Errorf("it says %q", got)
	}
	eval[any](p, `document.querySelector('#scroller').dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: `+files(given{"notes.txt", []byte("dropped")})+`}))`)
	p.ready(5, "Send")
	eval[any](p, `document.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: `+files(given{"image.png", encodePNG(t, halves(50, 20))})+`}))`)
	p.ready(6, "Send")
	eval[any](p, "document.querySelector('#chosen li button').click()") // without one.png
	p.ready(5, "Send")
	p.sendFiles("These")
	p.wait("document.querySelectorAll('#chat-log .filed').length === 3")
	var names []string
	for _, m := range filed(t, s, "Lobby", 3) {
		names = append(names, m.File.Name+": "+m.File.Caption)
	}
	if got := strings.Join(names, ", "); got != "list.pdf: These, notes.txt: , image.png: " {
		t.Errorf("sent: %s", got)
	}
	if !eval[bool](p, `(data => {
		data.setData('text/plain', '1\t2');
		data.setData('text/html', '<table>');
		const e = new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: data});
		document.dispatchEvent(e);
		return !e.defaultPrevented && !document.querySelector('#send');
	})(`+files(given{"image.png", encodePNG(t, halves(50, 20))})+`)`) {
		t.Error("a table is pasted as a picture")
	}
}

// TestAnswerWithFiles answers a message with two files, what was typed with the first; a
// sheet that is closed again leaves the answer as it was.
func TestAnswerWithFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	at := dial(t, s, "Lobby", "Bob").say("Which one?")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.menu("Which one?")
	p.choose("Reply")
	p.wait("!document.querySelector('#about').hidden")
	eval[any](p, "{ const e = document.querySelector('#chat-message-input'); e.value = 'this one'; e.dispatchEvent(new Event('input', {bubbles: true})); }")
	p.attach(given{"one.pdf", []byte("%PDF-1.4 one")})
	p.keys("\x1b")
	p.wait("!document.querySelector('#send') && !document.querySelector('#about').hidden")
	p.attach(given{"one.pdf", []byte("%PDF-1.4 one")}, given{"two.pdf", []byte("%PDF-1.4 two")})
	p.wait("document.querySelector('#caption').value === 'this one'")
	p.sendFiles("this one")
	p.wait("document.querySelectorAll('#chat-log .filed').length === 2 && document.querySelector('#about').hidden && document.querySelector('#chat-message-input').value === ''")
	p.waitSent()
	sent := filed(t, s, "Lobby", 2)
	if m := sent[0]; m.Reply != at.Offset || m.Quote == nil || m.Quote.Text != "Which one?" || m.File.Caption != "this one" {
		t.Errorf("the first: %+v", m)
	}
	if m := sent[1]; m.Reply != 0 || m.File.Caption != "" {
		t.Errorf("the second: %+v", m)
	}
	p.wait("document.querySelector('#chat-log .quote')?.innerText.includes('Which one?')")
}

// TestCutUpload takes the server away while a file is sent, loads the page again in the
// middle of another, and has a third one taken over by another tab: each arrives once,
// as it was. Texts do not wait.
func TestCutUpload(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	data := randomBytes(1500 << 10)
	check := func(n int) {
		t.Helper()
		p.wait(fmt.Sprintf("document.querySelectorAll('#chat-log .filed').length === %d && !document.querySelector('#pending li')", n))
		for _, m := range filed(t, s, "Lobby", n) {
			if got, _ := download(t, s, "/files/"+m.File.ID); sha256.Sum256(got) != sha256.Sum256(data) {
				t.Errorf("%s has %d bytes, and others", m.File.Name, len(got))
			}
		}
	}

	p.holdPart(2)
	p.attach(given{"cut.bin", data})
	p.sendFiles("")
	p.wait("window.held && document.querySelector('progress').value > 0")
	p.say("I do not wait")
	p.wait("document.querySelector('#chat-log').value.includes('I do not wait')")
	eval[any](p, `{
		window.least = Infinity;
		new MutationObserver(() => {
			least = Math.min(least, ...[...document.querySelectorAll('progress')].map(bar => bar.value));
		}).observe(document.querySelector('#pending'), {subtree: true, childList: true, characterData: true});
	}`)
	s.Kill()
	p.wait("document.querySelector('#count').textContent === 'Not connected'")
	eval[any](p, "letGo()")
	s.start()
	check(1)
	if least := eval[float64](p, "least"); least == 0 {
		t.Error("what was sent before the cut is no longer shown")
	}

	p.holdPart(2)
	p.attach(given{"loaded.bin", data})
	p.sendFiles("again")
	p.wait("window.held && document.querySelector('progress').value > 0")
	p.enter(s.url(), "Lobby")
	check(2)

	p.holdPart(1)
	p.attach(given{"tab.bin", data})
	p.sendFiles("")
	p.wait("window.held")
	other := p.newTab()
	p.open(s.url() + "/static/icon.svg")
	other.before("{ const now = performance.now.bind(performance); performance.now = () => 10 * now(); }") // or it waits 10 s
	other.enter(s.url(), "Lobby")
	p = other
	check(3)
}

// TestWaitingPicture draws a small picture again while it waits: it is not blown up, and
// the page does not ask the server for it.
func TestWaitingPicture(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.holdPart(1)
	p.attach(given{"icon.png", encodePNG(t, halves(80, 80))})
	eval[any](p, "{ const real = fetch; window.asked = 0; window.fetch = (url, options) => { asked += options?.method === 'HEAD'; return real(url, options); }; }")
	p.keys("Mine\r") // the caption has the focus
	const waits = "window.held && document.querySelector('#pending .picture img')?.naturalWidth > 0"
	p.wait(waits)
	p.say("I do not wait")
	p.wait("document.querySelector('#chat-log').value.includes('I do not wait')")
	p.wait(waits)
	if width := eval[float64](p, "document.querySelector('#pending .picture').offsetWidth"); width != 80 {
		t.Errorf("a picture of 80 pixels is %v wide", width)
	}
	eval[any](p, "letGo()")
	p.wait(pictureShown + " && !document.querySelector('#pending li')")
	if n := eval[int](p, "asked"); n > 0 {
		t.Errorf("asked %d times for a picture that was not there yet", n)
	}
	if f := filed(t, s, "Lobby", 1)[0].File; f.Caption != "Mine" {
		t.Errorf("%+v", f)
	}
}

// TestNothingToSend has the keyboard stay in a sheet whose last button is off.
func TestNothingToSend(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.attach(given{"none.txt", nil})
	for range 4 {
		p.keys("\t")
		if !eval[bool](p, "document.querySelector('#send').contains(document.activeElement)") {
			t.Fatal("the keyboard is in the page behind the sheet")
		}
	}
}

// TestTakenBack cancels files that are on their way, more than the server keeps room for,
// and the next one goes.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	eval[any](p, `{
		const real = window.fetch;
		window.fetch = async (url, options = {}) => {
			if (options.method === 'PATCH' && options.headers['upload-offset'] > 0) await new Promise(done => { window.letGo = done; });
			return real(url, options);
		};
	}`)
	wrong := given{"wrong.bin", randomBytes(1200 << 10)}
	p.attach(wrong, wrong, wrong, wrong, wrong, given{"right.bin", randomBytes(2000)})
	p.sendFiles("")
	for n := 6; n > 1; n-- {
		p.wait(fmt.Sprintf("window.letGo && document.querySelectorAll('#pending li').length === %d", n))
		eval[any](p, "document.querySelector('[data-act=cancel]').click()")
		p.wait(fmt.Sprintf("document.querySelectorAll('#pending li').length === %d", n-1))
		eval[any](p, "{ const go = letGo; window.letGo = null; go(); }")
	}
	p.wait("document.querySelector('#chat-log .filed') && !document.querySelector('#pending li')")
	if f := filed(t, s, "Lobby", 1)[0].File; f.Name != "right.bin" {
		t.Errorf("sent: %+v", f)
	}
	p.waitPromised("import('/static/upload.js').then(({Uploads}) => Uploads.of({views: [], rooms: new Map()}).bytes.all()).then(all => all.length)", 0)
}

// TestRefusedFile has a server that comes back without files: what waits says so, and
// is sent after it takes files again.
func TestRefusedFile(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.holdPart(1)
	p.attach(given{"a.txt", []byte("hello")})
	p.sendFiles("See")
	p.wait("window.held")
	s.Kill()
	p.wait("document.querySelector('#count').textContent === 'Not connected'")
	eval[any](p, "letGo()")
	s.start("--max-file", "0")
	p.wait("document.querySelector('#pending .reason')?.innerText.includes('No files can be sent here now.') && document.querySelector('#attach').hidden")
	s.Stop()
	s.start()
	p.waitConnected()
	p.wait("!document.querySelector('#attach').hidden")
	eval[any](p, "document.querySelector('[data-act=retry]').click()")
	p.wait("document.querySelector('#chat-log .filed')")
	filed(t, s, "Lobby", 1)
}

// TestNoIndexedDB has a browser that keeps no files: the page says that it must stay open,
// and what was not sent before is told to be lost.
func TestNoIndexedDB(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true // that it is left, with nobody to ask
	p.before("Object.defineProperty(window, 'indexedDB', {value: undefined})")
	p.enter(s.url(), "Lobby")
	p.attach(given{"a.txt", []byte("hello")})
	p.sendFiles("")
	p.wait("document.querySelector('#chat-log .filed')")
	p.holdPart(1)
	p.attach(given{"b.txt", []byte("hello")})
	p.sendFiles("")
	p.wait("window.held && document.querySelector('#pending .open').textContent.includes('Keep this page open')")
	p.enter(s.url(), "Lobby")
	p.wait("document.querySelector('#pending .reason')?.innerText.includes('Choose it again')")
	eval[any](p, "document.querySelector('[data-act=discard]').click()")
	p.wait("!document.querySelector('#pending li')")
	filed(t, s, "Lobby", 1)
}

// TestHostileFiles opens files in the browser that would be pages: none runs a script in
// the page's origin.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.mayComplain = true // about what is refused
	p.enter(s.url(), "Lobby")
	const script = "<script>localStorage.setItem('stolen', 1)</script>"
	all := []given{
		{"page.html", []byte("<!doctype html>" + script)},
		{"drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + script + `</svg>`)},
		{"both.gif", []byte("GIF89a/*" + script + "*/=1;")},
		{"picture.jpg.html", append(photo(t, halves(20, 10), 1), script...)},
		{"text.xml", []byte(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">` + script + `</html>`)},
		{"code.js", []byte("localStorage.setItem('stolen', 1)")},
		{"style.css", []byte("body { display: none }")},
		{"\u202egpj.exe\"\r\nX: y.jpg", []byte("MZ")},
		{"<img src=x onerror=localStorage.stolen=1>.txt", []byte("name")},
	}
	p.attach(all...)
	eval[any](p, "document.querySelector('#as-it-is')?.checked || document.querySelector('#as-it-is').click()")
	p.sendFiles("")
	p.wait(fmt.Sprintf("document.querySelectorAll('#chat-log .filed').length === %d", len(all)))
	for _, m := range filed(t, s, "Lobby", len(all)) {
		_, header := download(t, s, "/files/"+m.File.ID)
		if header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") || header.Get("Content-Type") == "text/html" {
			t.Errorf("%s: %v", m.File.Name, header)
		}
		if m.File.Type == "application/octet-stream" && !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v", m.File.Name, header)
		}
		// In every way that a page has.
		eval[any](p, `Promise.all(['iframe', 'object', 'script', 'img', 'embed'].map(tag => new Promise(done => {
			const e = document.createElement(tag);
			e.onload = e.onerror = done;
			setTimeout(done, 300);
			e[tag === 'object' ? 'data' : 'src'] = '/files/`+m.File.ID+`';
			document.body.append(e);
		})))`)
		tab := p.newTab()
		tab.mayComplain = true
		tab.open(s.url() + "/static/icon.svg")
		eval[any](tab, "{ location.href = '/files/"+m.File.ID+"' }")
		if !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
			tab.wait("location.pathname.startsWith('/files/') && document.readyState === 'complete'")
		}
		tab.close()
	}
	if stolen := eval[*string](p, "localStorage.getItem('stolen')"); stolen != nil {
		t.Error("a file's script ran")
	}
	if eval[bool](p, "[...document.querySelectorAll('bdi')].some(e => /[\\u202a-\\u202e\\u2066-\\u2069\\r\\n]/.test(e.textContent))") {
		t.Error("a name changes the direction of what is around it")
	}
}

// TestNothingJumps reads a room of pictures: nothing moves when they come.
func TestNothingJumps(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	var all []given
	for i := range 12 {
		all = append(all, given{fmt.Sprintf("%d.png", i), encodePNG(t, halves(40+30*i, 60+20*i))})
	}
	p.attach(all...)
	p.sendFiles("")
	p.wait("document.querySelectorAll('#chat-log .picture').length === 12")
	bob := newPerson(t)
	bob.before(`{
		const set = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src').set;
		window.waiting = [];
		Object.defineProperty(HTMLImageElement.prototype, 'src', {set(src) { /thumb$/.test(src) ? window.waiting.push(() => set.call(this, src)) : set.call(this, src); }});
	}`)
	bob.enter(s.url(), "Lobby")
	bob.wait("document.querySelectorAll('#chat-log .picture').length === 12 && window.waiting.length > 0")
	if n := eval[int](bob, "window.waiting.length"); n == 12 {
		t.Error("pictures are loaded that nobody sees")
	}
	if !eval[bool](bob, "[...document.querySelectorAll('#chat-log .picture')].every(e => e.offsetHeight > 70)") {
		t.Error("a picture that is to come has no place")
	}
	eval[any](bob, "document.querySelector('#scroller').scrollTop -= 700")
	bob.settle()
	where := `[document.querySelector('#scroller').scrollTop, document.querySelector('#scroller').scrollHeight, ...[...document.querySelectorAll('.picture')].map(e => Math.round(e.getBoundingClientRect().top))].join(' ')`
	before := eval[string](bob, where)
	eval[any](bob, "window.waiting.forEach(load => load())")
	bob.wait("[...document.querySelectorAll('.picture img')].some(e => e.naturalWidth > 0)")
	bob.settle()
	if after := eval[string](bob, where); after != before {
		t.Errorf("it moved: before %s, after %s", before, after)
	}
}

// TestFileIsSaidOf answers, finds, edits and deletes messages with files.
func TestFileIsSaidOf(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.enter(s.url(), "Lobby")
	p.attach(given{"map.png", encodePNG(t, halves(30, 20))}, given{"plan.pdf", []byte("%PDF-")})
	p.sendFiles("The way to gate 4")
	p.wait("document.querySelectorAll('#chat-log .filed').length === 2")
	if got := p.transcript(); strings.Contains(got, "/files/") || !strings.Contains(got, ": plan.pdf\n") {
		t.Errorf("the transcript is %q", got)
	}
	p.find("gate 4")
	p.wait("document.querySelector('.hit mark')?.textContent === 'gate 4'")
	if text := eval[string](p, "document.querySelector('#hits').innerText"); strings.Contains(text, "/files/") {
		t.Errorf("a hit shows %q", text)
	}
	eval[any](p, "document.querySelector('#find-text').value = 'MAP.P'; document.querySelector('#find button:not(.close)').click()")
	p.wait("document.querySelector('.hit mark')?.textContent === 'map.p' && document.querySelector('#hits').innerText.includes('The way to gate 4 map.png')")
	p.keys("\x1b")
	p.wait("!document.querySelector('#find')")
	eval[any](p, "document.querySelector('.attachment').dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, cancelable: true}))")
	p.wait("document.querySelector('#menu')?.innerText.includes('plan.pdf')")
	p.choose("Reply")
	p.wait("!document.querySelector('#about').hidden")
	p.say("Thanks")
	p.wait("document.querySelector('#chat-log .quote')?.innerText.includes('plan.pdf')")
	p.menu("The way to gate 4")
	p.choose("Edit")
	p.wait("document.querySelector('#chat-message-input').value === 'The way to gate 4'")
	eval[any](p, "document.querySelector('#chat-message-input').value = ''")
	p.say("The way to gate 5")
	p.wait("document.querySelector('#chat-log .filed p').textContent === 'The way to gate 5' && document.querySelector('#chat-log .filed p').dataset.time.includes('edited') && document.querySelector('#chat-log .picture')")
	p.waitSent()
	if f := filed(t, s, "Lobby", 2)[0].File; f.Caption != "The way to gate 5" {
		t.Errorf("%+v", f)
	}
	eval[any](p, "document.querySelector('#chat-log .picture').click()")
	p.wait("document.querySelector('#whole')")
	eval[any](p, "[...document.querySelectorAll('#whole button')].find(b => b.textContent === 'Delete').click()")
	p.wait("document.querySelector('#menu .danger-button')")
	eval[any](p, "document.querySelector('#menu .danger-button').click()")
	p.wait("!document.querySelector('#chat-log .picture') && document.querySelector('#chat-log .notice')")
	p.waitSent()
	filed(t, s, "Lobby", 1)
	p.enter(s.url(), "Lobby") // from what it keeps
	p.wait("document.querySelectorAll('#chat-log .filed').length === 1 && !document.querySelector('#chat-log .picture')")
}

// squares is a picture with something to see on it.
func squares(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), uint8(120 + (x/40+y/40)%2*60), 255})
		}
	}
	return m
}

// TestFileStates looks at files as people see them: shown, chosen, on their way, failed,
// and one over the page.
func TestFileStates(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--burst", "0")
	ben, ada := dial(t, s, "Pictures", "Ben"), dial(t, s, "Pictures", "Ada Lovelace")
	wide, tall := photo(t, squares(480, 320), 1), photo(t, squares(100, 480), 1)
	ben.file(s, "stage.jpg", wide, wide, 480, 320, "The stage from row 12, before they let everybody in")
	ada.file(s, "tower.jpg", tall, tall, 100, 480, "")
	ben.file(s, "programme of the three days, with all rooms and times.pdf", []byte("%PDF-1.7"), nil, 0, 0, "")
	ben.file(s, "jingle.wav", append([]byte("RIFF\x24\x00\x00\x00WAVEfmt "), make([]byte, 40)...), nil, 0, 0, "listen")
	ada.file(s, "screen.png", encodePNG(t, squares(300, 200)), nil, 300, 200, "")

	shown := func(p *page) {
		p.wait("document.querySelectorAll('#chat-log .filed').length === 5")
		eval[any](p, "document.querySelector('#scroller').scrollTop = 0")
		p.wait(pictureShown)
	}
	chosen := func(p *page) {
		p.attach(given{"IMG_22.jpg", photo(t, squares(600, 400), 1)}, given{"turns.gif", []byte("GIF89a broken")}, given{"none.txt", nil}, given{"minutes of the last meeting, signed.docx", randomBytes(50000)})
		eval[any](p, "document.querySelector('#as-it-is').click()")
	}
	onItsWay := func(p *page) {
		p.wait("document.querySelectorAll('#chat-log .filed').length === 5")
		p.holdPart(1)
		chosen(p)
		p.sendFiles("Here it is")
		p.wait("window.held && document.querySelectorAll('#pending .sending').length === 3 && document.querySelector('#pending img').naturalWidth > 0")
	}
	whole := func(p *page) {
		shown(p)
		eval[any](p, "[...document.querySelectorAll('#chat-log .picture')].pop().click()")
		p.wait("document.querySelector('#whole p')?.textContent === '' && document.querySelector('#whole img').naturalWidth === 100")
	}
	for _, state := range []state{
		{name: "page-files", width: 390, height: 844, prepare: shown},
		{name: "page-files-320", width: 320, height: 640, media: dark, lang: "de", prepare: shown},
		{name: "page-files-desktop", width: 1280, height: 840, media: dark, prepare: shown},
		{name: "page-files-double", width: 390, height: 844, prepare: func(p *page) { p.fonts(32); shown(p) }},
		{name: "page-files-chosen", width: 360, height: 740, prepare: chosen},
		{name: "page-files-chosen-320", width: 320, height: 640, media: dark, lang: "fr", prepare: func(p *page) {
			p.attachIn("Envoyer", given{"IMG_22.jpg", photo(t, squares(600, 400), 1)}, given{"turns.gif", []byte("GIF89a broken")})
		}},
		{name: "page-files-sending", width: 390, height: 844, prepare: onItsWay},
		{name: "page-files-failed", width: 390, height: 844, media: dark, prepare: func(p *page) {
			onItsWay(p)
			eval[any](p, `import('/static/upload.js').then(({Uploads}) => Uploads.of({views: [], rooms: new Map()}).bytes.ask('readwrite', files => files.clear()))`)
			p.enter(s.url(), "Pictures")
			p.wait("document.querySelectorAll('#pending .reason').length === 3")
		}},
		{name: "page-files-whole", width: 390, height: 844, prepare: whole},
		{name: "page-files-whole-desktop", width: 1280, height: 840, media: dark, prepare: whole},
	} {
		t.Run(state.name, func(t *testing.T) {
			p := newPerson(t)
			p.do(chromedp.EmulateViewport(state.width, state.height))
			p.emulate(state.media)
			p.open(s.url() + "/static/icon.svg")
			p.setName("Ada Lovelace")
			eval[any](p, "localStorage.setItem('parley/device', '"+quote(deviceOf("Ada Lovelace"))+"')")
			if state.lang != "" {
				eval[any](p, "localStorage.setItem('parley/lang', "+quote(quote(state.lang))+")")
			}
			p.open(s.url() + "/chat/Pictures/")
			state.prepare(p)
			p.examine(state.name)
		})
	}
}

// TestLinkToAFile is what a page that knows no files shows: what is said of it, and a
// link that leads to it.
func TestLinkToAFile(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	m := dial(t, s, "Lobby", "Ann").file(s, "notes.txt", []byte("read me"), nil, 0, 0, "From today")
	if got := s.Messages("Lobby", 0)[0].Text; !strings.HasPrefix(got, "From today\nhttp") || !strings.Contains(got, "/files/") {
		t.Fatalf("%d is told as %q", m.Offset, got)
	}
	p := newPerson(t)
	p.open(s.url() + "/static/icon.svg")
	// The tutorial's page, as its part 4 has it.
	eval[any](p, `new Promise(done => {
		const socket = new WebSocket('ws://' + location.host + '/ws/chat/Lobby/');
		document.documentElement.append(document.createElementNS('http://www.w3.org/1999/xhtml', 'textarea'));
		socket.onmessage = e => { document.querySelector('textarea').value += JSON.parse(e.data).message + '\n'; done(); };
		socket.onopen = () => socket.send(JSON.stringify({message: 'hello'}));
	})`)
	dial(t, s, "Lobby", "Ann").file(s, "more.txt", []byte("read this"), nil, 0, 0, "")
	p.wait("/http\\S+files\\/[a-z2-7]{26}/.test(document.querySelector('textarea').value)")
	link := regexp.MustCompile(`/files/[a-z2-7]{26}`).FindString(eval[string](p, "document.querySelector('textarea').value"))
	if data, header := download(t, s, link); string(data) != "read this" || !strings.Contains(header.Get("Content-Disposition"), "more.txt") {
		t.Errorf("%q %v", data, header)
	}
}

// TestFileIsGone has a server keep only the newest files: the page says of the others
// that they are gone.
func TestFileIsGone(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--max-file", "100KB", "--files-bytes", "150KB")
	c, p := dial(t, s, "Lobby", "Ann"), newPerson(t)
	p.mayComplain = true // 410
	small := photo(t, squares(30, 20), 1)
	first := c.file(s, "first.jpg", append(small, make([]byte, 90<<10)...), small, 30, 20, "the first")
	p.enter(s.url(), "Lobby")
	p.wait(pictureShown)
	c.file(s, "second.bin", make([]byte, 90<<10), nil, 0, 0, "the second")
	p.waitFor("the second")
	eval[any](p, "document.querySelector('#chat-log .picture').click()")
	p.wait("/No longer kept/.test(document.querySelector('#whole p')?.textContent)")
	p.keys("\x1b")
	p.wait("!document.querySelector('#whole') && document.querySelector('#chat-log .gone')?.innerText.includes('first.jpg')")
	if first.Offset != 1 {
		t.Errorf("%+v", first)
	}
}

// TestLeavingTakesFiles leaves a borrowed device while a file waits: nothing of it stays.
func TestLeavingTakesFiles(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := newPerson(t)
	p.look(1280, 840, "light")
	p.enter(s.url(), "Lobby")
	p.holdPart(1)
	p.attach(given{"a.bin", randomBytes(2000)})
	p.sendFiles("")
	p.wait("window.held")
	eval[any](p, "document.querySelector('#settings').click()")
	p.wait("document.querySelector('#leave-device')")
	eval[any](p, "document.querySelector('#leave-device').click()")
	p.wait("location.pathname === '/' && document.querySelector('#landing-server')")
	p.waitPromised("indexedDB.databases().then(all => all.length)", 0)
	filed(t, s, "Lobby", 0)
}
