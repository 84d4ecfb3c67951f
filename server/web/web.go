// Package web is Parley's page in the browser: plain HTML, CSS and JavaScript
// modules, embedded, with no build step.
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
	"slices"
	"strings"
	"time"

	"parley/shared"
)

//go:embed static
var static embed.FS

// contentTypes are named here because the mime package also asks the system,
// and a system may call JavaScript text/plain.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Problem answers a request that has no page with an HTTP status and a sentence
// for a person.
type Problem func(w http.ResponseWriter, r *http.Request, status int, detail string)

// Handler serves the page: / asks for a name, /chat/ for a room, /chat/{room}/
// is the room, /static/ what they load. /chat/?room= leads to the room, for a
// form that is submitted before its script has run. What has no page goes to
// problem: 400 for a room's name that breaks a rule of shared.RoomName, 404 for
// another path, 405 for another method than GET and HEAD.
func Handler(problem Problem) http.Handler {
	return &handler{files: readFiles(), problem: problem}
}

type handler struct {
	files   map[string]file // by name in static
	problem Problem
}

type file struct {
	data        []byte
	etag        string
	contentType string
}

func readFiles() map[string]file {
	files := make(map[string]file)
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // embedded, so a mistake of the build
	}
	head, err := static.ReadFile("static/head.html")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		if path.Ext(e.Name()) == ".html" {
			data = slices.Concat(head, data)
		}
		sum := sha256.Sum256(data)
		files[e.Name()] = file{data, `"` + hex.EncodeToString(sum[:12]) + `"`, contentTypes[path.Ext(e.Name())]}
	}
	return files
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.problem(w, r, http.StatusMethodNotAllowed, "The page only answers GET.")
		return
	}
	// The escaped path, so that %2F is a part of a name and not a separator.
	p := r.URL.EscapedPath()
	switch {
	case p == "/":
		h.serve(w, r, "landing.html")
	case p == "/favicon.ico":
		h.serve(w, r, "icon.svg")
	case strings.HasPrefix(p, "/static/") && path.Ext(p) != ".html":
		h.serve(w, r, strings.TrimPrefix(p, "/static/"))
	case p == "/chat":
		http.Redirect(w, r, "/chat/", http.StatusMovedPermanently)
	case p == "/chat/":
		if room := r.URL.Query().Get("room"); room != "" {
			h.room(w, r, url.PathEscape(room), false)
			return
		}
		h.serve(w, r, "askroom.html")
	case strings.HasPrefix(p, "/chat/"):
		segment, rest, slash := strings.Cut(strings.TrimPrefix(p, "/chat/"), "/")
		if rest != "" {
			h.notFound(w, r)
			return
		}
		h.room(w, r, segment, slash)
	default:
		h.notFound(w, r)
	}
}

// room serves the room of a path segment, or redirects to its path that ends
// with a slash.
func (h *handler) room(w http.ResponseWriter, r *http.Request, segment string, slash bool) {
	name, err := url.PathUnescape(segment)
	if err == nil {
		_, err = shared.RoomName(name)
	}
	switch {
	case err != nil:
		h.problem(w, r, http.StatusBadRequest, err.Error())
	case !slash:
		http.Redirect(w, r, "/chat/"+segment+"/", http.StatusSeeOther)
	default:
		h.serve(w, r, "room.html")
	}
}

func (h *handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.problem(w, r, http.StatusNotFound, "There is nothing here.")
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := h.files[name]
	if !ok {
		h.notFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("ETag", f.etag)
	header.Set("Cache-Control", "no-cache") // a new server has a new page
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", contentSecurityPolicy(r.Host))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}

// hostPort is a host as RFC 3986 writes it, with or without a port. Only such a
// Host may be repeated in a header of our own.
var hostPort = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

func contentSecurityPolicy(host string) string {
	connect := "'self'"
	// For Safari before 15.4, 'self' does not cover WebSockets.
	if hostPort.MatchString(host) {
		connect += " ws://" + host + " wss://" + host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " +
		connect + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}
