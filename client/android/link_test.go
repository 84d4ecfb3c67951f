//go:build linux && amd64

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The packaged app takes the links that Link.smali leaves, on its first start and when it
// comes back to the front: it asks, and is in the room then.
func TestAppFollowsLinks(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	r := newRig(t, *apk)
	server := startServer(t)
	folder := t.TempDir()
	leave := func(room string) {
		t.Helper()
		name := filepath.Join(folder, "fyne/link")
		if err := write(name+".new", []byte("parley://"+server.address+"/r/"+room)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
	leave("Garden")
	p := r.start(t, folder, 2)
	question := p.find("the question", mainButton)
	server.people(t, "Garden", 0)
	p.save("link.png")
	p.tap(question)
	p.wait("keyboard shown") // for the name
	p.do("type Ann")
	p.do("done")
	p.wait("keyboard hidden")
	p.wait("keyboard shown") // for the server, which is there
	p.do("done")
	p.wait("keyboard hidden")
	server.people(t, "Garden", 1)

	p.find("the room", isRoom)
	p.do("hide")
	leave("Attic")
	p.do("show")
	p.tap(p.find("the other question", mainButton))
	server.people(t, "Attic", 1)
	p.find("the other room", isRoom)
}
