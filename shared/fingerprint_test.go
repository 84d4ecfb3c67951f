package shared_test

import (
	"testing"

	"parley/shared"
)

func TestFingerprint(t *testing.T) {
	a, b := shared.Fingerprint(nil), shared.Fingerprint([]byte("x"))
	// The SHA-256 of nothing begins e3b0 c442 98fc 1c14 9afb f4c8.
	if a != "vavub-sidaf-nogus-dubih-norur-zigam" || a == b || !shared.IsFingerprint(a) || !shared.IsFingerprint(b) {
		t.Errorf("%q and %q", a, b)
	}
	for _, s := range []string{"", "lusab", a + "-lusab", "lusab-babad-gutih-tugad-mudof-sakaX", "lusab-babad-gutih-tugad-mudof-saka"} {
		if shared.IsFingerprint(s) {
			t.Errorf("%q is taken for a fingerprint", s)
		}
	}
}
