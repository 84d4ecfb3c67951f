package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"parley/client/android/fortests/ndk"
)

// What an APK must be.
const (
	maxPerABI = 12_000_000 // bytes
	pageSize  = 16 << 10   // of memory, in bytes, since Android 15
)

var wantPermissions = []string{"android.permission.ACCESS_LOCAL_NETWORK", "android.permission.ACCESS_NETWORK_STATE", "android.permission.CHANGE_WIFI_MULTICAST_STATE", "android.permission.INTERNET", "android.permission.POST_NOTIFICATIONS"}

// check says everything that is wrong with an APK.
func check(app app, file string) error {
	aapt, err := buildTool("aapt")
	if err != nil {
		return err
	}
	badging, err := output(aapt, "dump", "badging", file)
	if err != nil {
		return err
	}
	tree, err := output(aapt, "dump", "xmltree", file, "AndroidManifest.xml")
	if err != nil {
		return err
	}
	// What may be needed of Android is known of the stand-in's builds; an NDK's
	// linker has looked by itself.
	strict := strings.Contains(badging, "+nondk'")
	return errors.Join(checkManifest(app, badging, tree), checkSignature(file), checkFiles(file, strict))
}

// checkManifest looks at what Android reads before it starts the app.
func checkManifest(app app, badging, tree string) error {
	var errs []error
	for _, line := range []string{
		fmt.Sprintf("package: name='%s' versionCode='%s' versionName='%s", app.ID, app.Build, app.Version),
		"sdkVersion:'21'",
		fmt.Sprintf("application-label:'%s'", app.Name),
		"launchable-activity: name='org.golang.app.GoNativeActivity'",
		"application-icon-",
	} {
		if !strings.Contains("\n"+badging, "\n"+line) {
			errs = append(errs, fmt.Errorf("the manifest has no %s", line))
		}
	}
	if strings.Contains(badging, "application-debuggable") {
		errs = append(errs, errors.New("it is debuggable"))
	}
	if got := permissions(badging); !slices.Equal(got, wantPermissions) {
		errs = append(errs, fmt.Errorf("it asks for the permissions %v, not for %v", got, wantPermissions))
	}
	found, hidden := seen(tree)
	for _, name := range hidden {
		errs = append(errs, fmt.Errorf("%s is not seen by Android", name))
	}
	for name, want := range map[string]string{
		"application/label": app.Name, "application/icon": reference("@mipmap/icon"), "application/allowBackup": "0x0",
		"application/enableOnBackInvokedCallback": "0x0", "activity/theme": reference("@style/Ground"),
		"activity/configChanges": "0x5000ffff", "activity/windowSoftInputMode": "0x10", "activity/exported": "0xffffffff",
		"activity 2/name": "org.parley.chat.Link", "activity 2/exported": "0xffffffff", "activity 2/theme": "@0x01030055",
		"action 2/name": "android.intent.action.VIEW", "data/scheme": "parley",
		"action 3/name": "android.intent.action.SEND", "data 2/mimeType": "text/plain",
	} {
		if found[name] != want {
			errs = append(errs, fmt.Errorf("the manifest's %s is %q, not %q", name, found[name], want))
		}
	}
	return errors.Join(errs...)
}

func permissions(badging string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^uses-permission: name='(.*?)'`).FindAllStringSubmatch(badging, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

func reference(name string) string { return fmt.Sprintf("@%#x", references[name]) }

// seen gives the attributes that Android finds in a manifest as aapt shows it,
// by element and name, and those that it does not. The second activity is "activity 2". It looks for each in the
// order of their IDs and never goes back (RetrieveAttributes in androidfw).
func seen(tree string) (found map[string]string, hidden []string) {
	line := regexp.MustCompile(`^\s*(?:E: ([\w-]+)|A: android:(\w+)\((0x\w+)\)=(?:"(.*)" \(Raw.*|\(type \w+\))?(\S*))`)
	found = make(map[string]string)
	count := make(map[string]int)
	var element, last string
	for l := range strings.Lines(tree) {
		switch m := line.FindStringSubmatch(l); {
		case m == nil:
		case m[1] != "":
			element, last = m[1], ""
			if count[m[1]]++; count[m[1]] > 1 {
				element = fmt.Sprintf("%s %d", m[1], count[m[1]])
			}
		case m[3] < last:
			hidden = append(hidden, element+"/"+m[2])
		default:
			found[element+"/"+m[2]], last = m[4]+m[5], m[3]
		}
	}
	return found, hidden
}

// checkSignature looks at how the file is signed and aligned.
func checkSignature(file string) error {
	apksigner, err := buildTool("apksigner")
	if err != nil {
		return err
	}
	zipalign, err := buildTool("zipalign")
	if err != nil {
		return err
	}
	verified, err := output(apksigner, "verify", "--verbose", file)
	if err != nil {
		return err
	}
	var errs []error
	for _, scheme := range []string{"v1 scheme (JAR signing)", "v2 scheme (APK Signature Scheme v2)", "v3 scheme (APK Signature Scheme v3)"} {
		if !strings.Contains(verified, "Verified using "+scheme+": true") {
			errs = append(errs, fmt.Errorf("it is not signed by the %s", scheme))
		}
	}
	return errors.Join(append(errs, command(zipalign, "-c", "-p", "4", file))...)
}

// checkFiles looks at the libraries and the code in the file.
func checkFiles(file string, strict bool) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer z.Close()
	var errs []error
	var n int
	var code []byte
	for _, f := range z.File {
		if f.Name == linkEntry {
			if code, err = readEntry(f); err != nil {
				return err
			}
		}
		if !strings.HasSuffix(f.Name, ".so") {
			continue
		}
		n++
		data, err := readEntry(f)
		if err == nil {
			err = checkLibrary(data, strict)
		}
		if f.CompressedSize64 > maxPerABI {
			err = errors.Join(err, fmt.Errorf("%d bytes are more than %d", f.CompressedSize64, maxPerABI))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name, err))
		}
	}
	if err := checkDex(code); err != nil {
		errs = append(errs, err)
	}
	if n == 0 {
		errs = append(errs, errors.New("it holds no library"))
	}
	return errors.Join(errs...)
}

// checkLibrary says what would keep Android from loading a library; strictly,
// also what it needs beyond symbols.txt.
func checkLibrary(data []byte, strict bool) error {
	libraries, err := ndk.Libraries()
	if err != nil {
		return err
	}
	want, allowed := make(map[string]bool), make(map[string]bool)
	for _, l := range libraries {
		want[l.Name] = true
		for _, s := range l.Symbols {
			allowed[s.Name] = true
		}
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return err
	}
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	needed, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	slices.Sort(needed)
	if strict && !slices.Equal(needed, slices.Sorted(maps.Keys(want))) {
		fault("it needs %v, not %v", needed, slices.Sorted(maps.Keys(want)))
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return err
	}
	defined := make(map[string]bool)
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			defined[s.Name] = true
		} else if strict && !allowed[s.Name] {
			fault("it needs %s, which is not on the list", s.Name)
		}
	}
	for _, name := range []string{"ANativeActivity_onCreate", "JNI_OnLoad", "main.main"} {
		if !defined[name] {
			fault("%s is missing", name)
		}
	}
	if f.Section(".symtab") != nil {
		fault("it is not stripped")
	}
	if relocated, err := f.DynValue(elf.DT_TEXTREL); err != nil || len(relocated) > 0 {
		fault("it has text relocations (%v)", err)
	}
	for _, flags := range must(f.DynValue(elf.DT_FLAGS)) {
		if elf.DynFlag(flags)&elf.DF_TEXTREL != 0 {
			fault("it has text relocations")
		}
	}
	for _, p := range f.Progs {
		switch {
		case p.Type == elf.PT_LOAD && f.Class == elf.ELFCLASS64 && p.Align < pageSize:
			fault("a segment is aligned to %#x, not to %#x", p.Align, pageSize)
		case p.Type == elf.PT_LOAD && p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X:
			fault("a segment is writable and executable")
		}
	}
	return errors.Join(errs...)
}

func must[T any](v T, _ error) T { return v }
