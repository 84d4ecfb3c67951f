package web_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parley/server/web"
	"parley/shared"
	"parley/shared/servertest"
)

// printed returns a picture of the page as a printer prints it on A4.
func (p *page) printed() []byte {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "page")
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		pdf, err := cdp.Call(ctx, t, cdpage.PrintToPDF, cdpage.PrintToPDFParams{PreferCSSPageSize: new(true)})
		if err != nil {
			return err
		}
		return os.WriteFile(file+".pdf", pdf.Data, 0o600)
	}))
	if out, err := exec.Command("pdftoppm", "-png", "-r", "100", file+".pdf", file).CombinedOutput(); err != nil {
		p.t.Fatalf("this test looks at a PDF: apt-get install poppler-utils (%v, %s)", err, out)
	}
	pages, err := filepath.Glob(file + "*.png")
	if err != nil || len(pages) != 1 {
		p.t.Fatalf("it is printed on %d pages, %v", len(pages), err)
	}
	png, err := os.ReadFile(pages[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}

// TestJoin has a newcomer go from what a projector shows to a message that somebody
// else sees, in a network without Internet, while the host's address changes.
func TestJoin(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	for _, args := range []string{"link set lo up",
		"link add wlan7 type veth peer name far7", "link set far7 up", "link set wlan7 up",
		"addr add 10.9.0.5/24 dev wlan7", "addr add fd00:9::5/64 dev wlan7 nodad"} {
		servertest.IP(t, args)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("pass;word\"1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--addr", ":8123", "--room", "部屋 7", "--wifi", `Party: "A"`, "--wifi-password-file", password)
	ann := newPerson(t)
	ann.mayComplain = true // of the network that goes
	ann.enter("http://localhost:8123", url.PathEscape("部屋 7"))
	wifi, link := `WIFI:T:WPA;S:Party\: \"A\";P:pass\;word\"1;;`, "http://10.9.0.5:8123/r/%E9%83%A8%E5%B1%8B%207"

	wall := newPerson(t)
	wall.mayComplain = true
	wall.open("http://localhost:8123/join")
	wall.wait("document.querySelector('header p').textContent === '1 person online'")
	for _, view := range []struct {
		width, height int64
		scheme        string
	}{{412, 860, "light"}, {412, 860, "dark"}, {320, 568, "dark"}, {1920, 1080, "light"}, {1920, 1080, "dark"}} {
		wall.look(view.width, view.height, view.scheme)
		name := fmt.Sprintf("page-join-%d-%s", view.width, view.scheme)
		wall.picture(name)
		if got := wall.scanAll(); !slices.Equal(got, []string{link, wifi}) {
			t.Errorf("%s shows the codes %q", name, got)
		}
		if wide := wall.wider(); len(wide) > 0 {
			t.Errorf("%s is wider than the window: %q", name, wide)
		}
		if view.width == 1920 && !eval[bool](wall, "document.documentElement.scrollHeight <= innerHeight") {
			t.Errorf("%s is higher than the screen", name)
		}
	}
	png := wall.printed()
	if *screens != "" {
		os.WriteFile(filepath.Join(*screens, "page-join-printed.png"), png, 0o644)
	}
	if got := scan(t, png); !slices.Contains(got, link) || !slices.Contains(got, wifi) {
		t.Errorf("printed are the codes %q", got)
	}

	bob := newPerson(t)
	bob.mayComplain = true
	bob.look(412, 860, "light")
	began := time.Now()
	bob.open(link)
	bob.wait("document.activeElement.id === 'name-input'")
	bob.keys("Bob\r")
	bob.wait("document.activeElement.id === 'chat-message-input'")
	bob.say("hello")
	ann.waitFor("hello")
	t.Logf("from the link to the first message that another sees: one tap, one text before the message, %d ms", time.Since(began).Milliseconds())
	wall.wait("document.querySelector('header p').textContent === '2 people online'")

	// The way without the link, for comparison.
	dora := newPerson(t)
	dora.mayComplain = true
	began = time.Now()
	dora.open("http://10.9.0.5:8123/")
	dora.wait("document.activeElement.id === 'name-input'")
	dora.keys("Dora\r")
	dora.wait("document.activeElement.id === 'room-name-input'")
	dora.do(chromedp.SendKeys("#room-name-input", "部屋 7\r"))
	dora.wait("document.activeElement.id === 'chat-message-input'")
	dora.say("hello too")
	ann.waitFor("hello too")
	t.Logf("without it: two taps, two texts before the message, %d ms", time.Since(began).Milliseconds())

	servertest.IP(t, "addr del 10.9.0.5/24 dev wlan7")
	wall.wait("document.querySelector('.line').textContent === 'http://[fd00:9::5]:8123'")
	if got := wall.scanAll(); !slices.Contains(got, "http://[fd00:9::5]:8123/r/%E9%83%A8%E5%B1%8B%207") {
		t.Errorf("with IPv6 alone it shows %q", got)
	}
	carla := newPerson(t)
	carla.mayComplain = true
	carla.open("http://[fd00:9::5]:8123/r/%E9%83%A8%E5%B1%8B%207")
	carla.wait("document.activeElement.id === 'name-input'")
	carla.keys("Carla\r")
	carla.waitFor("hello")
	servertest.IP(t, "link set wlan7 down")
	wall.wait("document.querySelector('main').innerText.includes('it is in no network')")
	s.Stop()
	wall.wait("!document.querySelector('#gone').hidden")
}

// scanAll returns the texts of the QR codes that the page shows, from top to
// bottom of the whole page, in alphabetical order.
func (p *page) scanAll() []string {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	codes := scan(p.t, png)
	slices.SortFunc(codes, func(a, b string) int { return strings.Compare(b, a) })
	return codes
}

func TestWiFi(t *testing.T) {
	for _, test := range []struct {
		wifi web.WiFi
		want string // "" if it is refused
	}{
		{web.WiFi{SSID: "Party", Password: "password"}, "WIFI:T:WPA;S:Party;P:password;;"},
		{web.WiFi{SSID: "Party"}, "WIFI:T:nopass;S:Party;;"},
		{web.WiFi{SSID: `a;b,c:d\e"f`, Password: `;,:\"1234`}, `WIFI:T:WPA;S:a\;b\,c\:d\\e\"f;P:\;\,\:\\\"1234;;`},
		{web.WiFi{SSID: "cafe", Password: "12345678"}, `WIFI:T:WPA;S:"cafe";P:"12345678";;`},
		{web.WiFi{SSID: "部屋"}, "WIFI:T:nopass;S:部屋;;"},
		{web.WiFi{SSID: strings.Repeat("x", 33)}, ""},
		{web.WiFi{SSID: "a\nb"}, ""},
		{web.WiFi{SSID: "\xff"}, ""},
		{web.WiFi{SSID: "Party", Password: "short"}, ""},
		{web.WiFi{SSID: "Party", Password: "passwörter"}, ""},
		{web.WiFi{SSID: "Party", Password: strings.Repeat("x", 64)}, ""},
		{web.WiFi{SSID: "Party", Password: strings.Repeat("0f", 32)}, `WIFI:T:WPA;S:Party;P:"` + strings.Repeat("0f", 32) + `";;`},
	} {
		if err := test.wifi.Check(); err != nil != (test.want == "") || err == nil && test.wifi.String() != test.want {
			t.Errorf("%+v: %v, %s", test.wifi, err, &test.wifi)
		}
	}
}

// TestJoinText has the page for screens without a browser, with what the
// terminal's owner might have called things.
func TestJoinText(t *testing.T) {
	h := web.New("", problem)
	h.Invite(func() web.Invitation {
		return web.Invitation{Server: "Class <4b>", People: 3, Links: []shared.Link{{Host: "192.0.2.5:8000", Room: "Lobby"}, {Host: "[2001:db8::5]:8000", Room: "Lobby"}}}
	})
	body := func(path string, header ...string) string {
		res := get(t, h, "GET", path, header...)
		b := new(strings.Builder)
		if _, err := fmt.Fprint(b, res.Header.Get("Cache-Control"), " "); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
		data := make([]byte, 1<<20)
		n, _ := res.Body.Read(data)
		return b.String() + string(data[:n])
	}
	text := body("/join.txt", "Accept-Language", "de")
	for _, want := range []string{"no-store Lobby\n3 Personen", "http://192.0.2.5:8000/r/Lobby", "http://[2001:db8::5]:8000/r/Lobby", "█", "Mobile Daten"} {
		if !strings.Contains(text, want) {
			t.Errorf("/join.txt lacks %q:\n%s", want, text)
		}
	}
	page := body("/join")
	for _, want := range []string{"<h1 dir=auto>Lobby</h1>", "3 people online", ">http://192.0.2.5:8000</text>", ">/r/Lobby</text>", "Turn mobile data off."} {
		if !strings.Contains(page, want) {
			t.Errorf("/join lacks %q:\n%s", want, page)
		}
	}
	h.Invite(func() web.Invitation { return web.Invitation{Local: true} })
	for _, path := range []string{"http://localhost/join", "http://localhost/join.txt"} {
		if here := body(path); !strings.Contains(here, "its --addr is for this computer only") || strings.Contains(here, "no network") {
			t.Errorf("%s of a server for its computer alone:\n%s", path, here)
		}
	}
	if proxied := body("http://chat.example.org/join.txt"); !strings.Contains(proxied, "http://chat.example.org") || strings.Contains(proxied, "--addr") {
		t.Errorf("/join.txt through a proxy:\n%s", proxied)
	}
}
