package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// sdk are the programs of Android's SDK that finish an APK, Android's own
// resources, and the key that signs it.
type sdk struct {
	zipalign, apksigner, aapt2 string
	framework                  string
	keystore, pass             string
}

// testKeystore is made when no keystore is given. Like Android's debug.keystore
// its password is no secret, and it outlives `make clean`: Android updates an
// app only with the key that it was installed with.
const (
	testKeystore = source + "/test.keystore"
	testPass     = "parley"
)

// findSDK looks for the programs, and makes a key unless PARLEY_KEYSTORE and
// PARLEY_KEYSTORE_PASS name one.
func findSDK() (sdk, error) {
	s := sdk{keystore: os.Getenv("PARLEY_KEYSTORE"), pass: os.Getenv("PARLEY_KEYSTORE_PASS")}
	var err error
	for name, path := range map[string]*string{
		"zipalign": &s.zipalign, "apksigner": &s.apksigner, "aapt2": &s.aapt2,
		"aapt": new(string), // for the check at the end
	} {
		if *path, err = buildTool(name); err != nil {
			return s, err
		}
	}
	if s.framework, err = framework(); err != nil {
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
func (s sdk) sign(from, to string) error {
	cmd := exec.Command(s.apksigner, "sign", "--ks", s.keystore, "--ks-pass", "env:PARLEY_KEYSTORE_PASS",
		"--v1-signing-enabled", "true", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true", "--out", to, from)
	cmd.Env = append(os.Environ(), "PARLEY_KEYSTORE_PASS="+s.pass)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apksigner: %w\n%s", err, out)
	}
	return os.RemoveAll(to + ".idsig") // of scheme v4, for incremental installs
}
