//go:build linux && amd64

package main

import (
	"archive/zip"
	"bufio"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline bounds every wait. It is not a measure of anything.
const deadline = 60 * time.Second

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// rig is what phones are started with: the host, built, the app's library, and
// an X server.
type rig struct {
	host, library, libraries, display string
	settings                          settings
	screen                            image.Point // in units, upright
	root, fonts                       string      // of withFonts; no fonts if it does not work
}

// settings are what the phone's person has set in Android.
type settings struct {
	fontScale float64
	mayNotify int // 1 allowed, 0 not asked yet, -1 refused
	version   int // of Android; 0 is 34
	target    int // the version that the app says it is made for; 0 is 29
}

// withFonts runs a command in a file system that has the folder "$2" as
// /system/fonts, the folder that the app looks for fonts in. "$1" is an empty folder.
const withFonts = `
set -e
mount -t tmpfs none "$1"
for f in /*; do
	if [ -L "$f" ]; then cp -P "$f" "$1"
	elif [ -d "$f" ]; then mkdir "$1$f"; mount --rbind "$f" "$1$f"
	fi
done
mkdir -p "$1/system/fonts"
mount --bind "$2" "$1/system/fonts"
root=$1
shift 2
exec chroot "$root" "$@"`

// newRig builds the host of fortests/host, unpacks the APK, and starts Xvfb.
func newRig(t *testing.T, apk string) rig {
	t.Helper()
	dir := t.TempDir()
	r := rig{host: filepath.Join(dir, "host"), libraries: filepath.Join(dir, "lib"), library: filepath.Join(dir, "app.so"),
		settings: settings{fontScale: 1, mayNotify: 1}, screen: image.Pt(412, 860)}
	for _, d := range []string{r.libraries, filepath.Join(dir, "include/android")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "fortests/ndk/native_window.h", filepath.Join(dir, "include/android/native_window.h"))
	shared := func(name string, args ...string) {
		gcc(t, append([]string{"-shared", "-fPIC", "-Wl,-soname," + name, "-o", filepath.Join(r.libraries, name)}, args...)...)
	}
	android := []string{"-D_GNU_SOURCE", "-I", filepath.Join(dir, "include"), "-isystem", "/usr/include/android",
		"-isystem", "/usr/include/android/nativehelper"}
	shared("libc.so", "-fno-builtin", "-Wl,--default-symver", "fortests/host/libc.c")
	shared("libandroid.so", append(android, "fortests/host/network.c")...)
	gcc(t, append(android, "-rdynamic", "-o", r.host, "fortests/host/host.c", "fortests/host/android.c", "fortests/host/java.c",
		filepath.Join(r.libraries, "libandroid.so"), "-lX11")...)
	for _, name := range []string{"liblog.so", "libdl.so"} { // the host and glibc have what is in these
		shared(name, "-x", "c", os.DevNull)
	}
	for _, name := range []string{"libEGL.so", "libGLESv2.so"} {
		found, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/" + name)
		if len(found) == 0 {
			t.Fatalf("%s is not installed: make host-packages installs it", name)
		}
		link(t, found[0], filepath.Join(r.libraries, name))
	}
	unpack(t, apk, r.library)
	r.root, r.fonts = t.TempDir(), t.TempDir()
	for _, pattern := range []string{"*/*/NotoColorEmoji.ttf", "*/*/NotoSansCJK-Regular.ttc"} {
		found, _ := filepath.Glob("/usr/share/fonts/" + pattern)
		for _, f := range found {
			link(t, f, filepath.Join(r.fonts, filepath.Base(f)))
		}
	}
	if err := command("unshare", append(r.inFonts(), "true")...); err != nil {
		t.Log("the app will have no emoji: ", err)
		r.fonts = ""
	}
	r.display = startXvfb(t)
	return r
}

func gcc(t *testing.T, args ...string) {
	t.Helper()
	if err := command("gcc", append([]string{"-O1", "-Wall", "-Werror"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	target, err := filepath.Abs(target)
	if err == nil {
		err = os.Symlink(target, name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unpack writes the APK's x86-64 library.
func unpack(t *testing.T, apk, to string) {
	t.Helper()
	z, err := zip.OpenReader(apk)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if ok, _ := filepath.Match("lib/x86_64/*.so", f.Name); ok {
			data, err := readEntry(f)
			if err == nil {
				err = os.WriteFile(to, data, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s has no library for x86_64", apk)
}

// startXvfb returns the display.
func startXvfb(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1800x1800x24", "-nolisten", "tcp", "-noreset") // a reset would meet the second phone
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal("Xvfb did not start: ", err)
	}
	return ":" + strings.TrimSpace(number)
}

// phone is the app, running in the host.
type phone struct {
	t     *testing.T
	scale int
	cmd   *exec.Cmd
	in    io.WriteCloser
	shot  string
	done  chan struct{} // its output has ended

	mu    sync.Mutex
	lines []string
	read  int // how many of lines have been waited for
}

// inFonts are the arguments of unshare that run a command by withFonts.
func (r rig) inFonts() []string {
	return []string{"--user", "--map-root-user", "--mount", "sh", "-c", withFonts, "sh", r.root, r.fonts}
}

// start starts the app with what it has in folder, on a screen whose units are
// scale pixels.
func (r rig) start(t *testing.T, folder string, scale int) *phone {
	t.Helper()
	p := &phone{t: t, scale: scale, shot: filepath.Join(t.TempDir(), "shot.ppm"), done: make(chan struct{})}
	args := []string{"env", "LD_LIBRARY_PATH=" + r.libraries, "LD_PRELOAD=" + filepath.Join(r.libraries, "libc.so"),
		r.host, r.library, folder, fmt.Sprint(r.screen.X * scale), fmt.Sprint(r.screen.Y * scale), fmt.Sprint(160 * scale),
		fmt.Sprint(r.settings.fontScale), fmt.Sprint(r.settings.mayNotify),
		fmt.Sprint(cmp.Or(r.settings.version, 34)), fmt.Sprint(cmp.Or(r.settings.target, 29))}
	if r.fonts != "" {
		args = append(append([]string{"unshare"}, r.inFonts()...), args...)
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), "DISPLAY="+r.display, "LIBGL_ALWAYS_SOFTWARE=1")
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			p.save("failed.png")
		}
		p.kill()
		if t.Failed() {
			t.Logf("the phone said:\n%s", strings.Join(p.lines, "\n"))
		}
	})
	p.wait("ready")
	return p
}

// kill ends the app's process, as Android may at any moment.
func (p *phone) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
}

// wait waits for a line that is a match and returns it, with what it passed
// over gone.
func (p *phone) wait(pattern string) string {
	p.t.Helper()
	match := regexp.MustCompile("^(" + pattern + ")$")
	var found string
	eventually(p.t, "the phone to say "+pattern, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for p.read < len(p.lines) {
			p.read++
			if line := p.lines[p.read-1]; match.MatchString(line) {
				found = line
				return true
			}
		}
		select {
		case <-p.done:
			p.ended()
		default:
		}
		return false
	})
	return found
}

// ended fails for an app that is no more. Its last words are on the test's
// stderr.
func (p *phone) ended() {
	p.t.Helper()
	<-p.done
	p.t.Fatalf("the app has ended (%v)", p.cmd.Wait())
}

// do gives the host a command.
func (p *phone) do(format string, args ...any) {
	p.t.Helper()
	command := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		p.ended()
	}
	if answer := p.peek("ok|error .*"); answer != "ok" {
		p.t.Fatalf("%s: %s", command, answer)
	}
}

// peek waits for a line that is a match, and leaves those before it to wait.
func (p *phone) peek(pattern string) string {
	p.t.Helper()
	p.mu.Lock()
	before := p.read
	p.mu.Unlock()
	line := p.wait(pattern)
	p.mu.Lock()
	p.lines = append(p.lines[:p.read-1], p.lines[p.read:]...)
	p.read = before
	p.mu.Unlock()
	return line
}

// screen is a picture of the screen.
func (p *phone) screen() screen {
	p.t.Helper()
	p.do("shot %s", p.shot)
	data, err := os.ReadFile(p.shot)
	if err != nil {
		p.t.Fatal(err)
	}
	var w, h int
	if _, err := fmt.Sscanf(string(data[:20]), "P6 %d %d 255\n", &w, &h); err != nil {
		p.t.Fatal(err)
	}
	s := screen{image.NewNRGBA(image.Rect(0, 0, w, h)), p.scale}
	pixels := data[len(data)-3*w*h:]
	for i := range w * h {
		copy(s.Pix[4*i:], pixels[3*i:3*i+3])
		s.Pix[4*i+3] = 0xff
	}
	return s
}

// tap touches the middle of an area.
func (p *phone) tap(r image.Rectangle) { p.touch("tap", r) }

// press touches it until that is a long touch.
func (p *phone) press(r image.Rectangle) { p.touch("press", r) }

func (p *phone) touch(how string, r image.Rectangle) {
	p.t.Helper()
	p.do("%s %d %d", how, (r.Min.X+r.Max.X)/2*p.scale, (r.Min.Y+r.Max.Y)/2*p.scale)
}

// screen is a picture in pixels, asked about in units.
type screen struct {
	*image.NRGBA
	scale int
}

func (s screen) size() image.Point { return s.Bounds().Size().Div(s.scale) }

// bars are the colours of the system's bars above and below.
func (s screen) bars() (above, below color.NRGBA) {
	return s.NRGBAAt(8, 8), s.NRGBAAt(8, s.Bounds().Dy()-8)
}

// boxes are the areas of one colour, by their bounds, from the top down, that
// are at least as large as least. Of an area with text on it, the part around
// the text counts.
func (s screen) boxes(c color.NRGBA, least image.Point) []image.Rectangle {
	size := s.size()
	same := make([]bool, size.X*size.Y)
	for y := range size.Y {
		for x := range size.X {
			same[y*size.X+x] = s.NRGBAAt(x*s.scale, y*s.scale) == c
		}
	}
	var boxes []image.Rectangle
	for start := range same {
		if !same[start] {
			continue
		}
		var box image.Rectangle
		for todo := []int{start}; len(todo) > 0; {
			i := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !same[i] {
				continue
			}
			same[i] = false
			x, y := i%size.X, i/size.X
			box = box.Union(image.Rect(x, y, x+1, y+1))
			if x > 0 {
				todo = append(todo, i-1)
			}
			if x < size.X-1 {
				todo = append(todo, i+1)
			}
			if y > 0 {
				todo = append(todo, i-size.X)
			}
			if y < size.Y-1 {
				todo = append(todo, i+size.X)
			}
		}
		if box.Dx() >= least.X && box.Dy() >= least.Y {
			boxes = append(boxes, box)
		}
	}
	return boxes
}

// save writes the screen to the folder of -shots, if there is one.
func (p *phone) save(name string) {
	if *shots == "" {
		return
	}
	select {
	case <-p.done:
		return
	default:
	}
	f, err := os.Create(filepath.Join(*shots, name))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, p.screen()); err != nil {
		p.t.Fatal(err)
	}
}
