package main

import (
	"io"
	"strings"
	"testing"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]struct {
		bytes int64
		text  string
	}{
		"0": {0, "0"}, "1": {1, "1"}, "4096": {4096, "4096"}, "10GB": {10e9, "10GB"}, "1.5GB": {-1, ""}, "500 mb": {500e6, "500MB"},
		"1000kb": {1e6, "1MB"}, "2tb": {2e12, "2TB"}, "-1": {-1, ""}, "": {-1, ""}, "GB": {-1, ""}, "9999999999999TB": {-1, ""}, "10GiB": {-1, ""},
	} {
		var s size
		err := s.Set(text)
		if (err != nil) != (want.bytes < 0) || err == nil && (s.bytes != want.bytes || s.String() != want.text || !s.set) {
			t.Errorf("%q is %d bytes, %s, %v", text, s.bytes, &s, err)
		}
	}
}

// A bound whose unit was forgotten deletes nothing.
func TestSizeWithoutUnit(t *testing.T) {
	for _, flag := range []string{"--log-bytes", "--retain-bytes"} {
		for text, fine := range map[string]bool{"10": false, "50": false, "99KB": false, "0": true, "100KB": true, "500000": true, "50MB": true} {
			_, err := parseOptions([]string{flag, text}, nil, io.Discard)
			if fine && err != nil || !fine && (err == nil || !strings.Contains(err.Error(), "at least 100KB") || !strings.Contains(err.Error(), "500MB")) {
				t.Errorf("%s %s: %v", flag, text, err)
			}
		}
	}
}
