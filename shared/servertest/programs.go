package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Commands returns the commands of one program that is written in three languages, by
// the language's name. goFile is a file or a folder that go build takes.
func Commands(t testing.TB, goFile, python, javaScript string) map[string][]string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, goFile).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return map[string][]string{
		"Go":         {program},
		"Python":     {Python(t), python},
		"JavaScript": {"node", JavaScript(t, javaScript)},
	}
}

// Python returns the system's Python, which has Debian's websockets.
func Python(t testing.TB) string {
	t.Helper()
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import websockets").Run() == nil {
			return p
		}
	}
	t.Fatal("No Python with websockets: apt install python3-websockets, or pip install websockets.")
	return ""
}

// JavaScript returns a program for Node, in a folder from which an older Node
// finds ws: build/npm, which `make test` fills. The package that is tested is a
// folder of the project's.
func JavaScript(t testing.TB, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if exec.Command("node", "-e", "process.exit(globalThis.WebSocket ? 0 : 1)").Run() == nil {
		return file
	}
	npm := filepath.Join("..", "build", "npm")
	if _, err := os.Stat(filepath.Join(npm, "node_modules", "ws")); err != nil {
		t.Fatal("This Node has no WebSocket. Run: npm install --prefix build/npm ws")
	}
	copied := filepath.Join(npm, filepath.Base(file))
	if err := os.WriteFile(copied, source, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(copied) })
	return copied
}
