package main

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"parley/client/android/fortests/ndk"
)

const (
	source = "client/android" // this program's folder
	fyne   = "fyne.io/tools/cmd/fyne@v1.7.4"
	tags   = "migrated_fynedo,no_emoji"
)

// abis are Android's names of Go's architectures.
var abis = map[string]string{"arm64": "arm64-v8a", "arm": "armeabi-v7a", "amd64": "x86_64", "386": "x86"}

// build makes an APK of one of Go's architectures, or of all, and returns its
// path.
func build(app app, arch string) (string, error) {
	target, suffix := "android/"+arch, arch
	switch arch {
	case "all":
		target, suffix = "android", "universal"
	case "amd64":
		suffix = abis[arch]
	case "arm64", "arm", "386":
	default:
		return "", fmt.Errorf("%s is no architecture of Android", arch)
	}
	tools, err := findToolchain()
	if err != nil {
		return "", err
	}
	sdk, err := findSigning()
	if err != nil {
		return "", err
	}
	packaged, err := fynePackage(app, tools, target)
	if err != nil {
		return "", err
	}
	defer os.Remove(packaged)

	work, err := os.MkdirTemp("", "parley-apk-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	small, aligned := filepath.Join(work, "small.apk"), filepath.Join(work, "aligned.apk")
	if err := repack(packaged, small, tools.strip, work); err != nil {
		return "", err
	}
	if err := command(sdk.zipalign, "-f", "-p", "4", small, aligned); err != nil {
		return "", err
	}
	if err := os.MkdirAll("dist", 0o755); err != nil {
		return "", err
	}
	file := filepath.Join("dist", "parley-"+app.Version+"-"+suffix+".apk")
	return file, sdk.sign(aligned, file)
}

// fynePackage has Fyne's tool package client/ and returns the APK that it
// leaves there.
func fynePackage(app app, tools toolchain, target string) (string, error) {
	const manifest = "client/AndroidManifest.xml"
	text, err := renderManifest(app, tools.real)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(manifest, text, 0o644); err != nil {
		return "", err
	}
	defer os.Remove(manifest)
	defer os.Remove("client/fyne_metadata_init.go") // the tool's own, left behind when it is interrupted

	args := []string{"run", fyne, "package", "-os", target, "--release", "--icon", "../" + app.Icon, "--app-id", app.ID,
		"--name", app.Name, "--app-version", app.Version, "--app-build", app.Build, "--tags", tags}
	env := []string{"ANDROID_NDK_HOME=" + tools.root, "CGO_LDFLAGS=-Wl,-z,max-page-size=16384"} // pages of 16 KiB since Android 15
	fmt.Println("cd client && env", "'"+strings.Join(env, "' '")+"'", "go", strings.Join(args, " "))
	cmd := exec.Command("go", args...)
	cmd.Dir = "client"
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("fyne package: %w", err)
	}
	return filepath.Join("client", app.Name+".apk"), nil
}

// toolchain is an NDK: Google's, or the stand-in.
type toolchain struct {
	root  string
	strip string
	real  bool
}

// findToolchain takes the NDK of ANDROID_NDK_HOME, and otherwise makes one from
// Debian's packages.
func findToolchain() (toolchain, error) {
	root, real := os.Getenv("ANDROID_NDK_HOME"), true
	if root == "" {
		var err error
		if root, err = ndk.Make("build/ndk"); errors.Is(err, ndk.ErrMissing) {
			return toolchain{}, fmt.Errorf("%w\nSet ANDROID_NDK_HOME (developer.android.com/ndk), or have `make apk` name the packages"+
				" for a test build. Nothing was changed", err)
		} else if err != nil {
			return toolchain{}, err
		}
		real = false
	}
	found, _ := filepath.Glob(filepath.Join(root, "toolchains/llvm/prebuilt/*/bin/llvm-strip*"))
	if len(found) == 0 {
		return toolchain{}, fmt.Errorf("ANDROID_NDK_HOME=%s holds no NDK", root)
	}
	return toolchain{root, found[0], real}, nil
}

// repack copies an APK without its signature: the manifest mended, the libraries
// stripped, which Fyne's tool can't as it looks at their symbols, and everything
// compressed but the resource table, which Android maps into memory.
func repack(from, to, strip, work string) error {
	in, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer in.Close()
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	out := zip.NewWriter(file)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, f := range in.File {
		if strings.HasPrefix(f.Name, "META-INF/") {
			continue
		}
		data, err := readEntry(f)
		if err != nil {
			return err
		}
		if strings.HasSuffix(f.Name, ".so") {
			if data, err = stripped(data, strip, work); err != nil {
				return err
			}
		}
		if f.Name == "AndroidManifest.xml" {
			if err := mendManifest(data); err != nil {
				return err
			}
		}
		method := zip.Deflate
		if f.Name == "resources.arsc" {
			method = zip.Store
		}
		w, err := out.CreateHeader(&zip.FileHeader{Name: f.Name, Method: method})
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return file.Close()
}

func readEntry(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func stripped(library []byte, strip, work string) ([]byte, error) {
	path := filepath.Join(work, "stripped.so")
	if err := os.WriteFile(path, library, 0o644); err != nil {
		return nil, err
	}
	if err := command(strip, path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// signing are the programs and the key that finish an APK.
type signing struct {
	zipalign, apksigner, keystore, pass string
}

// testKeystore is made when no keystore is given. Like Android's debug.keystore
// its password is no secret, and it outlives `make clean`: Android updates an
// app only with the key that it was installed with.
const (
	testKeystore = source + "/test.keystore"
	testPass     = "parley"
)

// findSigning looks for the programs, and makes a key unless PARLEY_KEYSTORE
// and PARLEY_KEYSTORE_PASS name one.
func findSigning() (signing, error) {
	s := signing{keystore: os.Getenv("PARLEY_KEYSTORE"), pass: os.Getenv("PARLEY_KEYSTORE_PASS")}
	var err error
	if s.zipalign, err = buildTool("zipalign"); err != nil {
		return s, err
	}
	if s.apksigner, err = buildTool("apksigner"); err != nil {
		return s, err
	}
	if _, err = buildTool("aapt"); err != nil { // for the check at the end
		return s, err
	}
	if s.keystore != "" {
		_, err := os.Stat(s.keystore)
		return s, err
	}
	s.keystore, s.pass = testKeystore, testPass
	if _, err := os.Stat(testKeystore); err == nil {
		return s, nil
	}
	fmt.Println("Signing with a new key of its own:", testKeystore)
	return s, command("keytool", "-genkeypair", "-keystore", testKeystore, "-storetype", "PKCS12", "-storepass", testPass,
		"-alias", "parley", "-keyalg", "RSA", "-keysize", "3072", "-validity", "10000", "-dname", "CN=Parley test")
}

// buildTool finds one of the SDK's build tools: on the path, or in the newest
// of ANDROID_HOME.
func buildTool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	suffix := map[bool]string{true: "*"}[runtime.GOOS == "windows"] // .exe, .bat
	found, _ := filepath.Glob(filepath.Join(os.Getenv("ANDROID_HOME"), "build-tools", "*", name+suffix))
	if len(found) == 0 {
		return "", fmt.Errorf("%s is not there: add the SDK's build-tools to PATH or set ANDROID_HOME. Nothing was changed", name)
	}
	return slices.Max(found), nil
}

// sign signs an APK by all schemes that its minSdkVersion calls for: v1, v2, v3.
func (s signing) sign(from, to string) error {
	cmd := exec.Command(s.apksigner, "sign", "--ks", s.keystore, "--ks-pass", "env:PARLEY_KEYSTORE_PASS",
		"--v1-signing-enabled", "true", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true", "--out", to, from)
	cmd.Env = append(os.Environ(), "PARLEY_KEYSTORE_PASS="+s.pass)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apksigner: %w\n%s", err, out)
	}
	return os.RemoveAll(to + ".idsig") // of scheme v4, for incremental installs
}
