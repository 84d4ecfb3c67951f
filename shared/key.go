package shared

import (
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// KeyError says what a passphrase lacks, as a sentence for a person.
type KeyError struct{ Reason string }

func (e *KeyError) Error() string { return e.Reason }

// CheckKey checks what a new room is to be locked with: MinKey to MaxKey code
// points. It returns the passphrase as NormalKey does; the error is a *KeyError.
func CheckKey(key string) (string, error) {
	normal, ok := NormalKey(key)
	switch n := utf8.RuneCountInString(normal); {
	case !ok:
		return "", &KeyError{"The passphrase has a character that can't be typed everywhere."}
	case n < MinKey:
		return "", &KeyError{"A passphrase needs at least 8 characters."}
	case n > MaxKey:
		return "", &KeyError{"A passphrase has at most 128 characters."}
	}
	return normal, nil
}

// NormalKey is a passphrase in the one form that is compared, whatever keyboard
// it was typed on: the OpaqueString profile of RFC 8265. It reports false if
// the profile does not allow it.
func NormalKey(key string) (string, bool) {
	if len(key) > 4*MaxKey {
		return "", false
	}
	normal, err := precis.OpaqueString.String(key)
	return normal, err == nil
}
