package files

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"parley/server/chat"
	"parley/shared"
)

// Routes adds the files to a router.
func (s *Store) Routes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(s.Bounded)
		r.HandleFunc("/files/{id}", func(w http.ResponseWriter, r *http.Request) {
			switch r.Method {
			case http.MethodGet, http.MethodHead:
				s.serveFile(w, r)
			case http.MethodPatch:
				s.servePart(w, r)
			case http.MethodDelete:
				s.takeBack(w, r)
			default:
				notAllowed(w, "DELETE, GET, HEAD, PATCH")
			}
		})
		r.HandleFunc("/files/{id}/thumb", func(w http.ResponseWriter, r *http.Request) {
			switch r.Method {
			case http.MethodGet, http.MethodHead:
				s.serveThumb(w, r)
			case http.MethodPut:
				s.putThumb(w, r)
			default:
				notAllowed(w, "GET, HEAD, PUT")
			}
		})
	})
}

func notAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	chat.Problem(w, http.StatusMethodNotAllowed, "A file takes "+methods+" here.")
}

// Bounded implements chat.Files.
func (s *Store) Bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		source := ""
		if s.opt.Source != nil {
			source = s.opt.Source(r)
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.opt.Patience/2)
		defer cancel()
		leave, ok := s.gates.enter(ctx, source)
		if !ok {
			s.refuse(w, "at_once", http.StatusTooManyRequests, fmt.Sprintf("Your address has %d requests for files under way. Ask again later.", s.gates.most))
			return
		}
		defer leave()
		body := &patientBody{ReadCloser: r.Body, control: http.NewResponseController(w), patience: s.opt.Patience, stopping: s.stopping}
		r = r.WithContext(r.Context()) // net/http still has to find its own body where it was
		if r.Body = body; r.ContentLength != 0 {
			defer context.AfterFunc(s.stopping, body.stop)()
			defer body.drain(r)
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers with a problem document and counts it.
func (s *Store) refuse(w http.ResponseWriter, reason string, status int, detail string) {
	s.metrics.refused.WithLabelValues(reason).Inc()
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	chat.Problem(w, status, detail)
}

const (
	saysNoFile = "There is no file here. Its message may have been deleted, or not have come yet."
	saysGone   = "The server keeps this file no longer: newer ones needed the room."
	saysBroken = "The server can't read or write its files right now."
)

// row returns the row of a request's file, or answers why there is none.
func (s *Store) row(w http.ResponseWriter, r *http.Request) (row chat.FileRow, ok bool) {
	id := chi.URLParam(r, "id")
	if shared.CheckFileID(id) != nil {
		chat.Problem(w, http.StatusNotFound, saysNoFile)
		return row, false
	}
	row, err := s.rows.File(r.Context(), id)
	switch {
	case errors.Is(err, chat.ErrNoFile):
		chat.Problem(w, http.StatusNotFound, saysNoFile)
	case err != nil:
		s.broken(w, r, err)
	case row.State == chat.FileGone:
		chat.Problem(w, http.StatusGone, saysGone)
	default:
		return row, true
	}
	return row, false
}

// broken answers that the disk or the log fails.
func (s *Store) broken(w http.ResponseWriter, r *http.Request, err error) {
	chat.Problem(w, http.StatusServiceUnavailable, s.sayBroken(r, err))
}

// sayBroken logs why, unless whoever asked has gone.
func (s *Store) sayBroken(r *http.Request, err error) string {
	if r.Context().Err() == nil {
		s.opt.Logger.Error("a file can't be read or written", "error", err)
	}
	return saysBroken
}

// owned is row for whoever has the key of an upload.
func (s *Store) owned(w http.ResponseWriter, r *http.Request) (row chat.FileRow, ok bool) {
	if row, ok = s.row(w, r); !ok {
		return row, false
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(key)), []byte(s.key(row))) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.refuse(w, "key", http.StatusUnauthorized, "The key is not the one of this upload, or an old one. Begin the upload again: it goes on where it stands.")
		return row, false
	}
	return row, true
}

// taken is row for a file that a message has.
func (s *Store) taken(w http.ResponseWriter, r *http.Request) (row chat.FileRow, ok bool) {
	if row, ok = s.row(w, r); ok && (row.Offset == 0 || row.State != chat.FileWhole) {
		chat.Problem(w, http.StatusNotFound, saysNoFile)
		return row, false
	}
	return row, ok
}

func (s *Store) serveFile(w http.ResponseWriter, r *http.Request) {
	row, ok := s.taken(w, r)
	if !ok {
		return
	}
	kind, how := Other, "attachment"
	if Shown(row.Type) {
		kind, how = row.Type, "inline"
	}
	w.Header().Set("Content-Disposition", disposition(how, row.Name))
	s.serve(w, r, s.disk.path(row.ID), kind, row.ID)
}

func (s *Store) serveThumb(w http.ResponseWriter, r *http.Request) {
	row, ok := s.taken(w, r)
	if ok && !row.Thumb {
		chat.Problem(w, http.StatusNotFound, "This file has no thumbnail.")
		return
	}
	if ok {
		s.serve(w, r, s.disk.thumb(row.ID), "image/jpeg", row.ID+"-thumb")
	}
}

// serve answers with the content of a file that never changes. Whatever it is, it is
// nothing but that: no page, no script, and of no use to other origins.
func (s *Store) serve(w http.ResponseWriter, r *http.Request, path, kind, tag string) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.missing.Do(func() {
			s.opt.Logger.Error("a file of a message is missing: parley-server check names all of them", "file", path)
		})
		chat.Problem(w, http.StatusNotFound, "The server has lost this file.")
		return
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+tag+`"`)
	// One who takes nothing is not waited for when the server stops.
	defer context.AfterFunc(s.stopping, func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)) })()
	http.ServeContent(w, r, "", time.Time{}, &content{f, s.stopping})
}

// content is a file that ends early when the server stops.
type content struct {
	io.ReadSeeker
	stopping context.Context
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if err := c.stopping.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Read(p)
}

// disposition is a Content-Disposition with a name (RFC 6266).
func disposition(how, name string) string {
	name = shared.SavedName(name)
	var plain strings.Builder
	for _, c := range name {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\%`, c) {
			c = '_'
		}
		plain.WriteRune(c)
	}
	value := how + `; filename="` + plain.String() + `"`
	if plain.String() != name {
		value += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return value
}
