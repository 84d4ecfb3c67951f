package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// apk is a package of the app for Android. Its name is one that the folder had when
// the server started, so no request can name another file.
type apk struct {
	name string
	path string

	mu   sync.Mutex
	info os.FileInfo // of what sum is the sum
	sum  [sha256.Size]byte
}

// OfferAPKs makes /app offer the packages for Android that a folder has now. One for
// arm64 comes first: nearly all phones need that one, and a browser does not tell. It
// returns an error if there is none, and why.
func (h *Handler) OfferAPKs(folder string) error {
	entries, err := os.ReadDir(folder)
	var others []*apk
	h.apks = nil
	for _, e := range entries {
		a := &apk{name: e.Name(), path: filepath.Join(folder, e.Name())}
		switch {
		case filepath.Ext(a.name) != ".apk":
		case strings.Contains(a.name, "arm64"):
			h.apks = append(h.apks, a)
		default:
			others = append(others, a)
		}
	}
	h.apks = append(h.apks, others...)
	if err == nil && len(h.apks) == 0 {
		err = errors.New("no .apk is in " + folder)
	}
	return err
}

// open opens the file and returns what it is now, with its SHA-256.
func (a *apk) open() (*os.File, os.FileInfo, [sha256.Size]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	file, err := os.Open(a.path)
	if err != nil {
		return nil, nil, a.sum, err
	}
	info, err := file.Stat()
	if err == nil && (a.info == nil || a.info.Size() != info.Size() || !a.info.ModTime().Equal(info.ModTime())) {
		hash := sha256.New()
		if _, err = io.Copy(hash, file); err == nil {
			a.info, a.sum = info, [sha256.Size]byte(hash.Sum(nil))
			_, err = file.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		file.Close()
		return nil, nil, a.sum, err
	}
	return file, info, a.sum, nil
}

// app serves /app: the packages, and how to install one in words.
func (h *Handler) app(w http.ResponseWriter, r *http.Request) {
	type row struct{ Name, Size, Sum string }
	var rows []row
	for _, a := range h.apks {
		file, info, sum, err := a.open()
		if err != nil {
			continue // it has gone since the start
		}
		file.Close()
		rows = append(rows, row{a.name, fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), hex.EncodeToString(sum[:])})
	}
	setHeader(w.Header(), r, contentTypes[".html"])
	w.Header().Set("Vary", "Accept-Language")
	w.Write(h.pages.execute(languageOf(r), "app.html", map[string]any{"Files": rows}))
}

// download serves a package at /app/NAME, in ranges too, so that a download that
// was cut off goes on where it was.
func (h *Handler) download(w http.ResponseWriter, r *http.Request, name string) {
	i := slices.IndexFunc(h.apks, func(a *apk) bool { return a.name == name })
	if i < 0 {
		h.notFound(w, r)
		return
	}
	file, info, sum, err := h.apks[i].open()
	if err != nil {
		h.notFound(w, r)
		return
	}
	defer file.Close()
	setHeader(w.Header(), r, "application/vnd.android.package-archive")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":") // RFC 9530
	http.ServeContent(patient{w, http.NewResponseController(w)}, r, "", info.ModTime(), file)
}

// pieceLimit is how long a peer may take for a piece of a download.
const pieceLimit = 2 * time.Minute

// patient gives a slow peer pieceLimit for each piece, instead of the server's
// limit for the whole answer.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p patient) Write(piece []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(pieceLimit)) // a recorder in a test has none
	return p.ResponseWriter.Write(piece)
}
