package main

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The committed code is what its source makes, and an APK with other code, or none, is found out.
func TestDex(t *testing.T) {
	needs(t, "smali")
	t.Chdir("../..")
	if err := checkDex(linkDex); err != nil {
		t.Error(err)
	}
	other := bytes.Clone(linkDex)
	other[len(other)-1]++
	for _, code := range [][]byte{nil, other} {
		if err := checkDex(code); err == nil || !strings.Contains(err.Error(), "classes2.dex") {
			t.Errorf("%d bytes: %v", len(code), err)
		}
	}
}

// The code of Link.smali, turned into Java's, on a JVM: it leaves what the intent has in
// the file, whatever that is, and always starts the app.
func TestLink(t *testing.T) {
	needs(t, "javac", "java", "enjarify")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	cmd := exec.Command("enjarify", "-o", at("link.jar"), "link.dex")
	cmd.Env = append(os.Environ(), "PYTHON=/usr/bin/python3") // which Debian's package is for
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("0 classes had errors")) {
		t.Fatalf("enjarify: %v\n%s", err, out)
	}
	var sources []string
	for _, pattern := range []string{"android/*/*.java", "org/parley/chat/*.java"} {
		found, _ := filepath.Glob(filepath.Join("fortests/java", pattern))
		sources = append(sources, found...)
	}
	compile := append([]string{"-cp", at("link.jar"), "-d", at("classes")}, sources...)
	if err := command("javac", compile...); err != nil {
		t.Fatal(err)
	}

	const view, send = "android.intent.action.VIEW", "android.intent.action.SEND"
	const link = "parley://192.168.1.5:8000/r/%E9%83%A8%E5%B1%8B#k=a%20b"
	const absent = "no file"
	for _, test := range []struct {
		name string
		args []string // ACTION, DATA, TEXT
		want string   // in the file
	}{
		{"view", []string{view, link, "-"}, link},
		{"send", []string{send, "-", "Come: " + link + " 部屋 🎉"}, "Come: " + link + " 部屋 🎉"},
		{"send without text", []string{send, link, "-"}, absent},
		{"view without a link", []string{view, "-", "text"}, absent},
		{"nothing", []string{"-", "-", "-"}, absent},
		{"no action", []string{"-", link, "-"}, link},
		{"no intent", nil, absent},
		{"hostile", []string{"hostile", link, "-"}, absent},
		{"as long as can be", []string{send, "-", strings.Repeat("x", 8192)}, strings.Repeat("x", 8192)},
		{"longer", []string{send, "-", strings.Repeat("x", 8193)}, ""},
	} {
		files := filepath.Join(dir, test.name)
		if err := os.Mkdir(files, 0o700); err != nil {
			t.Fatal(err)
		}
		open(t, dir, append([]string{files}, test.args...))
		got, err := os.ReadFile(filepath.Join(files, "fyne/link"))
		if os.IsNotExist(err) {
			got = []byte(absent)
		} else if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("%s: the file has %.100q, not %.100q", test.name, got, test.want)
		}
		if left, _ := filepath.Glob(filepath.Join(files, "fyne/*.new")); len(left) > 0 {
			t.Errorf("%s leaves %q", test.name, left)
		}
	}

	// A later link takes an earlier one's place, and a disk that fails stops nothing.
	open(t, dir, []string{at("view"), view, "parley://later", "-"})
	if got, _ := os.ReadFile(at("view/fyne/link")); string(got) != "parley://later" {
		t.Errorf("after another link the file has %q", got)
	}
	if err := os.WriteFile(at("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, []string{at("file"), view, link, "-"})
}

// open has Link opened, which must start the app and end.
func open(t *testing.T, dir string, args []string) {
	t.Helper()
	classes := filepath.Join(dir, "classes") + ":" + filepath.Join(dir, "link.jar")
	got, err := output("env", append([]string{"LC_ALL=C.UTF-8", "java", "-cp", classes, "org.parley.chat.Phone"}, args...)...)
	const want = "created\nstart android.intent.action.MAIN android.intent.category.LAUNCHER org.golang.app.GoNativeActivity 34000000\nfinished\n"
	if err != nil || got != want {
		t.Errorf("%.200q: %v\n%s", args, err, got)
	}
}

// What repack adds is in the APK, once.
func TestRepackAddsTheCode(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.apk")
	file, err := os.Create(empty)
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.NewWriter(file).Close(); err != nil {
		t.Fatal(err)
	}
	file.Close()
	made := filepath.Join(dir, "made.apk")
	if err := repack(empty, empty, []byte("manifest"), made, ""); err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := each(made, func(*zip.File) bool { return true }, func(name string, data []byte) error {
		names = append(names, name)
		if name == linkEntry && !bytes.Equal(data, linkDex) {
			t.Error("the code is another")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "AndroidManifest.xml classes2.dex" {
		t.Errorf("it has %s", got)
	}
}
