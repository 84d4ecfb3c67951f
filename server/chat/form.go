package chat

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parley/shared"
)

// The API's forms (RFC 7578): a program sends a file and what is said with it in one
// request. The file's bytes go to the disk as they come. Its row is begun with the size
// that it may have at most, and corrected when all of the form is there.

const (
	formBytes   = 64 << 10 // of a form besides its file
	maxBoundary = 70       // bytes of what separates its parts (RFC 2046, 5.1.1)
)

// isForm reports whether a request's body is a form.
func isForm(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "multipart/form-data"
}

// serveForm is servePost for a message with a file.
func (h *Hub) serveForm(w http.ResponseWriter, r *http.Request, room shared.Name, id string) {
	if h.cfg.Files == nil {
		Problem(w, http.StatusForbidden, saysNoFiles)
		return
	}
	h.cfg.Files.Bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.mayPost(w) {
			return
		}
		by := h.source(h.address(r))
		defer h.sources.release(by.name)
		f := &form{hub: h, r: r, room: room, by: by}
		receipt, status, detail := f.post(id)
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", strconv.Itoa(int(uploadRetry.Seconds())))
		}
		answerPost(w, id, receipt, status, detail)
	})).ServeHTTP(w, r)
}

// form is a message with a file on its way.
type form struct {
	hub  *Hub
	r    *http.Request
	room shared.Name
	by   *source

	body   formBody
	fields map[string]string // all but the file
	row    FileRow           // of the file; its ID is empty before that has come
}

// post reads the form and sends its message. Of a file that no message has, nothing stays.
func (f *form) post(id string) (receipt Receipt, status int, detail string) {
	kept := false
	defer func() {
		if f.row.ID == "" {
			return
		}
		if !kept {
			f.hub.cfg.Files.Drop(background, f.row.ID)
		}
		f.by.uploads.end(f.row.ID)
	}()
	if status, detail = f.read(); detail != "" {
		return receipt, status, detail
	}
	m := shared.Message{ID: id, Text: f.fields["message"], User: f.fields["user"], File: &shared.File{ID: f.row.ID}}
	if shared.Blank(m.Text) {
		m.Text = ""
	}
	if n, most := utf8.RuneCountInString(m.Text), min(f.hub.cfg.MaxText, shared.MaxCaption); n > most {
		f.hub.metrics.limit("text")
		return receipt, http.StatusBadRequest, fmt.Sprintf("The message has %d characters, of at most %d with a file.", n, most)
	}
	if detail = f.measure(); detail != "" {
		return receipt, http.StatusBadRequest, detail
	}
	var thumb []byte
	if text, ok := f.fields["thumb"]; ok {
		thumb = []byte(text)
	}
	if status, detail = f.hub.cfg.Files.Finish(f.r, f.row, thumb); detail != "" {
		return receipt, status, detail
	}
	receipt, status, detail = f.hub.post(f.room, f.by, m)
	kept = detail == "" && !receipt.Duplicate // the first message has a file of its own
	return receipt, status, detail
}

// read takes the form's parts as they come.
func (f *form) read() (status int, detail string) {
	_, params, _ := mime.ParseMediaType(f.r.Header.Get("Content-Type"))
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > maxBoundary {
		return http.StatusBadRequest, "The header Content-Type has no boundary of 1 to 70 characters: leave it to the program that makes the form."
	}
	if f.r.ContentLength > f.hub.cfg.Files.Max()+formBytes {
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("The file has over %d bytes.", f.hub.cfg.Files.Max())
	}
	f.body = formBody{from: f.r.Body, meter: f.by.meter, left: formBytes}
	f.fields = make(map[string]string)
	for parts := multipart.NewReader(&f.body, boundary); ; {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return f.broken()
		}
		switch name := part.FormName(); name {
		case "file":
			status, detail = f.file(part)
		case "message", "user", "width", "height", "thumb":
			status, detail = f.field(name, part)
		default:
			status, detail = http.StatusBadRequest, fmt.Sprintf("The form has a field %.64q. It takes file, message, user, width, height and thumb.", name)
		}
		if detail != "" {
			return status, detail
		}
	}
	if f.row.ID == "" {
		return http.StatusBadRequest, `The form has no field "file". What has no file is sent as JSON.`
	}
	return 0, ""
}

// broken is the answer to a form that can't be read.
func (f *form) broken() (status int, detail string) {
	switch {
	case f.body.left < 0:
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("The form has over %d bytes besides its file.", formBytes)
	case f.hub.draining.Load():
		return http.StatusServiceUnavailable, saysEnded
	case f.body.err == io.EOF:
		return http.StatusBadRequest, "The body is not a whole form, as its Content-Type says that it is."
	case f.body.err != nil:
		return http.StatusRequestTimeout, "The body did not come whole, or nothing came for too long. Send it again."
	}
	return http.StatusBadRequest, "The body is not a form, as its Content-Type says that it is."
}

// field takes what is not the file.
func (f *form) field(name string, part io.Reader) (status int, detail string) {
	if _, again := f.fields[name]; again {
		return http.StatusBadRequest, fmt.Sprintf("The form has two fields %q.", name)
	}
	data, err := io.ReadAll(part)
	if err != nil {
		return f.broken()
	}
	text := string(data)
	if name != "thumb" {
		if !utf8.Valid(data) {
			return http.StatusBadRequest, fmt.Sprintf("The field %q is not UTF-8.", name)
		}
		text = strings.ReplaceAll(text, "\r\n", "\n") // as forms have lines
	}
	f.fields[name] = text
	return 0, ""
}

// measure sets the width and the height of the file; or says what is wrong with them.
func (f *form) measure() (detail string) {
	for name, to := range map[string]*int{"width": &f.row.Width, "height": &f.row.Height} {
		text, ok := f.fields[name]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > shared.MaxFileSide {
			return fmt.Sprintf("The field %q is not a whole number from 1 to %d.", name, shared.MaxFileSide)
		}
		*to = n
	}
	err := shared.CheckUpload(shared.Message{ID: f.row.ID, Size: f.row.Size, Width: f.row.Width, Height: f.row.Height})
	if frameErr := (*shared.FrameError)(nil); errors.As(err, &frameErr) {
		return frameErr.Reason
	}
	return ""
}

// file takes the file.
func (f *form) file(part *multipart.Part) (status int, detail string) {
	switch {
	case f.row.ID != "":
		return http.StatusBadRequest, "The form has two files. Send each with a message of its own."
	case part.FileName() == "":
		return http.StatusBadRequest, `The field "file" has no file name. With curl, write -F file=@picture.jpg, with the @.`
	}
	files := f.hub.cfg.Files
	row := FileRow{
		File: File{ID: strings.ToLower(rand.Text()), Name: shared.FileName(part.FileName()), Size: files.Max()},
		Room: f.room.Key, Device: APIDevice, Made: f.hub.cfg.Now(),
	}
	if f.r.ContentLength > 0 {
		row.Size = min(row.Size, f.r.ContentLength)
	}
	if f.by.uploads != nil {
		row.Source = sourceNumber(f.by.name)
	}
	if status, detail = f.begin(row); detail != "" {
		return status, detail
	}
	f.body.inFile = true
	f.row.Size, status, detail = files.Receive(f.r, f.row, part)
	f.body.inFile = false
	return status, detail
}

// begin has the log know of the file, if it may come.
func (f *form) begin(row FileRow) (status int, detail string) {
	h := f.hub
	room, status, detail := h.enterPost(f.room, f.by)
	if detail != "" {
		return status, detail
	}
	defer h.leave(room)
	if refusal := refusalOf(room.ruling.may(Who{Device: APIDevice, Here: true}, ToUpload, h.cfg.Now())); refusal != nil {
		return http.StatusForbidden, h.sayRule(refusal)
	}
	if !f.by.uploads.begin(row.ID, time.Now()) {
		h.metrics.limit("files")
		return http.StatusTooManyRequests, saysManyFiles
	}
	f.row = row // from here on, there is something to take back
	if !room.begin() {
		return http.StatusServiceUnavailable, saysEnded
	}
	defer room.appended()
	_, _, err := h.cfg.Files.Begin(background, row)
	switch refusal := refusalOf(err); {
	case refusal != nil && refusal.Code == shared.CodeRateLimited:
		return http.StatusTooManyRequests, refusal.Reason
	case refusal != nil:
		return http.StatusForbidden, refusal.Reason
	case errors.Is(err, ErrNoSpace):
		return http.StatusInsufficientStorage, sayUnavailable(err)
	case err != nil:
		h.notStored(err)
		return http.StatusServiceUnavailable, sayUnavailable(err)
	}
	return 0, ""
}

// formBody is the body of a form: it bounds what that has besides its file, and lets
// others go on as often as if the file came in parts.
type formBody struct {
	from   io.Reader
	meter  *meter
	inFile bool
	left   int   // bytes that may come besides the file's; below 0 there were too many
	piece  int   // bytes since it has waited
	err    error // of the body
}

// Read implements io.Reader.
func (b *formBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errFormTooLarge
	}
	n, err := b.from.Read(p)
	if err != nil {
		b.err = err
	}
	if !b.inFile {
		b.left -= n
	}
	if b.piece += n; b.piece >= meteredPiece {
		b.piece = 0
		b.meter.wait(nil)
	}
	return n, err
}

var errFormTooLarge = errors.New("the form is too large")
