// Package web is Parley's page in the browser: plain HTML, CSS and JavaScript
// modules, embedded, with no build step. They are sent without their comments,
// white space and long names.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"

	"parley/shared"
)

//go:embed static
var static embed.FS

// icons are what a phone's home screen asks for: a picture, and a manifest whose
// "display" keeps the page in the browser. As an app of its own it would have a
// storage of its own on iPhones, without the name and the unsent messages.
//
//go:embed icons
var icons embed.FS

// contentTypes are named here because the mime package also asks the system,
// and a system may call JavaScript text/plain.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".png":  "image/png",
	".svg":  "image/svg+xml",
}

// Problem answers a request that has no page with an HTTP status and a sentence
// for a person.
type Problem func(w http.ResponseWriter, r *http.Request, status int, detail string)

// Handler serves the page. /, /chat/, /chat/{room}/ and /r/{room} are one page, in the
// language that the browser asks for; its script goes from one to the other. /static/
// has its files. /join and /join.txt show what Invite returns, and /app offers the
// packages of OfferAPKs. /chat/?room=
// leads to the room, for a form that is submitted before its script has run.
// What has no page gets one that leads back, or for a program goes to problem:
// 400 for a room's name that breaks a rule of shared.RoomName, 404 for another
// path, 405 for another method than GET and HEAD.
type Handler struct {
	base    string
	files   map[string]file // by path below static
	pages   *pages
	problem Problem

	invitation func() Invitation
	apks       []*apk
}

// New returns a Handler whose pages lead to base and below it: "" or a path
// without a slash at its end, which requests no longer have.
func New(base string, problem Problem) *Handler {
	return &Handler{base: base, files: readFiles(), pages: readPages(base), problem: problem}
}

type file struct {
	data        []byte
	etag        string
	contentType string
}

func newFile(name string, data []byte) file {
	sum := sha256.Sum256(data)
	return file{data, `"` + hex.EncodeToString(sum[:12]) + `"`, contentTypes[path.Ext(name)]}
}

func readFiles() map[string]file {
	files := make(map[string]file)
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // embedded, so a mistake of the build
	}
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		if kind, _, text := strings.Cut(contentTypes[path.Ext(e.Name())], ";"); text {
			if data, err = small.Bytes(kind, data); err != nil {
				panic(err)
			}
		}
		files[e.Name()] = newFile(e.Name(), data)
	}
	for _, name := range []string{"apple-touch-icon.png", "manifest.json"} {
		data, err := icons.ReadFile("icons/" + name)
		if err != nil {
			panic(err)
		}
		files[name] = newFile(name, data)
	}
	for code, words := range translations() {
		files["lang/"+code+".json"] = newFile(".json", words)
	}
	return files
}

// small are a script and a style sheet without what a browser does not need of
// them: comments, white space, long names of variables.
var small = func() *minify.M {
	m := minify.New()
	m.Add("text/javascript", &js.Minifier{Version: 2020})
	m.AddFunc("text/css", css.Minify)
	return m
}()

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/qr" {
		h.qr(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.problem(w, r, http.StatusMethodNotAllowed, "The page only answers GET.")
		return
	}
	// The escaped path, so that %2F is a part of a name and not a separator.
	p := r.URL.EscapedPath()
	switch {
	case p == "/":
		h.page(w, r, landing, "")
	case p == "/favicon.ico":
		h.static(w, r, "icon.svg")
	case p == "/apple-touch-icon.png":
		h.static(w, r, "apple-touch-icon.png")
	case strings.HasPrefix(p, "/static/"):
		h.static(w, r, strings.TrimPrefix(p, "/static/"))
	case p == "/chat":
		http.Redirect(w, r, h.base+"/chat/", http.StatusMovedPermanently)
	case p == "/chat/":
		if room := r.URL.Query().Get("room"); room != "" {
			h.room(w, r, url.PathEscape(room), false)
			return
		}
		h.page(w, r, list, "")
	case strings.HasPrefix(p, "/chat/"):
		segment, rest, slash := strings.Cut(strings.TrimPrefix(p, "/chat/"), "/")
		if rest != "" {
			h.notFound(w, r)
			return
		}
		h.room(w, r, segment, slash)
	case p == "/app" || p == "/app/":
		h.app(w, r)
	case strings.HasPrefix(r.URL.Path, "/app/"):
		h.download(w, r, strings.TrimPrefix(r.URL.Path, "/app/"))
	case p == "/join" && h.invitation != nil:
		h.join(w, r)
	case p == "/join.txt" && h.invitation != nil:
		h.joinText(w, r)
	case strings.HasPrefix(p, "/r/") && strings.Count(strings.TrimSuffix(p, "/"), "/") == 2:
		if name, ok := h.roomName(w, r, strings.Trim(p[len("/r/"):], "/")); ok {
			h.page(w, r, landing, name.Text)
		}
	default:
		h.notFound(w, r)
	}
}

// room serves the room of a path segment, or redirects to its path that ends
// with a slash.
func (h *Handler) room(w http.ResponseWriter, r *http.Request, segment string, slash bool) {
	switch _, ok := h.roomName(w, r, segment); {
	case !ok:
	case !slash:
		http.Redirect(w, r, h.base+"/chat/"+segment+"/", http.StatusSeeOther)
	default:
		h.page(w, r, room, "")
	}
}

// roomName reads the room of a path segment, or answers why there is none.
func (h *Handler) roomName(w http.ResponseWriter, r *http.Request, segment string) (name shared.Name, ok bool) {
	text, err := url.PathUnescape(segment)
	if err == nil {
		name, err = shared.RoomName(text)
	}
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, "problem.room", err.Error())
	}
	return name, err == nil
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, http.StatusNotFound, "problem.nothing", "There is nothing at this address. Check the spelling.")
}

// refuse tells a person on a page that leads back what is wrong, in their
// language, and a program in a problem document.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int, key, detail string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.problem(w, r, status, detail)
		return
	}
	h.notice(w, r, status, h.pages.problem(languageOf(r), key, detail))
}

// ServeWrongHost tells a person that the server is not known by the name in their
// browser's address, and what to do.
func (h *Handler) ServeWrongHost(w http.ResponseWriter, r *http.Request) {
	h.notice(w, r, http.StatusForbidden, h.pages.wrongHost(languageOf(r), r.Host))
}

func (h *Handler) notice(w http.ResponseWriter, r *http.Request, status int, page []byte) {
	setHeader(w.Header(), r, contentTypes[".html"])
	w.WriteHeader(status)
	w.Write(page)
}

func (h *Handler) page(w http.ResponseWriter, r *http.Request, s screen, room string) {
	w.Header().Set("Vary", "Accept-Language")
	serve(w, r, newFile(".html", h.pages.page(s, room, languageOf(r))))
}

func (h *Handler) static(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := h.files[name]
	if !ok {
		h.notFound(w, r)
		return
	}
	serve(w, r, f)
}

func serve(w http.ResponseWriter, r *http.Request, f file) {
	setHeader(w.Header(), r, f.contentType)
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}

func setHeader(header http.Header, r *http.Request, contentType string) {
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-cache") // a new server has a new page
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", contentSecurityPolicy(r.Host))
}

// hostPort is a host as RFC 3986 writes it, with or without a port. Only such a
// Host may be repeated in a header of our own, or on the page.
var hostPort = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

func contentSecurityPolicy(host string) string {
	connect := "'self'"
	// For Safari before 15.4, 'self' does not cover WebSockets.
	if hostPort.MatchString(host) {
		connect += " ws://" + host + " wss://" + host
	}
	// A picture that is about to be sent is a blob.
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; manifest-src 'self'; connect-src " +
		connect + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
