package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The committed manifest has the version of FyneApp.toml. Its versionCode may be
// behind: Fyne's tool counts up Build with each package, and `go generate`
// copies it.
func TestVersions(t *testing.T) {
	t.Chdir("../..")
	app, err := readApp("FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	attribute := func(name string) string {
		m := regexp.MustCompile(`android:` + name + `="(.*?)"`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s has no %s", manifestFile, name)
		}
		return string(m[1])
	}
	code, err := strconv.Atoi(attribute("versionCode"))
	build, _ := strconv.Atoi(app.Build)
	if err != nil || code < 1 || code > build || attribute("versionName") != app.Version {
		t.Errorf("%s has version %s (%d), FyneApp.toml %s (%s): run go generate", manifestFile,
			attribute("versionName"), code, app.Version, app.Build)
	}
	if got := string(withVersion(text, "7.8.9", "10")); !strings.Contains(got, `android:versionName="7.8.9"`) ||
		!strings.Contains(got, `android:versionCode="10"`) || strings.Count(got, "7.8.9") != 1 {
		t.Errorf("with another version the manifest is\n%s", got)
	}
}

// tree is a binary manifest as aapt shows it.
func tree(t *testing.T, manifest []byte) string {
	t.Helper()
	needs(t, "aapt")
	file, err := os.Create(filepath.Join(t.TempDir(), "a.apk"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z := zip.NewWriter(file)
	w, err := z.Create(manifestFile)
	if err == nil {
		_, err = w.Write(manifest)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	tree, err := output("aapt", "dump", "xmltree", file.Name(), manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// What make apk packages is whole, and in the order that Android wants.
func TestPackagedManifest(t *testing.T) {
	t.Chdir("../..")
	app := app{Name: "Parley", ID: "org.parley.chat", Version: "1.2.3", Build: "45"}
	manifest, err := packagedManifest(app, "1.2.3+nondk")
	if err != nil {
		t.Fatal(err)
	}
	found, hidden := seen(tree(t, manifest))
	if len(hidden) > 0 {
		t.Errorf("Android does not see %q", hidden)
	}
	for name, want := range map[string]string{
		"manifest/versionName": "1.2.3+nondk", "manifest/versionCode": "0x2d",
		"uses-sdk/minSdkVersion": "0x15", "uses-sdk/targetSdkVersion": "0x1d",
		"application/label": "Parley", "application/icon": "@0x7f010000", "application/allowBackup": "0x0",
		"application/enableOnBackInvokedCallback": "0x0", "application/debuggable": "",
		"activity/name": "org.golang.app.GoNativeActivity", "activity/exported": "0xffffffff",
		"activity/configChanges": "0x5000ffff", "activity/windowSoftInputMode": "0x10", "activity/theme": "@0x7f020000",
		"activity 2/name": "org.parley.chat.Link", "activity 2/exported": "0xffffffff", "activity 2/theme": "@0x01030055",
		"activity 2/excludeFromRecents": "0xffffffff", "activity 2/noHistory": "0xffffffff",
		"action 2/name": "android.intent.action.VIEW", "category 3/name": "android.intent.category.BROWSABLE", "data/scheme": "parley",
		"action 3/name": "android.intent.action.SEND", "data 2/mimeType": "text/plain",
		"meta-data/value": "Parley", "category/name": "android.intent.category.LAUNCHER",
	} {
		if found[name] != want {
			t.Errorf("%s is %q, not %q", name, found[name], want)
		}
	}
}

// What binary XML has no room for here is refused, by its name.
func TestEncodeRefuses(t *testing.T) {
	for _, test := range []struct{ xml, want string }{
		{`<a xmlns:android="` + androidSpace + `" android:persistent="true" />`, "android:persistent"},
		{`<a xmlns:android="` + androidSpace + `" android:configChanges="locale|weather" />`, "locale|weather"},
		{`<a xmlns:android="` + androidSpace + `" android:versionCode="one" />`, "android:versionCode"},
		{`<a xmlns:android="` + androidSpace + `" android:exported="yes" />`, "android:exported"},
		{`<a xmlns:android="` + androidSpace + `" android:theme="@style/Other" />`, "@style/Other"},
	} {
		root, err := parseXML([]byte(test.xml))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := encodeXML(root); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v", test.xml, err)
		}
	}
	for _, text := range []string{"", "<a>", "<a/><b/>"} {
		if _, err := parseXML([]byte(text)); err == nil {
			t.Errorf("%q is read as XML with one element", text)
		}
	}
}

// An attribute after one with a higher ID is one that Android does not see.
func TestSeen(t *testing.T) {
	found, hidden := seen(`  E: application (line=1)
    A: android:allowBackup(0x01010280)=(type 0x12)0x0
    A: android:label(0x01010001)="Say (Raw: \"x\")" (Raw: "Say")
    E: activity (line=2)
      A: android:theme(0x01010000)=@0x0103012c
      A: android:label(0x01010001)="Parley" (Raw: "Parley")
`)
	if len(hidden) != 1 || hidden[0] != "application/label" {
		t.Errorf("hidden are %q", hidden)
	}
	if found["activity/theme"] != "@0x0103012c" || found["activity/label"] != "Parley" || found["application/allowBackup"] != "0x0" {
		t.Errorf("found are %q", found)
	}
}
