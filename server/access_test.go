package main

import (
	"os"
	"path/filepath"
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

func TestTokenFile(t *testing.T) {
	dir := t.TempDir()
	read := func(content string) (*options, error) {
		path := filepath.Join(dir, "token")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return parseOptions([]string{"--api-token-file", path}, nil, &strings.Builder{})
	}
	if o, err := read("0123456789abcdef\n"); err != nil || o.chat.Token != "0123456789abcdef" {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "short\n", "0123456789abcdef 0123456789abcdef", "0123456789abcdef\nanother"} {
		if _, err := read(bad); err == nil || !strings.Contains(err.Error(), "at least 16") || bad != "" && strings.Contains(err.Error(), strings.TrimSpace(bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLimitOptions(t *testing.T) {
	o, err := parseOptions([]string{"--max-memory", "64", "--max-per-address", "0", "--max-resume", "100"}, nil, os.Stderr)
	if err != nil || o.chat.MaxMemory != 64<<20 || o.chat.MaxUpgrades != 0 || o.chat.MaxText != 4096 || o.chat.ResumeLimit != 100 {
		t.Errorf("%+v, %v", o, err)
	}
	for _, flag := range []string{"max-upgrades", "max-connections", "max-frame", "max-text", "max-name", "max-rooms", "max-members", "max-resume", "max-memory"} {
		if _, err := parseOptions([]string{"--" + flag, "-1"}, nil, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "--"+flag+" takes a number") {
			t.Errorf("--%s -1: %v", flag, err)
		}
	}
	if _, err := parseOptions([]string{"--hello-timeout", "1ms"}, nil, &strings.Builder{}); err == nil {
		t.Error("--hello-timeout 1ms is taken")
	}
}
