package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The activity that takes links: its code, and what the manifest says of it.
// TestLink runs the code.
var (
	//go:embed link.dex
	linkDex []byte
	//go:embed link.xml
	linkManifest []byte
)

const (
	linkSource = source + "/Link.smali"
	linkFile   = source + "/link.dex" // what assemble makes of it
	linkEntry  = "classes2.dex"       // in an APK, next to the code of Fyne's
)

// errNoAssembler tells that nothing assembles Link.smali here.
var errNoAssembler = errors.New("smali is not there: on Debian and Ubuntu `apt install libsmali-java`")

// assemble returns what smali makes of Link.smali.
func assemble() ([]byte, error) {
	if _, err := exec.LookPath("smali"); err != nil {
		return nil, errNoAssembler
	}
	dir, err := os.MkdirTemp("", "parley-dex-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "link.dex")
	said, err := output("smali", "assemble", "--api", "21", "-o", file, linkSource)
	if err != nil {
		return nil, err
	}
	code, err := os.ReadFile(file)
	if err != nil { // smali ends well, whatever it finds
		return nil, fmt.Errorf("smali makes nothing of %s:\n%s", linkSource, said)
	}
	return code, nil
}

// writeDex writes what smali makes of Link.smali where it is committed.
func writeDex() error {
	code, err := assemble()
	if err != nil {
		return err
	}
	return os.WriteFile(linkFile, code, 0o644)
}

// checkDex compares the code in an APK with what is committed, and this with what smali
// makes of its source. Without smali, which an NDK does not need, it says so.
func checkDex(code []byte) error {
	switch made, err := assemble(); {
	case code == nil:
		return fmt.Errorf("it lacks %s, the code that takes links", linkEntry)
	case !bytes.Equal(code, linkDex):
		return fmt.Errorf("its %s is not %s", linkEntry, linkFile)
	case errors.Is(err, errNoAssembler):
		fmt.Printf("Nobody compared %s with its source: %v\n", linkFile, err)
	case err != nil:
		return err
	case !bytes.Equal(made, linkDex):
		return fmt.Errorf("%s is not made from %s: run `go run ./client/android dex`", linkFile, linkSource)
	}
	return nil
}
