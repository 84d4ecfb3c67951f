package ndk

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The stand-in for the NDK refuses what it does not know, on every
// architecture, and makes libraries of what it does.
func TestStandIn(t *testing.T) {
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Skip("only Linux on x86-64 has a stand-in")
	}
	dir := t.TempDir()
	root, err := Make(dir)
	if err != nil {
		t.Fatalf("%v: make test-packages installs what is needed", err)
	}
	if again, err := Make(dir); err != nil || again != root {
		t.Errorf("the second time it is at %s (%v), not at %s", again, err, root)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("it leaves %v", entries)
	}
	tests := []struct{ name, source, want string }{
		{"good", "#include <android/native_activity.h>\n#include <stdlib.h>\nchar *home(void) { return getenv(\"HOME\"); }", ""},
		{"undeclared", "#include <stdio.h>\nvoid f(void) { FILE *f = fopen(\"x\", \"r\"); }", "fopen"},
		{"unlisted", "int ftruncate(int, long);\nint f(void) { return ftruncate(1, 2); }", "undefined symbol: ftruncate"},
		{"another header", "#include <sys/epoll.h>", "sys/epoll.h"},
	}
	for _, target := range Targets {
		for _, test := range tests {
			t.Run(target+"/"+test.name, func(t *testing.T) {
				source := filepath.Join(t.TempDir(), "a.c")
				if err := os.WriteFile(source, []byte(test.source), 0o644); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(Compiler(root, target), "-shared", "-fPIC", "-o", source+".so", source).CombinedOutput()
				switch {
				case test.want == "" && err != nil:
					t.Errorf("%v\n%s", err, out)
				case test.want != "" && (err == nil || !strings.Contains(string(out), test.want)):
					t.Errorf("the error is %v, not one on %q:\n%s", err, test.want, out)
				}
			})
		}
	}
}

// Every function and object of symbols.txt is there once.
func TestSymbols(t *testing.T) {
	libraries, err := Libraries()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, l := range libraries {
		for _, s := range l.Symbols {
			if seen[s.Name] {
				t.Errorf("%s is listed twice", s.Name)
			}
			seen[s.Name] = true
		}
	}
	if !seen["__sF"] || !seen["glDrawArrays"] || len(libraries) != 6 {
		t.Errorf("symbols.txt reads as %v", libraries)
	}
}
