package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// manifestFile is what Fyne's tool takes as it is, and what is completed here.
const manifestFile = "AndroidManifest.xml"

// syncManifest copies the version from FyneApp.toml into the manifest. Fyne's
// tool, which counts Build up, does not.
func syncManifest(app app) error {
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		return err
	}
	return os.WriteFile(manifestFile, withVersion(text, app.Version, app.Build), 0o644)
}

func withVersion(manifest []byte, name, code string) []byte {
	for attribute, value := range map[string]string{"versionName": name, "versionCode": code} {
		manifest = regexp.MustCompile(`(\sandroid:`+attribute+`=").*?"`).ReplaceAll(manifest, []byte("${1}"+value+`"`))
	}
	return manifest
}

// wholeManifest is the manifest with what Fyne's tool can't package: the
// attributes of the namespace tools are Android's.
func wholeManifest(app app, version string) ([]byte, error) {
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		return nil, err
	}
	text = regexp.MustCompile(`\s+xmlns:tools=".*?"`).ReplaceAll(text, nil)
	text = bytes.ReplaceAll(text, []byte("\ttools:"), []byte("\tandroid:"))
	return withVersion(text, version, app.Build), nil
}

// releaseFolder is the folder that `fyne release` works in. That wants the SDK, knows
// all that the SDK does, and targets its newest Android.
const releaseFolder = "build/_release"

// stageRelease makes the folder: the app with the whole manifest, and a
// FyneApp.toml whose splash is in the ground of the app's pages.
func stageRelease(app app) error {
	manifest, err := wholeManifest(app, app.Version)
	if err != nil {
		return err
	}
	manifest = regexp.MustCompile(`android:theme=".*?"`).ReplaceAll(manifest, []byte(`android:theme="@style/SplashTheme"`))
	manifest = bytes.Replace(manifest, []byte("<application"), []byte("<application\n\t\tandroid:icon=\"@mipmap/ic_launcher\""), 1)
	files := map[string][]byte{manifestFile: manifest}
	for from, to := range map[string]string{"main.go": "main.go", "FyneApp.toml": "FyneApp.toml", app.Icon: "icon.png"} {
		if files[to], err = os.ReadFile(from); err != nil {
			return err
		}
	}
	toml := bytes.Replace(files["FyneApp.toml"], []byte(app.Icon), []byte("icon.png"), 1)
	files["FyneApp.toml"] = append(toml, "\n[Splash]\nBackground = \"#F2F3F8\"\n"...)
	for name, data := range files {
		if err := write(filepath.Join(releaseFolder, name), data); err != nil {
			return err
		}
	}
	return nil
}

// packagedManifest is the whole manifest, in binary, with what Fyne's tool adds
// to it, the icon and the versions of Android, and the activity that takes links.
func packagedManifest(app app, version string) ([]byte, error) {
	text, err := wholeManifest(app, version)
	if err != nil {
		return nil, err
	}
	root, err := parseXML(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestFile, err)
	}
	application := root.child("application")
	if application == nil {
		return nil, fmt.Errorf("%s has no application", manifestFile)
	}
	application.set("icon", "@mipmap/icon")
	application.child("activity").set("theme", "@style/Ground")
	link, err := parseXML(linkManifest)
	if err != nil {
		return nil, fmt.Errorf("link.xml: %w", err)
	}
	application.children = append(application.children, link)
	sdk := &element{name: "uses-sdk"}
	sdk.set("minSdkVersion", "21")
	sdk.set("targetSdkVersion", "29") // of what Fyne's tool packages, and was tried with
	root.children = append([]*element{sdk}, root.children...)
	return encodeXML(root)
}
