package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mdp/qrterminal/v3"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/width"

	"parley/shared"
)

// Invitation is what a host shows to whoever is to come.
type Invitation struct {
	Server string        // its name
	Room   string        // that the links lead to; "" for none
	Links  []shared.Link // by which other devices get in, the likeliest to work first; none if none can
	Local  bool          // the server's own address is for this computer only, so that there are no links
	People int           // who are here now
	WiFi   *WiFi         // to be joined first; nil for none
}

// WiFi is a wireless network.
type WiFi struct {
	SSID     string
	Password string // "" if it is open
}

const hexadecimal = "0123456789abcdefABCDEF"

// Check returns an error if the network's name or password can't be one (IEEE 802.11:
// up to 32 bytes, and 8 to 63 ASCII characters or 64 hexadecimal digits).
func (w *WiFi) Check() error {
	ascii := func(r rune) bool { return r >= ' ' && r <= '~' }
	switch n := len(w.Password); {
	case w.SSID == "" || len(w.SSID) > 32:
		return errors.New("the name of a Wi-Fi has 1 to 32 bytes")
	case !utf8.ValidString(w.SSID) || strings.ContainsFunc(w.SSID, unicode.IsControl):
		return errors.New("the name of the Wi-Fi has a character that can't be shown")
	case n == 64 && strings.Trim(w.Password, hexadecimal) != "":
		return errors.New("a password of a Wi-Fi that has 64 characters is a key of hexadecimal digits")
	case n != 0 && (n < 8 || n > 64) || strings.ContainsFunc(w.Password, func(r rune) bool { return !ascii(r) }):
		return errors.New("the password of a Wi-Fi has 8 to 63 ASCII characters")
	}
	return nil
}

// String returns the text of a QR code that phones join the network by.
func (w *WiFi) String() string {
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `"`, `\"`, `:`, `\:`).Replace
	// Digits and letters from A to F alone would be read as bytes.
	quoted := func(s string) string {
		if strings.Trim(s, hexadecimal) == "" {
			return `"` + s + `"`
		}
		return escape(s)
	}
	if w.Password == "" {
		return "WIFI:T:nopass;S:" + quoted(w.SSID) + ";;"
	}
	return "WIFI:T:WPA;S:" + quoted(w.SSID) + ";P:" + quoted(w.Password) + ";;"
}

// joinLine is a line of large text that is as wide as the page lets it.
type joinLine struct {
	Text  string
	Width int
}

// A letter of the monospaced text that join.css sets, in units of its viewBox.
const letter = 9

func newLine(text string) joinLine {
	n := 0
	for _, r := range text {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return joinLine{text, max(n, 12) * letter}
}

// address returns a link as people type it.
func address(link shared.Link) (lines []string) {
	lines = []string{link.Base()}
	if link.Room != "" {
		lines = append(lines, "/r/"+link.Room)
	}
	return lines
}

// Invite makes /join show what invitation returns, each time anew.
func (h *Handler) Invite(invitation func() Invitation) { h.invitation = invitation }

// invite returns what to show to a request. If no other device reaches the server
// itself, but the request has come from elsewhere, it has come through a proxy, and
// others can come the same way.
func (h *Handler) invite(r *http.Request) Invitation {
	inv := h.invitation()
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	link, err := shared.ParseLink(scheme + "://" + r.Host + h.base)
	if err == nil && len(inv.Links) == 0 && !isThisHost(r.Host) {
		link.Room = inv.Room
		inv.Links = []shared.Link{link}
	}
	return inv
}

// isThisHost reports whether a Host means the host that asks.
func isThisHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// join serves /join, which leads into the server or a room: for a projector, and
// to be printed.
func (h *Handler) join(w http.ResponseWriter, r *http.Request) {
	inv, code := h.invite(r), languageOf(r)
	data := map[string]any{"Server": inv.Server, "People": h.pages.count(code, "people", inv.People), "WiFi": inv.WiFi, "Local": inv.Local}
	draw := func(text string) template.HTML {
		svg, err := qrSVG(text)
		if err != nil {
			return "" // longer than any link or name
		}
		return template.HTML(svg) //nolint:gosec // nothing of the text is in it but its modules
	}
	if inv.WiFi != nil {
		data["WiFiQR"] = draw(inv.WiFi.String())
	}
	if len(inv.Links) > 0 {
		first := inv.Links[0]
		var lines []joinLine
		for _, text := range address(first) {
			lines = append(lines, newLine(text))
		}
		var others []string
		for _, link := range inv.Links[1:min(len(inv.Links), 4)] {
			others = append(others, link.Base())
		}
		data["Room"], data["QR"], data["Lines"], data["Others"], data["Words"] = first.Room, draw(first.String()), lines, others, first.Words
	}
	setHeader(w.Header(), r, contentTypes[".html"])
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language")
	w.Write(h.pages.execute(code, "join.html", data))
}

// joinText serves /join.txt, which is the same for a screen without a browser.
func (h *Handler) joinText(w http.ResponseWriter, r *http.Request) {
	inv, code := h.invite(r), languageOf(r)
	words := h.pages.words[code]
	var b bytes.Buffer
	name := inv.Server
	if len(inv.Links) > 0 && inv.Links[0].Room != "" {
		name = inv.Links[0].Room
	}
	fmt.Fprintf(&b, "%s\n%s\n", name, h.pages.count(code, "people", inv.People))
	if inv.WiFi != nil {
		fmt.Fprintf(&b, "\n1. %s: %s\n\n", words["join.wifi"], inv.WiFi.SSID)
		qrterminal.GenerateHalfBlock(inv.WiFi.String(), qrterminal.L, &b)
		fmt.Fprintf(&b, "\n2. %s\n", words["join.room"])
	}
	for i, link := range inv.Links {
		fmt.Fprintf(&b, "\n%s\n", link)
		if i == 0 {
			b.WriteString("\n")
			qrterminal.GenerateHalfBlock(link.String(), qrterminal.L, &b)
		}
	}
	switch {
	case len(inv.Links) > 0:
	case inv.Local:
		fmt.Fprintf(&b, "\n%s\n", words["join.local"])
	default:
		fmt.Fprintf(&b, "\n%s\n", words["join.nowhere"])
	}
	fmt.Fprintf(&b, "\n%s\n", words["join.help"])
	setHeader(w.Header(), r, "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language")
	w.Write(b.Bytes())
}

// count is a key's sentence for a number of things.
func (p *pages) count(code, key string, n int) string {
	form := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}
	sentence, ok := p.words[code][key+"."+form[plural.Cardinal.MatchPlural(language.Make(code), n, 0, 0, 0, 0)]]
	if !ok {
		sentence = p.words[code][key+".other"]
	}
	return strings.ReplaceAll(sentence, "{n}", fmt.Sprint(n))
}
