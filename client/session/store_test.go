package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/client/session"
)

// deadServer refuses connections: what is sent stays in the outbox.
const deadServer = "http://127.0.0.1:1"

// fillStore makes a store with a few rooms and returns its path.
func fillStore(t *testing.T, messages int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sub", "store")
	store := openStore(t, path)
	for _, room := range []string{"one", "two", "three"} {
		v := enter(t, session.Config{Server: deadServer, Room: room, User: "Ann", Store: store})
		v.send(enumerate(room+strings.Repeat(" text", 40)+" %d", 1, messages)...)
		v.until("the rows", func() bool { return len(v.rows) == messages })
		v.room.Close()
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDamagedStore damages a store at every page and at random places. Opening
// it always gives a store that works: the same or, with a word on it, a new one.
func TestDamagedStore(t *testing.T) {
	path := fillStore(t, 30)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	damages := map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"text":    func([]byte) []byte { return []byte("this is no store") },
		"zeros":   func(b []byte) []byte { return make([]byte, len(b)) },
		"no meta": func(b []byte) []byte { clear(b[:8192]); return b },
	}
	for size := 1; size < len(whole); size += 2003 {
		damages[fmt.Sprintf("cut to %d", size)] = func(b []byte) []byte { return b[:size] }
	}
	for at := 8192; at < len(whole); at += 4096 {
		damages[fmt.Sprintf("zeros at %d", at)] = func(b []byte) []byte { clear(b[at : at+4096]); return b }
		for _, header := range []int{0, 8, 10, 12, 16, 20, 24, 28} {
			at := at + header
			damages[fmt.Sprintf("byte %d", at)] = func(b []byte) []byte { b[at] ^= byte(1 + random.IntN(255)); return b }
		}
	}
	aside, same := 0, 0
	for name, damage := range damages {
		file := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(file, damage(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := session.OpenStore(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if store.SetAside() == "" {
			same++
		} else if _, err := os.Stat(store.SetAside()); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			aside++
		}
		device, err := store.Device()
		if err != nil || device == "" {
			t.Errorf("%s: Device: %q, %v", name, device, err)
		}
		v := enter(t, session.Config{Server: deadServer, Room: "one", User: "Ann", Store: store})
		v.send("goes on")
		v.until("the message", func() bool {
			return len(v.rows) > 0 && v.rows[len(v.rows)-1].Text == "goes on"
		})
		v.room.Close()
		if v.failure != nil {
			t.Errorf("%s: %v", name, v.failure)
		}
		if err := store.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d damaged files: %d set aside, %d harmless", len(damages), aside, same)
	if aside < len(damages)/3 {
		t.Error("too few were noticed")
	}
}

func TestStoreInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	if _, err := session.OpenStore(path); !errors.Is(err, session.ErrStoreInUse) {
		t.Errorf("a second opening: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	openStore(t, path).Close()
}

// TestProfile keeps who the person is over a restart.
func TestProfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	if name, server, err := store.Profile(); name != "" || server != "" || err != nil {
		t.Fatalf("a new store has %q at %q, %v", name, server, err)
	}
	if err := store.SetProfile("Ann", "http://192.0.2.1:8000"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if name, server, err := openStore(t, path).Profile(); name != "Ann" || server != "http://192.0.2.1:8000" || err != nil {
		t.Fatalf("the store has %q at %q, %v", name, server, err)
	}
}
