package main

import (
	"io"
	"strings"
	"testing"
)

// FuzzConfig reads flags and variables: what is accepted is within its bounds.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{"--rate 5", "--trusted-proxy 10.0.0.0/8,::1", "--allow-host a,b", "--max-frame 1024", "--name-hold 1h", "--edit-for 0", "--max-memory -1", "--burst 0", "--trusted-proxy 10.0.0.0/99", "--tls auto"} {
		f.Add(s, "PARLEY_RATE=1")
		f.Add("", "PARLEY_"+s)
	}
	f.Fuzz(func(t *testing.T, args, variable string) {
		if strings.Contains(args+strings.ToLower(variable), "token") {
			return // which names a file
		}
		o, err := parseOptions(strings.Fields(args), []string{variable}, io.Discard)
		if err != nil {
			return
		}
		if c := o.chat; !(c.Rate >= 0) || c.MaxFrame < 1 || c.MaxFrame > 64<<10 || c.MaxText < 1 || c.MaxRooms < 1 || c.MaxMemory < 0 || c.HelloTimeout <= 0 {
			t.Errorf("%q and %q give %+v", args, variable, c)
		}
		for _, p := range o.chat.TrustedProxy {
			if !p.IsValid() || p != p.Masked() {
				t.Errorf("%q and %q trust %v", args, variable, p)
			}
		}
	})
}
