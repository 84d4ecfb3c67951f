package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// manager changes rooms.
type manager interface {
	Unlock(ctx context.Context, room shared.Name) error
	Rename(ctx context.Context, from, to shared.Name) error
	Delete(ctx context.Context, room shared.Name) error
	Unhost(ctx context.Context, room shared.Name, number int64) error
}

// control takes commands about rooms while the server runs, so that the rooms in
// memory and the log agree: HTTP on a Unix socket in the data folder, which only the
// folder's user can open.
type control struct {
	path string
	info os.FileInfo // of the socket
	srv  *http.Server
	stop context.CancelFunc
}

const controlName = "parley.sock"

// openControl begins to take commands; links are those by which the server is reached.
// Without it, the server works all the same.
func openControl(dir string, m manager, links func() []shared.Link, logger *slog.Logger) *control {
	c := &control{path: filepath.Join(dir, controlName)}
	listener, err := c.listen(dir)
	if err != nil {
		logger.Warn("the commands unlock, rename, delete and hosts need the server to be stopped, and host does not work", "error", err)
		return c
	}
	var ctx context.Context // of what is under way: it ends with the server, not when the one who asked goes away
	ctx, c.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{command}", func(w http.ResponseWriter, r *http.Request) {
		if err := carryOut(ctx, r, m); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		logger.Info("a room was changed by command", "command", r.PathValue("command"), "room", r.FormValue("room"), "to", r.FormValue("to"))
	})
	mux.HandleFunc("POST /links", func(w http.ResponseWriter, _ *http.Request) {
		for _, link := range links() {
			fmt.Fprintln(w, link)
		}
	})
	c.srv = &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	go func() { _ = c.srv.Serve(listener) }() // until close
	return c
}

// listen makes the socket in a folder of its own first, so that nobody else can open
// it before it has its mode.
func (c *control) listen(dir string) (net.Listener, error) {
	own, err := os.MkdirTemp(dir, ".control-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(own)
	path, done, err := socketPath(own, controlName)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	made := filepath.Join(own, controlName)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, c.path) // over that of a server that was killed
	}
	if err == nil {
		c.info, err = os.Lstat(c.path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// close ends what is under way and removes the socket, unless another one lies there
// by now.
func (c *control) close(ctx context.Context) {
	if c.srv == nil {
		return
	}
	c.stop()
	_ = c.srv.Shutdown(ctx)
	if info, err := os.Lstat(c.path); err == nil && os.SameFile(info, c.info) {
		_ = os.Remove(c.path)
	}
}

// longestSocket is what every system takes as a socket's path.
const longestSocket = 100

// socketPath returns a path by which the system takes a socket in a folder, until done
// is called. Paths of sockets are short: 103 bytes and more do not fit.
func socketPath(dir, name string) (path string, done func(), err error) {
	if path = filepath.Join(dir, name); len(path) <= longestSocket {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("the path of the data folder is too long for a socket: it has %d bytes, of at most %d", len(dir), longestSocket-len(name)-1)
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name), func() { f.Close() }, nil
}

func carryOut(ctx context.Context, r *http.Request, m manager) error {
	room, err := shared.RoomName(r.FormValue("room"))
	if err != nil {
		return err
	}
	switch r.PathValue("command") {
	case "unlock":
		return m.Unlock(ctx, room)
	case "delete":
		return m.Delete(ctx, room)
	case "rename":
		to, err := shared.RoomName(r.FormValue("to"))
		if err != nil {
			return err
		}
		return m.Rename(ctx, room, to)
	case "unhost":
		number, err := strconv.ParseInt(r.FormValue("number"), 10, 64)
		if err != nil {
			return chat.ErrNoHost
		}
		return m.Unhost(ctx, room, number)
	}
	return errors.New("this server knows no such command: it is of another version")
}

// remote is a manager that has the server on a data folder do it.
type remote struct{ client *http.Client }

// errNoServer is returned by dialControl if no server runs on the folder.
var errNoServer = errors.New("no server runs on the data folder")

// dialControl finds the server that runs on a data folder.
func dialControl(dir string) (*remote, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		path, done, err := socketPath(dir, controlName)
		if err != nil {
			return nil, err
		}
		defer done()
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	conn, err := dial(context.Background())
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the server on %s belongs to another user: run this as that user, or as root", dir)
	case err != nil: // if one runs all the same, it holds the log's lock
		return nil, errNoServer
	}
	conn.Close()
	return &remote{&http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}}}, nil
}

func (r *remote) do(ctx context.Context, command string, values url.Values) error {
	_, err := r.ask(ctx, command, values)
	return err
}

// ask carries out a command and returns what the server says.
func (r *remote) ask(ctx context.Context, command string, values url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley/"+command, strings.NewReader(values.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("the server ended before it answered: %w", err)
	}
	defer resp.Body.Close()
	says, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", errors.Join(errors.New(strings.TrimSpace(string(says))), err)
	}
	return string(says), nil
}

// links returns those by which the server is reached, the likeliest to work first.
func (r *remote) links(ctx context.Context) (links []shared.Link, err error) {
	says, err := r.ask(ctx, "links", nil)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(says) {
		link, err := shared.ParseLink(line)
		if err != nil {
			return nil, fmt.Errorf("the server's own link is none: %w", err)
		}
		links = append(links, link)
	}
	if len(links) == 0 {
		return nil, errors.New("the server does not know where it is reached")
	}
	return links, nil
}

// Unlock implements manager.
func (r *remote) Unlock(ctx context.Context, room shared.Name) error {
	return r.do(ctx, "unlock", url.Values{"room": {room.Text}})
}

// Rename implements manager.
func (r *remote) Rename(ctx context.Context, from, to shared.Name) error {
	return r.do(ctx, "rename", url.Values{"room": {from.Text}, "to": {to.Text}})
}

// Delete implements manager.
func (r *remote) Delete(ctx context.Context, room shared.Name) error {
	return r.do(ctx, "delete", url.Values{"room": {room.Text}})
}

// Unhost implements manager.
func (r *remote) Unhost(ctx context.Context, room shared.Name, number int64) error {
	return r.do(ctx, "unhost", url.Values{"room": {room.Text}, "number": {strconv.FormatInt(number, 10)}})
}

var _ manager = (*chat.Hub)(nil)
