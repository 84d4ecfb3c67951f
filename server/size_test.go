package main

import "testing"

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
