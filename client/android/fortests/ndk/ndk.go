// Package ndk lays out a stand-in for Android's NDK, made of Debian's packages
// and of the files in this folder. It is for tests and test builds: build what
// you give to others with the NDK.
package ndk

import (
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

//go:embed ndk.go libc.h native_window.h symbols.txt
var files embed.FS

// Mark is a file in the root of a stand-in, which tells it from an NDK.
const Mark = "fortests"

// ErrMissing says that this machine lacks what a stand-in is made of.
var ErrMissing = errors.New("a stand-in for the NDK needs Linux on x86-64 and packages of Debian or Ubuntu")

// Make lays out a stand-in below dir, unless it is there already, and returns
// its root: a value for ANDROID_NDK_HOME. The root's name changes with what the
// stand-in is made of, which tells Go's build cache of changes.
func Make(dir string) (root string, err error) {
	if err := look(); err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	state, err := state()
	if err != nil {
		return "", err
	}
	root = filepath.Join(dir, state)
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if err := layOut(work); err != nil {
		return "", err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return "", err
	}
	return root, os.Rename(work, root)
}

// look looks for what a stand-in is made of.
func look() error {
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" { // what Fyne's tool knows an NDK of
		return ErrMissing
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: %s is missing", ErrMissing, tool)
		}
	}
	for _, path := range []string{androidHeaders, jniHeader, "/usr/include/EGL/egl.h", "/usr/include/GLES2/gl2.h", "/usr/include/KHR"} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: %s is missing", ErrMissing, path)
		}
	}
	return nil
}

// state is a hash of what the stand-in is made of.
func state() (string, error) {
	h := fnv.New32a()
	entries, err := files.ReadDir(".")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		data, err := files.ReadFile(e.Name())
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	return fmt.Sprintf("%08x", h.Sum32()), nil
}

const (
	androidHeaders = "/usr/include/android/android"
	jniHeader      = "/usr/include/android/nativehelper/jni.h"
)

// tools are LLVM's that a stand-in is made of.
var tools = []string{"clang", "ld.lld", "llvm-nm", "llvm-strip"}

// Targets are the compilers that Fyne's tool looks for.
var Targets = []string{"aarch64-linux-android", "armv7a-linux-androideabi", "i686-linux-android", "x86_64-linux-android"}

// libcHeaders all are libc.h.
var libcHeaders = []string{
	"arpa/nameser.h", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "grp.h", "netdb.h", "netinet/in.h", "pthread.h",
	"resolv.h", "signal.h", "stdio.h", "stdlib.h", "string.h", "sys/cdefs.h", "sys/mman.h", "sys/socket.h",
	"sys/stat.h", "sys/types.h", "time.h", "unistd.h",
}

// layOut puts under root what Fyne's tool expects of an NDK: compilers that see
// Debian's Android headers, libc.h in place of the C library's, and stubs of the
// libraries with the symbols of symbols.txt alone. Undeclared functions and
// undefined symbols are errors.
func layOut(root string) error {
	if err := write(filepath.Join(root, Mark), nil, 0o644); err != nil {
		return err
	}
	include := filepath.Join(root, "include")
	for name, file := range map[string]string{"libc.h": "libc.h", "android/native_window.h": "native_window.h"} {
		data, err := files.ReadFile(file)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(include, name), data, 0o644); err != nil {
			return err
		}
	}
	for _, h := range libcHeaders {
		if err := write(filepath.Join(include, h), []byte("#include <libc.h>\n"), 0o644); err != nil {
			return err
		}
	}
	links := map[string]string{
		"jni.h": jniHeader, "EGL": "/usr/include/EGL", "GLES2": "/usr/include/GLES2", "KHR": "/usr/include/KHR",
	}
	headers, err := filepath.Glob(androidHeaders + "/*.h")
	if err != nil {
		return err
	}
	for _, h := range headers {
		links["android/"+filepath.Base(h)] = h
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(include, name)); err != nil {
			return err
		}
	}
	libraries, err := Libraries()
	if err != nil {
		return err
	}
	for _, target := range Targets {
		if err := makeCompiler(root, target, libraries); err != nil {
			return err
		}
	}
	for _, tool := range []string{"llvm-nm", "llvm-strip"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(bin(root), tool)); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file and makes its folder.
func write(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, mode)
}

// Compiler is the C compiler of a target.
func Compiler(root, target string) string { return filepath.Join(bin(root), target+"21-clang") }

func bin(root string) string { return filepath.Join(root, "toolchains/llvm/prebuilt/linux-x86_64/bin") }

// makeCompiler writes one architecture's stub libraries and its clang.
func makeCompiler(root, target string, libraries []Library) error {
	lib := filepath.Join(root, "lib", target)
	for _, l := range libraries {
		assembly := filepath.Join(lib, l.Name+".s")
		if err := write(assembly, []byte(l.stub(is64(target))), 0o644); err != nil {
			return err
		}
		out, err := exec.Command("clang", "--target="+target+"21", "-nostdlib", "-shared", "-fuse-ld=lld", "-Wl,-soname,"+l.Name,
			"-o", filepath.Join(lib, l.Name), assembly).CombinedOutput()
		if err != nil {
			return fmt.Errorf("clang of %s: %w\n%s", l.Name, err, out)
		}
	}
	flags := `-nostdlibinc -isystem "$root/include" -Werror=implicit-function-declaration -Werror=implicit-int`
	if strings.HasPrefix(target, "i686") {
		flags += " -mstackrealign" // API level 21 has processes with a stack aligned to 4
	}
	if is64(target) {
		flags += " -Wl,-z,max-page-size=16384" // as the NDK's own does since r28
	}
	wrapper := fmt.Sprintf("#!/bin/sh\nroot=${0%%/*}/../../../../..\nexec clang --target=%s21 %s -fuse-ld=lld -nostdlib -L\"$root/lib/%s\""+
		" -Wno-unused-command-line-argument -Wl,--no-undefined -Wl,--as-needed \"$@\" -lc -ldl\n", target, flags, target)
	for _, name := range []string{"clang", "clang++"} {
		if err := write(filepath.Join(bin(root), target+"21-"+name), []byte(wrapper), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func is64(target string) bool {
	return strings.HasPrefix(target, "aarch64") || strings.HasPrefix(target, "x86_64")
}

// Library is one of Android's, as far as symbols.txt lists it.
type Library struct {
	Name    string
	Symbols []Symbol
}

// Symbol is a function, or with sizes, in bytes, an object.
type Symbol struct {
	Name           string
	size64, size32 int
}

// stub is assembly of the library's symbols, in nobody's instructions.
func (l Library) stub(is64 bool) string {
	var b strings.Builder
	for _, s := range l.Symbols {
		kind, size := "function", s.size32
		if size > 0 {
			kind = "object"
		}
		if is64 {
			size = s.size64
		}
		fmt.Fprintf(&b, ".globl %[1]s\n.type %[1]s,%%%[2]s\n.size %[1]s,%[3]d\n%[1]s:\n.zero %[3]d\n", s.Name, kind, size)
	}
	return b.String()
}

// Libraries reads symbols.txt: a library, then its symbols.
func Libraries() ([]Library, error) {
	data, err := files.ReadFile("symbols.txt")
	if err != nil {
		return nil, err
	}
	var libraries []Library
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case strings.HasSuffix(words[0], ".so"):
			libraries = append(libraries, Library{Name: words[0]})
		default:
			s := Symbol{Name: words[0]}
			if len(words) == 3 {
				s.size64, _ = strconv.Atoi(words[1])
				s.size32, _ = strconv.Atoi(words[2])
			}
			last := &libraries[len(libraries)-1]
			last.Symbols = append(last.Symbols, s)
		}
	}
	return libraries, nil
}
