package main

import (
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

// errNoNDK ends a build before anything is changed.
var errNoNDK = errors.New("set ANDROID_NDK_HOME (developer.android.com/ndk), or on Debian/Ubuntu have `make apk` name the packages " +
	"for a test build. Nothing was changed")

// source is the folder of this program, standIn where the stand-in is put.
const (
	source  = "client/android"
	standIn = "build/ndk"
)

// toolchain is an NDK: Google's, or the stand-in.
type toolchain struct {
	root  string
	strip string
	real  bool
	state string // changes with the stand-in
}

// findToolchain takes the NDK of ANDROID_NDK_HOME, and otherwise makes one from
// Debian's packages.
func findToolchain() (toolchain, error) {
	if root := os.Getenv("ANDROID_NDK_HOME"); root != "" {
		found, _ := filepath.Glob(filepath.Join(root, "toolchains/llvm/prebuilt/*/bin/llvm-strip*"))
		if len(found) == 0 {
			return toolchain{}, fmt.Errorf("ANDROID_NDK_HOME=%s holds no NDK", root)
		}
		return toolchain{root: root, strip: found[0], real: true}, nil
	}
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" { // what Fyne's tool knows an NDK of
		return toolchain{}, errNoNDK
	}
	for _, tool := range []string{"clang", "ld.lld", "llvm-nm", "llvm-strip"} {
		if _, err := exec.LookPath(tool); err != nil {
			return toolchain{}, errNoNDK
		}
	}
	for _, path := range []string{androidHeaders, jniHeader, "/usr/include/EGL/egl.h", "/usr/include/GLES2/gl2.h", "/usr/include/KHR"} {
		if _, err := os.Stat(path); err != nil {
			return toolchain{}, errNoNDK
		}
	}
	root, err := filepath.Abs(standIn)
	if err != nil {
		return toolchain{}, err
	}
	state, err := standInState()
	if err != nil {
		return toolchain{}, err
	}
	return toolchain{root: root, strip: "llvm-strip", state: state}, makeStandIn(root)
}

// standInState is a hash of what the stand-in is made of. As a flag of the
// compiler's it tells Go's build cache of changes.
func standInState() (string, error) {
	files, err := filepath.Glob(filepath.Join(source, "ndk", "*"))
	if err != nil {
		return "", err
	}
	h := fnv.New32a()
	for _, f := range append(files, filepath.Join(source, "ndk.go")) {
		data, err := os.ReadFile(f)
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

// targets are the compilers that Fyne's tool looks for.
var targets = []string{"aarch64-linux-android", "armv7a-linux-androideabi", "i686-linux-android", "x86_64-linux-android"}

// libcHeaders all are libc.h.
var libcHeaders = []string{
	"arpa/nameser.h", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "grp.h", "netdb.h", "netinet/in.h", "pthread.h",
	"resolv.h", "signal.h", "stdio.h", "stdlib.h", "string.h", "sys/cdefs.h", "sys/mman.h", "sys/socket.h",
	"sys/stat.h", "sys/types.h", "time.h", "unistd.h",
}

// makeStandIn lays out under root what Fyne's tool expects of an NDK: compilers
// that see Debian's Android headers, libc.h in place of the C library's, and
// stubs of the libraries with the symbols of symbols.txt alone. Undeclared
// functions and undefined symbols are errors.
func makeStandIn(root string) error {
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	ndk, err := filepath.Abs(filepath.Join(source, "ndk"))
	if err != nil {
		return err
	}
	include := filepath.Join(root, "include")
	links := map[string]string{
		"jni.h": jniHeader, "EGL": "/usr/include/EGL", "GLES2": "/usr/include/GLES2", "KHR": "/usr/include/KHR",
		"android/native_window.h": filepath.Join(ndk, "native_window.h"),
	}
	for _, h := range libcHeaders {
		links[h] = filepath.Join(ndk, "libc.h")
	}
	headers, err := filepath.Glob(androidHeaders + "/*.h")
	if err != nil {
		return err
	}
	for _, h := range headers {
		links["android/"+filepath.Base(h)] = h
	}
	for name, target := range links {
		link := filepath.Join(include, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	libraries, err := readSymbols(filepath.Join(ndk, "symbols.txt"))
	if err != nil {
		return err
	}
	for _, target := range targets {
		if err := makeCompiler(root, target, libraries); err != nil {
			return err
		}
	}
	nm, err := exec.LookPath("llvm-nm")
	if err != nil {
		return err
	}
	return os.Symlink(nm, filepath.Join(bin(root), "llvm-nm"))
}

func bin(root string) string { return filepath.Join(root, "toolchains/llvm/prebuilt/linux-x86_64/bin") }

// makeCompiler writes one architecture's stub libraries and its clang.
func makeCompiler(root, target string, libraries []library) error {
	lib := filepath.Join(root, "lib", target)
	if err := os.MkdirAll(lib, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(bin(root), 0o755); err != nil {
		return err
	}
	for _, l := range libraries {
		assembly := filepath.Join(lib, l.name+".s")
		if err := os.WriteFile(assembly, []byte(l.stub(is64(target))), 0o644); err != nil {
			return err
		}
		if err := command("clang", "--target="+target+"21", "-nostdlib", "-shared", "-fuse-ld=lld", "-Wl,-soname,"+l.name,
			"-o", filepath.Join(lib, l.name), assembly); err != nil {
			return err
		}
	}
	flags := "-nostdlibinc -isystem " + root + "/include -Werror=implicit-function-declaration -Werror=implicit-int"
	if strings.HasPrefix(target, "i686") {
		flags += " -mstackrealign" // API level 21 has processes with a stack aligned to 4
	}
	wrapper := fmt.Sprintf("#!/bin/sh\nexec clang --target=%s21 %s -fuse-ld=lld -nostdlib -L%s -Wno-unused-command-line-argument"+
		" -Wl,--no-undefined -Wl,--as-needed \"$@\" -lc -ldl\n", target, flags, lib)
	for _, name := range []string{"clang", "clang++"} {
		if err := os.WriteFile(filepath.Join(bin(root), target+"21-"+name), []byte(wrapper), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func is64(target string) bool {
	return strings.HasPrefix(target, "aarch64") || strings.HasPrefix(target, "x86_64")
}

// library is one of Android's, as far as symbols.txt lists it.
type library struct {
	name    string
	symbols []symbol
}

// symbol is a function, or with sizes, in bytes, an object.
type symbol struct {
	name           string
	size64, size32 int
}

// stub is assembly of the library's symbols, in nobody's instructions.
func (l library) stub(is64 bool) string {
	var b strings.Builder
	for _, s := range l.symbols {
		kind, size := "function", s.size32
		if size > 0 {
			kind = "object"
		}
		if is64 {
			size = s.size64
		}
		fmt.Fprintf(&b, ".globl %[1]s\n.type %[1]s,%%%[2]s\n.size %[1]s,%[3]d\n%[1]s:\n.zero %[3]d\n", s.name, kind, size)
	}
	return b.String()
}

// readSymbols reads symbols.txt: a library, then its symbols.
func readSymbols(path string) ([]library, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var libraries []library
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case strings.HasSuffix(words[0], ".so"):
			libraries = append(libraries, library{name: words[0]})
		default:
			s := symbol{name: words[0]}
			if len(words) == 3 {
				s.size64, _ = strconv.Atoi(words[1])
				s.size32, _ = strconv.Atoi(words[2])
			}
			last := &libraries[len(libraries)-1]
			last.symbols = append(last.symbols, s)
		}
	}
	return libraries, nil
}
