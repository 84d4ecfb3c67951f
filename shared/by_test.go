package shared_test

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"parley/shared"
)

func TestBy(t *testing.T) {
	form := regexp.MustCompile(`^[a-z2-7]{13}$`)
	seen := make(map[string]string)
	for _, room := range []string{"lobby", "lobb", "田中", strings.Repeat("x", 64)} {
		for _, device := range []string{"api", "yapi", "tutorial-01HZX3V5J8K9M0N1P2Q3R4S5T6", strings.Repeat("f", 300)} {
			by := shared.By(room, device)
			if !form.MatchString(by) || by != shared.By(room, device) {
				t.Errorf("%s in %s is %q", device, room, by)
			}
			if other := seen[by]; other != "" {
				t.Errorf("%s in %s is %q, as is %s", device, room, by, other)
			}
			seen[by] = device + " in " + room

			// The same by arithmetic: 65 bits, five at a time.
			sum := sha256.Sum256([]byte(room + "\x00" + device))
			n := new(big.Int).Rsh(new(big.Int).SetBytes(sum[:]), 256-65)
			want := ""
			for range 13 {
				want = string("abcdefghijklmnopqrstuvwxyz234567"[new(big.Int).And(n, big.NewInt(31)).Int64()]) + want
				n.Rsh(n, 5)
			}
			if by != want {
				t.Errorf("%s in %s is %q, want %q", device, room, by, want)
			}
		}
	}
	// Fixed for good: messages that are stored are told apart by it.
	if got := shared.By("lobby", "api"); got != "mxs5xy2wyr55q" {
		t.Errorf("got %q", got)
	}
	allocs := testing.AllocsPerRun(100, func() { shared.By("lobby", "0123456789abcdef0123456789abcdef") })
	if allocs > 1 {
		t.Errorf("%v allocations", allocs)
	}
}

func ExampleBy() {
	ann, bob := shared.By("lobby", "f3a1"), shared.By("lobby", "09bc")
	fmt.Println(len(ann), ann == bob, ann == shared.By("lobby", "f3a1"), ann == shared.By("kitchen", "f3a1"))
	// Output: 13 false true false
}
