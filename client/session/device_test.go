package session_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

// helloOf enters a room of a server and returns the hello that it got.
func helloOf(t *testing.T, s *oddServer, config session.Config) shared.Message {
	t.Helper()
	config.Room, config.User = "r", "Ann"
	v := enter(t, config)
	_, hello := s.welcomed("e", 0, false)
	v.room.Close()
	return hello
}

// A stranger's server gets another secret than the server that knows the person's
// names, also after a restart, whatever it says about itself.
func TestDevicePerServer(t *testing.T) {
	known, stranger := startOddServer(t), startOddServer(t)
	path := filepath.Join(t.TempDir(), "store")
	kept := openStore(t, path)
	first := helloOf(t, known, session.Config{Server: known.base, Store: kept}).Device
	if shared.CheckDevice(first) != nil {
		t.Fatalf("the device is %q", first)
	}
	if got := helloOf(t, stranger, session.Config{Server: stranger.base, Store: kept}).Device; got == first || shared.CheckDevice(got) != nil {
		t.Errorf("the stranger's server got %q, the known one %q", got, first)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	kept = openStore(t, path)
	if got := helloOf(t, known, session.Config{Server: known.base, Store: kept}).Device; got != first {
		t.Errorf("after a restart the server got %q, before %q", got, first)
	}

	pins := session.NewPins(nil) // without a store
	pins.UseSpare(session.NewDevice())
	first = helloOf(t, known, session.Config{Server: known.base, Pins: pins}).Device
	other := helloOf(t, stranger, session.Config{Server: stranger.base, Pins: pins}).Device
	again := helloOf(t, known, session.Config{Server: known.base, Pins: pins}).Device
	if first == other || first != again || shared.CheckDevice(first) != nil {
		t.Errorf("without a store the servers got %q, %q and %q", first, other, again)
	}
}

// brokenDisk is a store whose devices can't be read or written while it is broken.
type brokenDisk struct {
	*store.Store
	broken bool
}

func (d *brokenDisk) Device(identity string) (string, error) {
	if d.broken {
		return "", errors.New("the disk is broken")
	}
	return d.Store.Device(identity)
}

func (d *brokenDisk) KeepDevice(identity, device string) error {
	if d.broken {
		return errors.New("the disk is broken")
	}
	return d.Store.KeepDevice(identity, device)
}

// The secret of a server stays the same while the app runs, whether the store fails
// or works again, and is then kept.
func TestDeviceOutlastsTheStore(t *testing.T) {
	for _, broken := range []bool{false, true} { // at first
		const server = "http://192.0.2.1:8000"
		disk := &brokenDisk{openStore(t, filepath.Join(t.TempDir(), "store")), broken}
		pins := session.NewPins(disk)
		first := pins.Device(server)
		for range 3 {
			disk.broken = !disk.broken
			if got := pins.Device(server); got != first {
				t.Errorf("at first broken %t, now %t: the device is %q, was %q", broken, disk.broken, got, first)
			}
		}
		disk.broken = false
		if got := session.NewPins(disk).Device(server); got != first {
			t.Errorf("at first broken %t: after a restart the device is %q, was %q", broken, got, first)
		}
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Two names of one server, told by its certificate, get one secret. A server that has
// one name keeps its secret when the person has confirmed another certificate.
func TestDeviceByCertificate(t *testing.T) {
	s := startServer(t, "--tls", "auto")
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	kept := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer kept.Close()
	by := func(base string) string {
		t.Helper()
		v := enter(t, session.Config{Server: base, Room: "r", User: "Ann", Store: kept})
		v.send("hi")
		v.until("the message", func() bool { return len(v.rows) > 0 && v.rows[len(v.rows)-1].By != "" })
		v.room.Close()
		return v.rows[len(v.rows)-1].By
	}
	byNumber, byName := by(s.base), by("https://localhost:"+port)
	if byNumber != byName {
		t.Errorf("the server knows the device as %s and %s", byNumber, byName)
	}

	kept = openStore(t, filepath.Join(t.TempDir(), "store")) // which knows one address
	defer kept.Close()
	pins := session.NewPins(kept)
	if _, err := session.DialFunc(nil).Probe(t.Context(), s.base, pins); err != nil {
		t.Fatal(err)
	}
	before, m := pins.Device(s.base), startMiddleman(t, s.Addr())
	if _, err := session.DialFunc(m.dial).Probe(t.Context(), s.base, pins); err == nil {
		t.Error("another certificate is not refused")
	}
	pins.Trust(s.base, m.words)
	if got := session.NewPins(kept).Device(s.base); got != before {
		t.Errorf("with another certificate the device is %q, was %q", got, before)
	}
	if got := pins.Device("http://127.0.0.1:" + port); got == before {
		t.Error("without TLS the address gets the secret of the certificate")
	}
}

// A hello does not follow a redirect, and neither does a question.
func TestRedirect(t *testing.T) {
	target := startOddServer(t)
	asked := make(chan string, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		http.Redirect(w, r, target.base+r.URL.Path, http.StatusFound)
	}))
	defer web.Close()
	v := enter(t, session.Config{Server: web.URL, Room: "r", User: "Ann", Backoff: func(int) time.Duration { return time.Hour }})
	v.cause(session.CauseRedirected)
	v.room.Close()
	select {
	case <-target.peers:
		t.Error("the connection went to the other server")
	default:
	}
	if !strings.HasPrefix(v.status.Detail, target.base) {
		t.Errorf("it leads to %q", v.status.Detail)
	}
	if _, err := session.DialFunc(nil).Probe(t.Context(), web.URL, session.NewPins(nil)); err == nil || err.(*session.Problem).Cause != session.CauseRedirected {
		t.Errorf("Probe: %v", err)
	}
	if first := <-asked; first != "/ws/chat/r" {
		t.Errorf("it was asked for %q", first)
	}
}

func TestIdentity(t *testing.T) {
	words := shared.Fingerprint([]byte("x"))
	for _, c := range [][3]string{
		{"http://192.0.2.1:8000", "", "http://192.0.2.1:8000"},
		{"http://192.0.2.1", "", "http://192.0.2.1:80"},
		{"https://chat.example", "authority", "https://chat.example:443"},
		{"https://[fe80::1%25eth0]:8000", "", "https://[fe80::1%eth0]:8000"},
		{"http://192.0.2.1:8000/parley", "", "http://192.0.2.1:8000"},
		{"https://192.0.2.1:8000", words, "certificate " + words},
		{"https://localhost:8000", words, "certificate " + words},
	} {
		if got := session.Identity(c[0], c[1]); got != c[2] {
			t.Errorf("%q is %q, want %q", c[:2], got, c[2])
		}
	}
}
