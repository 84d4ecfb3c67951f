package main

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// references are the resources that the manifest names.
var references = map[string]uint32{"@mipmap/icon": 0x7f010000, "@style/Ground": 0x7f020000}

// androidReferences are those of Android's own resources.
var androidReferences = map[string]uint32{"@android:style/Theme.NoDisplay": 0x01030055}

// debianFramework is Android's own resources, in a package of Debian's.
const debianFramework = "/usr/share/android-framework-res/framework-res.apk"

// framework finds Android's own resources: in ANDROID_HOME, or Debian's.
func framework() (string, error) {
	if found, _ := filepath.Glob(filepath.Join(os.Getenv("ANDROID_HOME"), "platforms", "android-*", "android.jar")); len(found) > 0 {
		return slices.Max(found), nil
	}
	if _, err := os.Stat(debianFramework); err == nil {
		return debianFramework, nil
	}
	return "", fmt.Errorf("no platform of Android's is there: set ANDROID_HOME to an SDK that has one. Nothing was changed")
}

// compileResources compiles res/ with the icon for Android before 8, and writes
// an APK of these alone to a file.
func (s sdk) compileResources(app app, file, work string) error {
	var ids strings.Builder
	for name, id := range references {
		fmt.Fprintf(&ids, "%s:%s = %#x\n", app.ID, name[1:], id)
	}
	icon, err := os.ReadFile(app.Icon)
	if err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(work, name) }
	if err := os.MkdirAll(at("mipmap-xxxhdpi"), 0o755); err != nil {
		return err
	}
	for name, data := range map[string]string{
		"ids": ids.String(), "mipmap-xxxhdpi/icon.png": string(icon),
		"AndroidManifest.xml": fmt.Sprintf("<manifest package=%q />", app.ID),
	} {
		if err := os.WriteFile(at(name), []byte(data), 0o644); err != nil {
			return err
		}
	}
	if err := command(s.aapt2, "compile", "--dir", filepath.Join(source, "res"), "-o", at("res.zip")); err != nil {
		return err
	}
	if err := command(s.aapt2, "compile", at("mipmap-xxxhdpi/icon.png"), "-o", work); err != nil {
		return err
	}
	return command(s.aapt2, "link", "-I", s.framework, "--manifest", at("AndroidManifest.xml"), "--min-sdk-version", "21",
		"--target-sdk-version", "29", "--stable-ids", at("ids"), "-o", file, at("res.zip"), at("mipmap-xxxhdpi_icon.png.flat"))
}

// isResource tells the files of an APK that compileResources makes from others.
func isResource(f *zip.File) bool {
	return f.Name == "resources.arsc" || strings.HasPrefix(f.Name, "res/")
}
