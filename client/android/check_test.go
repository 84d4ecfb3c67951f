package main

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// needs ends a test of what only Linux on x86-64 can do, and elsewhere asks for
// the programs.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Skip("only Linux on x86-64 makes an APK without the NDK")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: make test-packages installs it", tool)
		}
	}
}

// A library that Android would not load, or that is no app, is found out.
func TestCheckFindsFaults(t *testing.T) {
	needs(t, "gcc")
	t.Chdir("../..")
	dir := t.TempDir()
	library := filepath.Join(dir, "app.so")
	source := filepath.Join(dir, "app.c")
	if err := os.WriteFile(source, []byte("int ftruncate(int, long);\nint JNI_OnLoad(void) { return ftruncate(1, 2); }"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := command("gcc", "-shared", "-fPIC", "-Wl,-z,max-page-size=4096", "-o", library, source); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "app.apk"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	w, err := z.Create("lib/x86_64/app.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	err = checkFiles(file.Name(), true)
	if err == nil {
		t.Fatal("the library passes")
	}
	for _, want := range []string{
		"lib/x86_64/app.so", "it needs [libc.so.6], not", "it needs ftruncate", "ANativeActivity_onCreate is missing",
		"it lacks classes2.dex", "it is not stripped", "a segment is aligned to 0x1000",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
