package pglog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCopiedFolder starts a server with a copy of another one's data folder, as a copied
// machine has: an operator reads what to do. One that only comes back is none.
func TestCopiedFolder(t *testing.T) {
	t.Parallel()
	said, opt := listening()
	opt.Schema, opt.Data, opt.patience = schema(t.Name()), t.TempDir(), time.Minute
	open := func(opt Options) *Log {
		l, err := Open(t.Context(), database, opt)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	open(opt).Close()
	a := open(opt)
	defer a.Close()
	for range 3 {
		a.proof.doubt() // a connection that broke
		if err := a.proof.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const warning = "another server runs with this one's data folder"
	if strings.Contains(said.String(), warning) {
		t.Fatal("a server that comes back takes itself for another one")
	}
	text, err := os.ReadFile(filepath.Join(opt.Data, MarksName))
	if err != nil {
		t.Fatal(err)
	}
	copied := Options{Schema: opt.Schema, Data: t.TempDir(), patience: time.Minute, startFor: time.Minute}
	if err := os.WriteFile(filepath.Join(copied.Data, MarksName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(copied)
	defer b.Close()
	if err := b.proof.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	said.Wait(t, warning)
}
