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
	"strings"

	"parley/client/android/fortests/ndk"
)

const (
	source = "client/android" // this program's folder
	fyne   = "fyne.io/tools/cmd/fyne@v1.7.4"
	tags   = "migrated_fynedo,no_emoji"   // makes it 4 MB smaller, without Fyne's checks and its old emoji
	pages  = "-Wl,-z,max-page-size=16384" // of memory, since Android 15; the NDK's own since r28
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
	sdk, err := findSDK()
	if err != nil {
		return "", err
	}
	version := app.Version
	if !tools.real {
		version += "+nondk"
	}
	manifest, err := packagedManifest(app, version)
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
	resources, small, aligned := filepath.Join(work, "res.apk"), filepath.Join(work, "small.apk"), filepath.Join(work, "aligned.apk")
	if err := sdk.compileResources(app, resources, work); err != nil {
		return "", err
	}
	if err := repack(packaged, resources, manifest, small, tools.strip); err != nil {
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

// stage is the folder in which Fyne's tool packages for make apk. There it
// neither counts up Build in FyneApp.toml nor packages all of assets/. Go's
// patterns leave out a folder with such a name.
const stage = "build/_apk"

// fynePackage has Fyne's tool package the app and returns its APK.
func fynePackage(app app, tools toolchain, target string) (string, error) {
	if err := os.RemoveAll(stage); err != nil { // of a build that was interrupted
		return "", err
	}
	for _, name := range []string{"main.go", manifestFile} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := write(filepath.Join(stage, name), data); err != nil {
			return "", err
		}
	}
	args := []string{"run", fyne, "package", "-os", target, "--release", "--icon", "../../" + app.Icon, "--app-id", app.ID,
		"--name", app.Name, "--app-version", app.Version, "--app-build", app.Build, "--tags", tags}
	env := []string{"ANDROID_NDK_HOME=" + tools.root, "CGO_LDFLAGS=" + pages}
	fmt.Println("cd", stage, "&& env", "'"+strings.Join(env, "' '")+"'", "go", strings.Join(args, " "))
	cmd := exec.Command("go", args...)
	cmd.Dir = stage
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("fyne package: %w", err)
	}
	return filepath.Join(stage, app.Name+".apk"), nil
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
	root := os.Getenv("ANDROID_NDK_HOME")
	if root == "" {
		var err error
		if root, err = ndk.Make("build/ndk"); errors.Is(err, ndk.ErrMissing) {
			return toolchain{}, fmt.Errorf("%w\nSet ANDROID_NDK_HOME (developer.android.com/ndk), or have `make apk` name the packages"+
				" for a test build. Nothing was changed", err)
		} else if err != nil {
			return toolchain{}, err
		}
	}
	_, err := os.Stat(filepath.Join(root, ndk.Mark))
	found, _ := filepath.Glob(filepath.Join(root, "toolchains/llvm/prebuilt/*/bin/llvm-strip*"))
	if len(found) == 0 {
		return toolchain{}, fmt.Errorf("ANDROID_NDK_HOME=%s holds no NDK", root)
	}
	return toolchain{root, found[0], err != nil}, nil
}

// repack makes an APK without a signature of the libraries and the code of one,
// the resources of another, and a manifest: the libraries stripped, which Fyne's
// tool can't as it looks at their symbols, and everything compressed but the
// resource table, which Android maps into memory. It adds the code that takes links.
func repack(packaged, resources string, manifest []byte, to, strip string) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	out := zip.NewWriter(file)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	add := func(name string, data []byte) error {
		method := zip.Deflate
		if name == "resources.arsc" {
			method = zip.Store
		}
		w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	if err := add(manifestFile, manifest); err != nil {
		return err
	}
	if err := each(resources, isResource, add); err != nil {
		return err
	}
	isCode := func(f *zip.File) bool {
		return f.Name != manifestFile && !isResource(f) && !strings.HasPrefix(f.Name, "META-INF/")
	}
	if err := each(packaged, isCode, func(name string, data []byte) error {
		if strings.HasSuffix(name, ".so") {
			if data, err = stripped(data, strip); err != nil {
				return err
			}
		}
		return add(name, data)
	}); err != nil {
		return err
	}
	if err := add(linkEntry, linkDex); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return file.Close()
}

// each calls f with the files of an archive that are wanted.
func each(archive string, wanted func(*zip.File) bool, f func(name string, data []byte) error) error {
	in, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer in.Close()
	for _, entry := range in.File {
		if !wanted(entry) {
			continue
		}
		data, err := readEntry(entry)
		if err != nil {
			return err
		}
		if err := f(entry.Name, data); err != nil {
			return err
		}
	}
	return nil
}

func readEntry(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func stripped(library []byte, strip string) ([]byte, error) {
	file, err := os.CreateTemp("", "parley-*.so")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(library)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if err := command(strip, file.Name()); err != nil {
		return nil, err
	}
	return os.ReadFile(file.Name())
}

// write writes a file and makes its folder.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
