package shared

import (
	"crypto/sha256"
	"strings"
)

// fingerprintWords of two bytes each: 96 bits, which nobody makes a second
// certificate for.
const fingerprintWords = 6

// Fingerprint is a certificate (DER) as words that people can read to each
// other: the beginning of its SHA-256 in proquints (arXiv:0901.4016), five
// letters for two bytes.
func Fingerprint(certificate []byte) string {
	const consonants, vowels = "bdfghjklmnprstvz", "aiou"
	sum := sha256.Sum256(certificate)
	words := make([]string, fingerprintWords)
	for i := range words {
		n := uint(sum[2*i])<<8 | uint(sum[2*i+1])
		words[i] = string([]byte{consonants[n>>12], vowels[n>>10&3], consonants[n>>6&15], vowels[n>>4&3], consonants[n&15]})
	}
	return strings.Join(words, "-")
}

// IsFingerprint reports whether s has the form of a Fingerprint.
func IsFingerprint(s string) bool {
	words := strings.Split(s, "-")
	if len(words) != fingerprintWords {
		return false
	}
	for _, w := range words {
		if len(w) != 5 || strings.Trim(w, "abdfghijklmnoprstuvz") != "" {
			return false
		}
	}
	return true
}
