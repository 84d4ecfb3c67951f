package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestFit(t *testing.T) {
	want := [costs]float64{0, 2e-3, 8e-6, 4e-4, 2e-4, 5e-5, 3e-4}
	var seen []observation
	for _, l := range shapes {
		for _, messages := range []float64{0, 180} {
			u := usage{seconds: 3}
			for i := range l.servers {
				u.servers, u.deliveries = append(u.servers, 0), append(u.deliveries, 0)
				if i < l.crowded {
					u.deliveries[i] = int64(messages) * int64(l.size)
				}
			}
			servers, _ := observed(l, messages, u)
			for _, o := range servers {
				for k := range want {
					o.cpu += o.work[k] * want[k]
				}
				seen = append(seen, o)
			}
		}
	}
	for k, got := range fit(seen) {
		if math.Abs(got-want[k]) > 1e-6*want[k] {
			t.Errorf("%s: %g, want %g", costNames[k], got, want[k])
		}
	}
	for i := range seen { // a message now seems to give time back
		seen[i].cpu -= seen[i].work[aMessage] * 5e-4
	}
	for k, got := range fit(seen) {
		if got < 0 || math.IsNaN(got) {
			t.Errorf("%s: %g", costNames[k], got)
		}
	}
}

func TestQuote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("a\n\n<!-- bench: x -->\n| old |\n| old |\n\nb\n\n<!-- bench: y -->\nkept\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it can be done again
		if err := quote(path, map[string]string{"x": "| new |\n"}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "a\n\n<!-- bench: x -->\n| new |\n\nb\n\n<!-- bench: y -->\nkept\n"; err != nil || string(got) != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
}
