package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/shared/servertest"
)

// needsProgram returns a program of Debian's package, or skips the test.
func needsProgram(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s: apt install %s", name, pkg)
	}
	return path
}

// tree returns what is below a folder: the files with mode and content, and links.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, info := strings.TrimPrefix(path, root), must(d.Info())
		if info.Mode()&os.ModeSymlink != 0 {
			found[name] = "-> " + must(os.Readlink(path))
			return nil
		}
		found[name] = info.Mode().String() + " " + string(must(os.ReadFile(path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sameTree(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if fmt.Sprint(got) == fmt.Sprint(want) {
		return
	}
	for name := range got {
		if got[name] != want[name] {
			t.Errorf("%s: %s is now %.200q, it should be %.200q", what, name, got[name], want[name])
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s: %s is gone", what, name)
		}
	}
}

// TestInstall installs into a system below a folder and uninstalls, and has systemd
// look at the unit.
func TestInstall(t *testing.T) {
	needsProgram(t, "systemctl", "systemd")
	analyze := needsProgram(t, "systemd-analyze", "systemd")
	server := servertest.Binary(t)
	run := func(args ...string) (string, error) {
		out, err := exec.Command(server, args...).CombinedOutput()
		return string(out), err
	}
	for _, flags := range []string{"--port 8000", "--port 80", "--port 8000 --captive"} {
		like, low := strings.Fields(flags), flags != "--port 8000"
		root := t.TempDir()
		said := filepath.Join(root, "var/lib/private/parley/parley.db")
		if err := os.MkdirAll(filepath.Dir(said), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Dir(said), "parley.db", "what was said")
		before := tree(t, root)

		if out, err := run(append([]string{"install", "--root", root}, like...)...); err != nil || !strings.Contains(out, root) {
			t.Fatalf("install says %s, %v", out, err)
		}
		printed, err := run(append([]string{"install", "--print"}, like...)...)
		if err != nil || !strings.Contains(printed, "--addr :"+like[1]+" ") || strings.Contains(printed, "=CAP_NET_BIND_SERVICE\n") != low ||
			strings.Contains(printed, "PrivateUsers=yes") == low || strings.Contains(printed, " --captive :80\n") != (len(like) == 3) {
			t.Errorf("%s: %v, the unit is\n%s", flags, err, printed)
		}
		installed := tree(t, root)
		sameTree(t, "install", installed, map[string]string{
			"/usr/local/bin/parley-server":                                      "-rwxr-xr-x " + string(must(os.ReadFile(server))),
			"/etc/systemd/system/parley-server.service":                         "-rw-r--r-- " + printed,
			"/etc/systemd/system/multi-user.target.wants/parley-server.service": "-> /etc/systemd/system/parley-server.service",
			strings.TrimPrefix(said, root):                                      before[strings.TrimPrefix(said, root)],
		})

		unit := filepath.Join(t.TempDir(), unitName)
		here := strings.ReplaceAll(printed, installedProgram, filepath.Join(root, installedProgram))
		if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: systemd-analyze verify: %v\n%s", flags, err, out)
		}
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", unit).CombinedOutput(); err != nil {
			t.Errorf("%s: systemd-analyze security: %v\n%s", flags, err, out)
		}

		if out, err := run(append([]string{"install", "--root", root}, like...)...); err != nil {
			t.Errorf("once more: %s, %v", out, err)
		}
		sameTree(t, "once more", tree(t, root), installed)

		again := "install --port 9000 --root " + root
		if out, err := run("install", "--root", root, "--port", "9000"); err == nil || !strings.Contains(out, "differs") || !strings.Contains(out, again+" --replace") {
			t.Errorf("another port: %s, %v", out, err)
		}
		sameTree(t, "another port", tree(t, root), installed)
		if out, err := run("install", "--root", root, "--port", "9000", "--replace"); err != nil {
			t.Errorf("--replace: %s, %v", out, err)
		}
		replaced := tree(t, root)
		if len(replaced) != len(installed) || !strings.Contains(replaced["/etc/systemd/system/parley-server.service"], "--addr :9000 ") {
			t.Errorf("--replace left %.200q", replaced)
		}

		out, err := run("uninstall", "--root", root)
		if err != nil || !strings.Contains(out, filepath.Dir(said)) {
			t.Errorf("uninstall says %s, %v", out, err)
		}
		sameTree(t, "uninstall", tree(t, root), before)
		if out, err := run("uninstall", "--root", root); err == nil || !strings.Contains(out, "no service is installed") {
			t.Errorf("uninstall once more: %s, %v", out, err)
		}
	}
}

// TestInstallHalfway has each step of an install fail, over nothing and over another
// installation: what was there is there again.
func TestInstallHalfway(t *testing.T) {
	needsProgram(t, "systemctl", "systemd")
	server := servertest.Binary(t)
	const units = "etc/systemd/system/"
	for obstacle, says := range map[string]string{
		"usr/local/bin/parley-server.new/x":                       "parley-server.new",
		units + "parley-server.service.new/x":                     "parley-server.service.new",
		units + "parley-server.service.before/x":                  "parley-server.service.before",
		units + "multi-user.target.wants":                         "systemctl --root",
		units + "multi-user.target.wants/parley-server.service/x": "systemctl --root",
	} {
		for _, over := range []bool{false, true} {
			root := t.TempDir()
			for _, name := range []string{obstacle, "usr/local/bin/README", "etc/systemd/system/other.service"} {
				if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				writeFile(t, root, name, "other")
			}
			if over {
				writeFile(t, root, "usr/local/bin/parley-server", "an older program")
				writeFile(t, root, "etc/systemd/system/parley-server.service", "an older unit")
			}
			if strings.HasSuffix(obstacle, ".before/x") && !over {
				continue // nothing is set aside
			}
			before := tree(t, root)
			out, err := exec.Command(server, "install", "--root", root, "--replace").CombinedOutput()
			if err == nil || !strings.Contains(string(out), says) {
				t.Errorf("%s (over another: %t): %v, %s", obstacle, over, err, out)
			}
			sameTree(t, fmt.Sprintf("%s (over another: %t)", obstacle, over), tree(t, root), before)
		}
	}
}

// fakeSystemd puts a systemctl first in the PATH that notes how it was called, and
// what was installed then. It fails if the arguments contain failing.
func fakeSystemd(t *testing.T, h *host, failing string) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\necho \"$* $(cd %s; ls usr/local/bin etc/systemd/system | grep ^parley | tr '\\n' ' ')\" >> %s/calls\n"+
		"case \"$*\" in %s) echo no; exit 1;; esac\n", quote(h.root), quote(dir), failing)
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "calls"))
		os.Remove(filepath.Join(dir, "calls"))
		return string(text)
	}
}

// TestInstallStarts follows what systemd is told on a computer that it runs.
func TestInstallStarts(t *testing.T) {
	program := servertest.Binary(t)
	port := servertest.FreePort(t)
	l, err := net.Listen("tcp", fmt.Sprint(":", port))
	if err != nil {
		t.Fatal(err)
	}
	h := &host{root: t.TempDir(), booted: true}
	calls := fakeSystemd(t, h, "never")
	var out bytes.Buffer
	if err := h.install(t.Context(), program, service{port: port}, false, "", &out); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d is in use", port)) {
		t.Errorf("on a port in use: %v", err)
	}
	if len(tree(t, h.root)) > 0 || calls() != "" {
		t.Error("it did something")
	}
	l.Close()

	const files = " parley-server.service parley-server \n"
	if err := h.install(t.Context(), program, service{port: port}, false, "", &out); err != nil || !strings.Contains(out.String(), serviceData) {
		t.Errorf("%v\n%s", err, &out)
	}
	if got, want := calls(), "daemon-reload"+files+"enable parley-server.service"+files+"restart parley-server.service"+files; got != want {
		t.Errorf("systemd was told\n%s, not\n%s", got, want)
	}
	installed := tree(t, h.root)

	// The service now has its port.
	if l, err = net.Listen("tcp", fmt.Sprint(":", port)); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := h.install(t.Context(), program, service{port: port}, false, "", &out); err != nil {
		t.Errorf("once more: %v", err)
	}
	calls()
	failing := fakeSystemd(t, h, "restart*")
	if err := h.install(t.Context(), program, service{port: 1}, true, "", &out); err == nil || !strings.Contains(err.Error(), "systemctl restart") {
		t.Errorf("a service that does not start: %v", err)
	}
	sameTree(t, "a service that does not start", tree(t, h.root), installed)
	if got := failing(); !strings.HasSuffix(got, "daemon-reload"+files+"try-restart parley-server.service"+files) {
		t.Errorf("systemd was told\n%s", got)
	}

	calls = fakeSystemd(t, h, "never")
	writeFile(t, h.root, serviceSettings, "PARLEY_ROOM=Lobby\n")
	out.Reset()
	if err := h.uninstall(t.Context(), &out); err != nil || !strings.Contains(out.String(), "settings stay") {
		t.Errorf("uninstall: %v\n%s", err, &out)
	}
	if got, want := calls(), "disable --now parley-server.service"+files+"daemon-reload \n"; got != want {
		t.Errorf("systemd was told\n%s, not\n%s", got, want)
	}

	// A first installation that fails leaves nothing.
	calls = fakeSystemd(t, h, "restart*")
	before := tree(t, h.root)
	l.Close()
	if err := h.install(t.Context(), program, service{port: port}, false, "", &out); err == nil {
		t.Error("the service did not start, and nothing was said")
	}
	sameTree(t, "a first installation", tree(t, h.root), before)
	if got := calls(); !strings.HasSuffix(got, "disable --now parley-server.service"+files+"daemon-reload \n") {
		t.Errorf("systemd was told\n%s", got)
	}
}

func TestWhatCannotBeInstalled(t *testing.T) {
	for want, args := range map[string][]string{
		"--port takes a number":         {"install", "--port", "0"},
		"--root takes a folder":         {"install", "--root", filepath.Join(t.TempDir(), "missing")},
		`install has no use for "here"`: {"install", "here"},
	} {
		if _, err := do(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if err := (&host{}).check("/opt/parley install", 1000); err == nil ||
		exists("/run/systemd/system") != strings.Contains(err.Error(), "sudo /opt/parley install") ||
		exists("/run/systemd/system") == strings.Contains(err.Error(), "does not run systemd") {
		t.Errorf("somebody else than root: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := (&host{root: t.TempDir()}).check("", 0); err == nil || !strings.Contains(err.Error(), "systemctl is missing") {
		t.Errorf("without systemctl: %v", err)
	}

	other := &host{root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(other.root, filepath.Dir(installedUnit)), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, other.root, installedUnit, "[Service]\n")
	before := tree(t, other.root)
	if err := other.uninstall(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "was not made by parley-server install") {
		t.Errorf("another's unit: %v", err)
	}
	sameTree(t, "another's unit", tree(t, other.root), before)
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"/usr/bin/x": "/usr/bin/x", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := quote(word); got != want {
			t.Errorf("%q is quoted as %s, not %s", word, got, want)
		}
		if out, err := exec.Command("sh", "-c", "printf %s "+quote(word)).Output(); err != nil || string(out) != word {
			t.Errorf("a shell reads %s as %q, %v", quote(word), out, err)
		}
	}
}
