package main

import (
	"archive/zip"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// needs ends a test where an APK can't be made from Debian's packages.
func needs(t *testing.T) {
	t.Helper()
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		t.Skip("only Linux on x86-64 makes an APK without the NDK")
	}
	for _, tool := range []string{"gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: make test-packages installs it", tool)
		}
	}
}

// manifest is binary XML with one element, whose attributes have these resource
// IDs, in this order, and their place as a value.
func manifest(ids ...uint32) []byte {
	le := binary.LittleEndian
	chunk := func(kind, header uint16, body []byte) []byte {
		b := le.AppendUint16(nil, kind)
		b = le.AppendUint16(b, header)
		b = le.AppendUint32(b, uint32(8+len(body)))
		return append(b, body...)
	}
	var table, attributes []byte
	for i, id := range ids {
		table = le.AppendUint32(table, id)
		for _, v := range []uint32{0, uint32(i), 0, 0x10000008, uint32(i)} { // namespace, name, text, type, value
			attributes = le.AppendUint32(attributes, v)
		}
	}
	element := make([]byte, 8+8) // line, comment; namespace, name
	for _, v := range []uint16{20, attributeSize, uint16(len(ids)), 0, 0, 0} {
		element = le.AppendUint16(element, v)
	}
	return chunk(chunkXML, 8, append(chunk(chunkResourceMap, 8, table), chunk(chunkStartElement, headerSize, append(element, attributes...))...))
}

// The attributes of a manifest get into the order of their resource IDs, each
// with its value, and configChanges gets whole.
func TestMendManifest(t *testing.T) {
	const name, exported, theme = 0x01010003, 0x01010010, 0x01010000
	data := manifest(name, exported, configChangesID, theme)
	if err := mendManifest(data); err != nil {
		t.Fatal(err)
	}
	var values []uint32
	for a := range slices.Chunk(data[len(data)-4*attributeSize:], attributeSize) {
		values = append(values, binary.LittleEndian.Uint32(a[16:]))
	}
	if want := []uint32{3, 0, 1, configChanges}; !slices.Equal(values, want) {
		t.Errorf("the values are %x, not %x", values, want)
	}
	for n := range data {
		_ = mendManifest(data[:n]) // does not panic
	}
	if mendManifest([]byte("<manifest/>")) == nil {
		t.Error("text passes for binary XML")
	}
}

// A library that Android would not load, or that is no app, is found out.
func TestCheckFindsFaults(t *testing.T) {
	needs(t)
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
		"it is not stripped", "a segment is aligned to 0x1000",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
