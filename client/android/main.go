// Command android packages Parley's app as an APK that may be handed out, and
// checks one. It runs in the repository's root:
//
//	go run ./client/android build arm64    dist/parley-VERSION-arm64.apk
//	go run ./client/android build amd64    dist/parley-VERSION-x86_64.apk
//	go run ./client/android build all      dist/parley-VERSION-universal.apk
//	go run ./client/android check FILE…    says what is wrong with an APK
//	go run ./client/android release        build/_release, a folder in which fyne release works
//	go run ./client/android dex            assembles Link.smali into link.dex
//	go run ./client/android manifest       copies the version of FyneApp.toml into AndroidManifest.xml
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	// After an interrupt this waits for Fyne's tool, which gets the same signal.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "android:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || len(args) == 1 && (args[0] == "build" || args[0] == "check") {
		return errors.New("want build ARCHITECTURE, check FILE…, release, dex or manifest")
	}
	app, err := readApp("FyneApp.toml")
	if err != nil {
		return err
	}
	switch args[0] {
	case "build":
		file, err := build(app, args[1])
		if err != nil {
			return err
		}
		return report(app, file)
	case "check":
		for _, file := range args[1:] {
			if err := report(app, file); err != nil {
				return err
			}
		}
		return nil
	case "release":
		return stageRelease(app)
	case "dex":
		return writeDex()
	case "manifest":
		return syncManifest(app)
	}
	return fmt.Errorf("%s is not a command", args[0])
}

// report checks an APK and prints one line on it.
func report(app app, file string) error {
	if err := check(app, file); err != nil {
		return fmt.Errorf("%s:\n%w", file, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %.1f MB, checked\n", file, float64(info.Size())/1e6)
	return nil
}

// app is what FyneApp.toml says of it.
type app struct {
	Name, ID, Version, Build, Icon string
}

// readApp reads the [Details] of a FyneApp.toml.
func readApp(path string) (app, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return app{}, fmt.Errorf("run me in the repository's root: %w", err)
	}
	values := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			values[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	a := app{values["Name"], values["ID"], values["Version"], values["Build"], values["Icon"]}
	for _, v := range []string{a.Name, a.ID, a.Version, a.Build, a.Icon} {
		if v == "" {
			return app{}, fmt.Errorf("%s lacks one of Name, ID, Version, Build and Icon", path)
		}
	}
	return a, nil
}

// command runs a program, and has its output only in the error.
func command(name string, args ...string) error {
	_, err := output(name, args...)
	return err
}

// output is what a program prints.
func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
