package shared

import (
	"strings"
	"unicode"
)

// lookalikes are letters of other scripts that look like a Latin one, small or
// capital, in the case that names are compared in.
var lookalikes = map[rune]rune{
	// Cyrillic
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'н': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l', 'м': 'm',
	'о': 'o', 'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'т': 't', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'у': 'y', 'ү': 'y',
	// Greek
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'h', 'ι': 'i', 'κ': 'k', 'μ': 'm', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'ν': 'v',
	'ω': 'w', 'χ': 'x', 'γ': 'y', 'ζ': 'z',
	// Armenian
	'ց': 'g', 'հ': 'h', 'ո': 'n', 'օ': 'o', 'ս': 'u',
}

// Look is how a name looks: two names with one Skeleton can be taken for each
// other.
type Look struct {
	Skeleton string // the name's key in Latin letters, as far as they look alike
	Script   string // that it is written in, or the other one that is mixed into Latin
	Mixed    bool   // it has letters of Latin and of another script that look alike
}

// LookOf tells how a name looks.
func LookOf(name Name) Look {
	l := Look{Script: "Latin"}
	latin := false
	l.Skeleton = strings.Map(func(r rune) rune {
		for script, table := range map[string]*unicode.RangeTable{"Cyrillic": unicode.Cyrillic, "Greek": unicode.Greek, "Armenian": unicode.Armenian} {
			if unicode.Is(table, r) {
				l.Script = script
			}
		}
		latin = latin || unicode.Is(unicode.Latin, r)
		if like, ok := lookalikes[r]; ok {
			return like
		}
		return r
	}, name.Key)
	l.Mixed = latin && l.Skeleton != name.Key
	return l
}
