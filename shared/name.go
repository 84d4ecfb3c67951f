package shared

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Name is a room's or a person's name. Two names with the same Key are the same
// name; Text is how it was first written.
type Name struct {
	Text string
	Key  string
}

// NameError says which rule a name breaks, as a sentence for a person.
type NameError struct{ Reason string }

func (e *NameError) Error() string { return e.Reason }

// RoomName checks a room's name: 1 to MaxRoom code points under the rules of
// PersonName.
func RoomName(s string) (Name, error) { return parseName(s, "room's name", MaxRoom) }

// PersonName checks a person's name: 1 to MaxName code points of the PRECIS
// Nickname profile (RFC 8266) without / and \, and not . or .. alone. The error
// is a *NameError.
func PersonName(s string) (Name, error) { return parseName(s, "name", MaxName) }

func parseName(s, what string, limit int) (Name, error) {
	refuse := func(format string, args ...any) (Name, error) {
		return Name{}, &NameError{"The " + what + " " + fmt.Sprintf(format, args...)}
	}
	if !utf8.ValidString(s) {
		return refuse("is not valid UTF-8.")
	}
	// Normalizing makes a name at most 18 times as long (U+FDFA), never shorter
	// than a thousandth, so the profile needs to see only what could still fit.
	if len(s) > 64*limit {
		return refuse("is over %d characters.", limit)
	}
	s = plainEmoji(s)
	if Blank(s) {
		return refuse("is empty.")
	}
	text, err := precis.Nickname.String(s)
	if err != nil {
		return refuse("has a character that names can't have, such as a line break or an invisible one.")
	}
	if n := utf8.RuneCountInString(text); n > limit {
		return refuse("is over %d characters.", limit)
	}
	if strings.ContainsFunc(text, unseen) {
		return refuse("has a character that names can't have, such as a line break or an invisible one.")
	}
	if strings.ContainsAny(text, `/\`) {
		return refuse(`can't have a slash (/ or \).`)
	}
	if text == "." || text == ".." {
		return refuse("can't be only dots.")
	}
	key, err := precis.Nickname.CompareKey(text)
	if err != nil {
		return refuse("has a character that names can't have.")
	}
	return Name{Text: text, Key: key}, nil
}

// unseen reports whether a character that the profile allows is drawn as nothing, or
// stands for what is not there. Names would look alike with and without it.
func unseen(r rune) bool {
	switch r {
	case '\u2800', // BRAILLE PATTERN BLANK
		'\ufffc',                   // OBJECT REPLACEMENT CHARACTER
		'\U0001107f',               // BRAHMI NUMBER JOINER
		'\U00013441', '\U00013442', // EGYPTIAN HIEROGLYPH FULL BLANK, HALF BLANK
		'\U00016fe4', // KHITAN SMALL SCRIPT FILLER
		'\U0001d159': // MUSICAL SYMBOL NULL NOTEHEAD
		return true
	}
	return false
}

// plainEmoji takes out what the profile refuses inside emoji: the variation
// selector U+FE0F, and joiners next to a symbol. Joiners between letters stay,
// for the scripts that need them.
func plainEmoji(s string) string {
	if !strings.ContainsAny(s, "\u200d\ufe0f") {
		return s
	}
	s = strings.ReplaceAll(s, "\ufe0f", "")
	runes := []rune(s)
	kept := make([]rune, 0, len(runes))
	symbol := func(i int) bool {
		return i >= 0 && i < len(runes) && unicode.In(runes[i], unicode.So, unicode.Sk, unicode.Sm)
	}
	for i, r := range runes {
		if r == '\u200d' && (symbol(i-1) || symbol(i+1)) {
			continue
		}
		kept = append(kept, r)
	}
	return string(kept)
}

// ErrDevice is what CheckDevice returns.
var ErrDevice = errors.New("the device is not a secret of 22 to 128 printable ASCII characters")

// CheckDevice checks the form of an installation's secret.
func CheckDevice(device string) error {
	if len(device) < MinDevice || len(device) > MaxDevice || !printable(device) {
		return ErrDevice
	}
	return nil
}

// CheckID checks the form of a message's id: 1 to MaxID printable ASCII
// characters. The error is a *FrameError.
func CheckID(id string) error {
	if id == "" || len(id) > MaxID || !printable(id) {
		return badFrame("A message's id has 1 to %d printable ASCII characters.", MaxID)
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '!' || r > '~' }) < 0
}
