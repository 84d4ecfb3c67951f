package main

import (
	"flag"
	"fmt"
	"net/netip"
	"strings"
)

// list defines a flag that may be repeated, and takes a comma list.
func list(f *flag.FlagSet, name, usage string, add func(string) error) {
	f.Func(name, usage+"; may be repeated or a comma list", func(s string) error {
		for item := range strings.SplitSeq(s, ",") {
			if item = strings.TrimSpace(item); item != "" {
				if err := add(item); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// accessFlags are those that say who may reach the server, and how.
func (o *options) accessFlags(f *flag.FlagSet) {
	list(f, "allow-host", "`name` by which browsers may know this server, beside addresses and names of a local network", func(s string) error {
		o.chat.AllowHost = append(o.chat.AllowHost, s)
		return nil
	})
	list(f, "trusted-proxy", "`address` or network of a proxy whose X-Forwarded-For is believed, like 192.168.1.2 or 10.0.0.0/8", func(s string) error {
		p, err := parsePrefix(s)
		o.chat.TrustedProxy = append(o.chat.TrustedProxy, p)
		return err
	})
}

// parsePrefix reads an address, or a network.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network", s)
	}
	return p.Masked(), nil
}
