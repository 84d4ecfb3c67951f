package shared_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/shared"
)

func TestRestartReason(t *testing.T) {
	for members, want := range map[int]time.Duration{0: 0, 199: 0, 200: time.Second, 1000: 5 * time.Second, 1 << 20: time.Minute} {
		reason := shared.RestartReason(members)
		if got := shared.RestartSpread(reason); got != want || !strings.HasPrefix(reason, "The server is restarting.") {
			t.Errorf("%d members get %q, which spreads them over %v", members, reason, got)
		}
	}
	for reason, want := range map[string]time.Duration{"": 0, "bye": 0, "in 9999 s": time.Minute, "in 99999999999999999999 s": 0, "in 3 seconds": 0} {
		if got := shared.RestartSpread(reason); got != want {
			t.Errorf("%q spreads over %v", reason, got)
		}
	}
}

// Every error code is among them.
func TestErrorCodes(t *testing.T) {
	source, err := os.ReadFile("message.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := shared.ErrorCodes()
	found := regexp.MustCompile(`ErrorCode = "(\w+)"`).FindAllSubmatch(source, -1)
	for _, m := range found {
		if !slices.Contains(codes, shared.ErrorCode(m[1])) {
			t.Errorf("%s is missing", m[1])
		}
	}
	if len(codes) != len(found) || len(found) == 0 {
		t.Errorf("%d codes, of %d in the source", len(codes), len(found))
	}
}
