package main

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"parley/shared/servertest"
)

// sent counts the UDP packets that this host sends, except those to networks.
func sent(t *testing.T, except ...string) (count func() string) {
	t.Helper()
	rules := "add table ip t\nadd chain ip t out { type filter hook output priority 0; }\nadd rule ip t out oif != lo meta l4proto udp"
	if len(except) > 0 {
		rules += " ip daddr != { " + strings.Join(except, ", ") + " }"
	}
	servertest.Firewall(t, rules+" counter\n")
	return func() string {
		t.Helper()
		out := servertest.Firewall(t, "list chain ip t out\n")
		_, after, ok := strings.Cut(out, "counter packets ")
		if !ok {
			t.Fatalf("nothing was counted:\n%s", out)
		}
		n, _, _ := strings.Cut(after, " ")
		return n
	}
}

// local is a link of addresses as the program finds them.
func local(t *testing.T, name string, prefixes ...string) networkInterface {
	t.Helper()
	i := networkInterface{name: name, flags: net.FlagUp}
	for _, s := range prefixes {
		i.prefixes = append(i.prefixes, netip.MustParsePrefix(s))
	}
	return i
}
