package main

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/client/android/fortests/ndk"
)

// `fyne package -os android/amd64`, typed in a clone with ANDROID_NDK_HOME and
// nothing else, makes an APK whose identity, version, permissions, name and icon
// are right, and leaves the clone as it was but for Build in FyneApp.toml.
func TestFynePackage(t *testing.T) {
	if testing.Short() {
		t.Skip("packages the app")
	}
	needs(t, "aapt", "git", "clang")
	t.Chdir("../..")
	app, err := readApp("FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	root, err := ndk.Make("build/ndk") // the same folder each time, for Go's build cache
	if err != nil {
		t.Fatalf("%v: make test-packages installs what is needed", err)
	}
	dir := clone(t)
	bin := t.TempDir()
	env := []string{"ANDROID_NDK_HOME=" + root, "GOBIN=" + bin}
	for _, name := range []string{"HOME", "GOPATH", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOFLAGS"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	env = append(env, "PATH="+bin+":"+os.Getenv("PATH"))
	typed(t, dir, env, "go", "install", fyne)
	typed(t, dir, env, filepath.Join(bin, "fyne"), "package", "-os", "android/amd64")

	file := filepath.Join(dir, "Parley.apk")
	badging := must(output("aapt", "dump", "badging", file))
	for _, want := range []string{
		fmt.Sprintf("package: name='%s' versionCode='%s' versionName='%s'", app.ID, manifestCode(t, dir), app.Version),
		"sdkVersion:'21'", "application-label:'Parley'", "native-code: 'x86_64'",
	} {
		if !strings.Contains("\n"+badging, "\n"+want) {
			t.Errorf("the APK has no %s:\n%s", want, badging)
		}
	}
	if strings.Contains(badging, "application-debuggable") {
		t.Error("it is debuggable")
	}
	if got := permissions(badging); !slices.Equal(got, wantPermissions) {
		t.Errorf("it asks for the permissions %v, not for %v", got, wantPermissions)
	}
	found, hidden := seen(must(output("aapt", "dump", "xmltree", file, manifestFile)))
	for name, want := range map[string]string{
		"application/label": "Parley", "application/icon": "@0x7f020000", "activity/exported": "0xffffffff",
		"activity/name":          "org.golang.app.GoNativeActivity",
		"activity/configChanges": "0x40000fff", // of Android 4, and fontScale: the tool knows no more
	} {
		if found[name] != want {
			t.Errorf("Android sees %q as %s, not %q", found[name], name, want)
		}
	}
	if name := found["activity 2/name"]; name != "" {
		t.Errorf("it has the activity %s, and no code for it", name)
	}
	if !slices.Equal(hidden, []string{"activity/theme"}) { // only make apk can give it one
		t.Errorf("Android does not see %q", hidden)
	}
	if !isIcon(t, file, filepath.Join(dir, app.Icon)) {
		t.Errorf("its icon is not %s", app.Icon)
	}

	// What is left in the clone: an APK that git ignores, and Build + 1.
	if got := typed(t, dir, env, "git", "status", "--porcelain"); got != " M FyneApp.toml\n" {
		t.Errorf("git status says\n%s", got)
	}
	n, _ := strconv.Atoi(app.Build)
	before := fmt.Sprintf("-Build = %d\n+Build = %d\n", n, n+1)
	if got := typed(t, dir, env, "git", "diff", "--unified=0"); !strings.HasSuffix(got, before) || strings.Count(got, "\n+") != 2 {
		t.Errorf("git diff says\n%s", got)
	}
	typed(t, dir, env, "go", "generate", ".")
	if got := manifestCode(t, dir); got != strconv.Itoa(n+1) {
		t.Errorf("after go generate versionCode is %s, not %d", got, n+1)
	}
}

// clone makes a repository of the files that git has or would add.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := must(exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output())
	if len(files) == 0 {
		t.Fatal("this is not a clone: git lists no files")
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(files), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		} else if err != nil {
			t.Fatal(err)
		}
		if err := write(filepath.Join(dir, name), data); err != nil {
			t.Fatal(err)
		}
	}
	git := []string{"-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"}
	typed(t, dir, os.Environ(), "git", "init", "--quiet")
	typed(t, dir, os.Environ(), "git", "add", "--all")
	typed(t, dir, os.Environ(), "git", append(git, "commit", "--quiet", "--message", "test")...)
	return dir
}

func typed(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// manifestCode is the versionCode of a folder's manifest.
func manifestCode(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), `android:versionCode="`)
	code, _, _ := strings.Cut(after, `"`)
	return code
}

// isIcon reports whether the only picture among an APK's resources is the icon.
func isIcon(t *testing.T, apk, icon string) bool {
	t.Helper()
	want, err := os.ReadFile(icon)
	if err != nil {
		t.Fatal(err)
	}
	same, n := false, 0
	isPicture := func(f *zip.File) bool { return isResource(f) && strings.HasSuffix(f.Name, ".png") }
	if err := each(apk, isPicture, func(_ string, data []byte) error {
		same, n = slices.Equal(data, want), n+1
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return same && n == 1
}
