package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"text/template"

	"parley/shared"
)

// What install puts where, and what the service uses.
const (
	installedProgram = "/usr/local/bin/parley-server"
	unitName         = "parley-server.service"
	installedUnit    = "/etc/systemd/system/" + unitName
	serviceSettings  = "/etc/parley-server.env"
	serviceData      = "/var/lib/parley" // a link to the folder in private, as DynamicUser has it
	privateData      = "/var/lib/private/parley"
)

func installCommand() command {
	h, s, printed, replace := &host{}, service{}, false, false
	return command{
		name: "install", about: "Installs the server as a systemd service that starts with the computer.", noLog: true,
		flags: func(f *flag.FlagSet) {
			f.IntVar(&s.port, "port", defaultPort(), "`port` to listen on")
			f.BoolVar(&s.captive, "captive", false, "have the service answer the checks of phones on port 80; see docs/access-point.md")
			f.BoolVar(&printed, "print", false, "print the unit and install nothing")
			f.BoolVar(&replace, "replace", false, "replace a program or unit that is already there and differs")
			f.StringVar(&h.root, "root", "", "install into the system below this `folder`, and start nothing")
		},
		run: func(ctx context.Context, _ string, _ []string, stdout, _ io.Writer) error {
			if s.port < 1 || s.port > 65535 {
				return fmt.Errorf("--port takes a number from 1 to 65535: %w", errUsage)
			}
			if s.captive && s.port == captivePort {
				return fmt.Errorf("--captive needs port %d for itself: choose another with --port: %w", captivePort, errUsage)
			}
			if printed {
				_, err := stdout.Write(s.unit())
				return err
			}
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("this program can't find its own file: %w", err)
			}
			again := quote(program) + " install"
			if s.port != defaultPort() {
				again += " --port " + strconv.Itoa(s.port)
			}
			if s.captive {
				again += " --captive"
			}
			if replace {
				again += " --replace"
			}
			if err := h.check(again, os.Geteuid()); err != nil {
				return err
			}
			return h.install(ctx, program, s, replace, again, stdout)
		},
	}
}

func uninstallCommand() command {
	h := &host{}
	return command{
		name: "uninstall", about: "Removes the service that install made, and leaves the log.", noLog: true,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&h.root, "root", "", "uninstall from the system below this `folder`")
		},
		run: func(ctx context.Context, _ string, _ []string, stdout, _ io.Writer) error {
			program, err := os.Executable()
			if err != nil {
				program = "parley-server"
			}
			if err := h.check(quote(program)+" uninstall", os.Geteuid()); err != nil {
				return err
			}
			return h.uninstall(ctx, stdout)
		},
	}
}

func defaultPort() int {
	n, _ := strconv.Atoi(shared.DefaultPort)
	return n
}

//go:embed parley-server.service
var unitText string

var unitTemplate = template.Must(template.New(unitName).Parse(unitText))

// service is what is to be installed.
type service struct {
	port    int
	captive bool // it answers the checks of phones, too
}

const captivePort = 80

// unit is the service as systemd reads it.
func (s service) unit() []byte {
	var b bytes.Buffer
	err := unitTemplate.Execute(&b, map[string]any{
		"Program": installedProgram, "Settings": serviceSettings, "Port": s.port, "Captive": s.captive, "LowPort": s.port < 1024 || s.captive,
	})
	if err != nil {
		panic(err) // embedded, so a mistake of the build
	}
	return b.Bytes()
}

// host is a system that the service is installed on.
type host struct {
	root   string // the folder with its files; "" for this computer
	booted bool   // its systemd runs, and starts and stops the service
}

func (h *host) path(name string) string { return filepath.Join(h.root, name) }

// check looks for what the host lacks. again is the command that was given, without
// sudo and --root.
func (h *host) check(again string, user int) error {
	if h.root != "" {
		if info, err := os.Stat(h.root); err != nil || !info.IsDir() {
			return fmt.Errorf("--root takes a folder with a system, and %s is none", h.root)
		}
		if _, err := exec.LookPath("systemctl"); err != nil {
			return errors.New("the program systemctl is missing: it is in the package systemd")
		}
		return nil
	}
	if !exists("/run/systemd/system") { // as sd_booted(3) does
		return fmt.Errorf("this computer does not run systemd, so it can't keep the server running for you: have its own init system run %q. "+
			"To install into another system: %s --root FOLDER", "parley-server --data "+serviceData, again)
	}
	if user != 0 {
		return fmt.Errorf("only root may do that: sudo %s", again)
	}
	h.booted = true
	return nil
}

// install puts the program and its unit in place and enables the service. If
// something fails, everything is as it was.
func (h *host) install(ctx context.Context, program string, s service, replace bool, again string, stdout io.Writer) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("this program can't read its own file: %w", err)
	}
	files := []*placement{
		{path: h.path(installedProgram), data: data, mode: 0o755},
		{path: h.path(installedUnit), data: s.unit(), mode: 0o644},
	}
	for _, f := range files {
		if err := f.look(); err != nil {
			return err
		}
		if f.differs && !replace {
			if h.root != "" {
				again += " --root " + quote(h.root)
			} else {
				again = "sudo " + again
			}
			return fmt.Errorf("%s is there already and differs. To replace it: %s --replace", f.path, again)
		}
	}
	if err := h.checkPorts(s); err != nil {
		return err
	}

	for _, f := range files {
		if err = f.place(); err != nil {
			break
		}
	}
	if err == nil {
		err = h.enable(ctx)
	}
	if err != nil {
		return errors.Join(err, h.goBack(context.WithoutCancel(ctx), files))
	}
	for _, f := range files {
		err = errors.Join(err, f.keep())
	}
	if !h.booted {
		fmt.Fprintf(stdout, "The system in %s starts Parley when it boots, on port %d.\n", h.root, s.port)
		return err
	}
	fmt.Fprintf(stdout, "Parley runs on port %d, and starts with this computer. Its log is in %s.\n"+
		"  sudo journalctl -u parley-server          shows its addresses, and what it says\n"+
		"  sudo systemctl restart parley-server      reads the settings in %s again\n"+
		"  sudo parley-server uninstall              removes it, and leaves the log\n", s.port, serviceData, serviceSettings)
	return err
}

// enable has systemd start the service: now, and with the computer.
func (h *host) enable(ctx context.Context) error {
	if !h.booted {
		return h.systemctl(ctx, "enable", unitName)
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", unitName}, {"restart", unitName}} {
		if err := h.systemctl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// goBack brings back the files of before, after install has failed, and the service
// with them.
func (h *host) goBack(ctx context.Context, files []*placement) (err error) {
	before := files[len(files)-1].there
	if h.booted && !before {
		_ = h.systemctl(ctx, "disable", "--now", unitName) // it may not be known yet
	}
	for _, f := range files {
		err = errors.Join(err, f.undo())
	}
	if h.booted {
		err = errors.Join(err, h.systemctl(ctx, "daemon-reload"))
		if before {
			err = errors.Join(err, h.systemctl(ctx, "try-restart", unitName))
		}
	}
	return err
}

// checkPorts reports a port that another program uses, which the service would find
// out too late. The ports of the service that is installed are fine.
func (h *host) checkPorts(s service) error {
	if !h.booted {
		return nil
	}
	before, err := os.ReadFile(h.path(installedUnit))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	own := string(regexp.MustCompile(`(?m)^ExecStart=.*`).Find(before)) + " "
	ports := map[int]string{s.port: "choose another port with --port"}
	if s.captive {
		ports[captivePort] = "leave --captive out"
	}
	for port, instead := range ports {
		if strings.Contains(own, fmt.Sprintf(" :%d ", port)) {
			continue
		}
		l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d is in use by another program: stop that, or %s", port, instead)
		}
		if err == nil {
			l.Close()
		}
	}
	return nil
}

// uninstall stops the service and removes what install made.
func (h *host) uninstall(ctx context.Context, stdout io.Writer) error {
	unitPath, programPath := h.path(installedUnit), h.path(installedProgram)
	text, err := os.ReadFile(unitPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no service is installed: there is no %s", unitPath)
	case err != nil:
		return err
	case !bytes.HasPrefix(text, []byte("# Made by parley-server install.")):
		return fmt.Errorf("%s was not made by parley-server install: remove it yourself", unitPath)
	}
	if h.booted {
		err = h.systemctl(ctx, "disable", "--now", unitName)
	} else {
		err = h.systemctl(ctx, "disable", unitName)
	}
	if err != nil {
		return err
	}
	// The unit last: as long as it is there, uninstall can be tried again.
	if err := os.Remove(programPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(unitPath); err != nil {
		return err
	}
	if h.booted {
		if err := h.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
	}
	link, private := h.path(serviceData), h.path(privateData)
	fmt.Fprintf(stdout, "The service is removed. What was said stays in %s. To remove that too:\n  sudo rm -r %s %s\n", private, quote(link), quote(private))
	if settings := h.path(serviceSettings); exists(settings) {
		fmt.Fprintf(stdout, "Your settings stay in %s.\n", settings)
	}
	return nil
}

func (h *host) systemctl(ctx context.Context, args ...string) error {
	if !h.booted {
		args = append([]string{"--root", h.root}, args...)
	}
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// quote returns a word as a shell takes it.
func quote(word string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
