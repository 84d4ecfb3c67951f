package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestAccessOptions(t *testing.T) {
	o, err := parseOptions([]string{"--allow-host", "chat.example,b.example", "--trusted-proxy", "192.168.1.2, 10.1.2.3/8", "--trusted-proxy=::1"}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var proxies []string
	for _, p := range o.chat.TrustedProxy {
		proxies = append(proxies, p.String())
	}
	if !slices.Equal(proxies, []string{"192.168.1.2/32", "10.0.0.0/8", "::1/128"}) || !slices.Equal(o.chat.AllowHost, []string{"chat.example", "b.example"}) {
		t.Errorf("got %v, %v", proxies, o.chat.AllowHost)
	}
	for want, args := range map[string][]string{
		`"proxy" is neither an address nor a network`: {"--trusted-proxy", "proxy"},
	} {
		if _, err := parseOptions(args, nil, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
