package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// arrivals is what was seen of connections from other devices: the last that came to
// each stage.
type arrivals struct {
	watched   bool       // the stages before the last were
	came      netip.Addr // asked for a connection
	answered  netip.Addr // the system has answered
	refused   netip.Addr // the system has refused
	connected netip.Addr
}

// errCannotWatch is returned by watchArrivals if the user or the system does not allow
// it.
var errCannotWatch = errors.New("what comes from the network can't be seen")

// firewallAdvice says how to let people through this computer's firewall: one line for
// each thing to do.
func firewallAdvice(root string, port uint16) string {
	switch runtime.GOOS {
	case "windows":
		return fmt.Sprintf("In a terminal of an administrator: netsh advfirewall firewall add rule name=Parley dir=in action=allow protocol=TCP localport=%d\n"+
			"For searches: netsh advfirewall firewall add rule name=Parley dir=in action=allow protocol=UDP localport=5353,%d", port, port)
	case "darwin":
		program, err := os.Executable()
		if err != nil {
			program = "parley-server"
		}
		tool := "sudo /usr/libexec/ApplicationFirewall/socketfilterfw"
		return fmt.Sprintf("%s --add %s\n%s --unblockapp %s", tool, quote(program), tool, quote(program))
	}
	if lines := linuxFirewall(root, port); lines != "" {
		return lines
	}
	return fmt.Sprintf("Let TCP port %d in, and for searches UDP ports 5353 and %d: sudo nft list ruleset shows the rules.", port, port)
}

var ufwIsOn = regexp.MustCompile(`(?mi)^\s*ENABLED\s*=\s*"?yes`)

// linuxFirewall is for the programs by which people set the firewall of Linux; "" if
// none of them runs.
func linuxFirewall(root string, port uint16) string {
	if text, err := os.ReadFile(filepath.Join(root, "etc/ufw/ufw.conf")); err == nil && ufwIsOn.Match(text) {
		return fmt.Sprintf("sudo ufw allow %d\nsudo ufw allow 5353/udp", port)
	}
	for _, mark := range []string{"run/firewalld.pid", "run/firewalld"} {
		if _, err := os.Stat(filepath.Join(root, mark)); err == nil {
			add := fmt.Sprintf("sudo firewall-cmd --permanent --add-port=%d/tcp --add-port=%d/udp --add-service=mdns", port, port)
			return strings.Join([]string{add, "sudo firewall-cmd --reload"}, "\n")
		}
	}
	return ""
}

// awaitArrival waits for a connection that a listener of this program accepts. Without
// such a listener, for which came is nil, it returns errCannotWatch.
func awaitArrival(ctx context.Context, ready func(), came <-chan netip.Addr) (seen arrivals, err error) {
	if came == nil {
		return seen, errCannotWatch
	}
	ready()
	select {
	case <-ctx.Done():
	case seen.connected = <-came:
	}
	return seen, nil
}
