// Package lookalike tells which names can be taken for each other, as Unicode's
// security mechanisms do (UTS 39).
package lookalike

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Look is how a name looks.
type Look struct {
	// Skeleton is the same for names that look alike, in capitals too.
	Skeleton string

	// Script is the first one that is not Latin, "Latin" if there is none.
	Script string

	// Mixed says that the name mixes scripts that look like each other, or has letters
	// outside of Unicode's profile for identifiers that look like other letters.
	Mixed bool
}

// Of returns how a name looks as it is shown.
func Of(name string) Look {
	l := Look{Script: latin}
	l.Mixed = mixed(norm.NFC.String(name), &l.Script)
	// Twice, since m looks like rn, and M does not.
	l.Skeleton = skeleton(strings.Map(small, skeleton(name)))
	return l
}

// Oddity says what is odd about a Mixed name.
func (l Look) Oddity() string { return l.Hint(Look{Script: latin}) }

// Hint says what tells a name from one that was there before and looks alike.
func (l Look) Hint(before Look) string {
	if l.Script == before.Script {
		return "look-alike"
	}
	return l.Script
}

// small makes letters small, except L: its small one looks like I, so Ian would be
// taken for Lan.
func small(r rune) rune {
	if r == 'L' {
		return r
	}
	return unicode.ToLower(r)
}

// skeleton is the transform of UTS 39, section 4. A name has no characters that
// can be ignored.
func skeleton(name string) string {
	t := table()
	var b strings.Builder
	for _, r := range norm.NFD.String(name) {
		if like, ok := t[r]; ok {
			b.WriteString(like.prototype)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFD.String(b.String())
}

const latin = "Latin"

// likeLatin are the scripts with many letters that look Latin. A name mixes none of
// them with Latin; other scripts may stand next to it in words of their own.
var likeLatin = map[string]bool{"Armenian": true, "Cherokee": true, "Coptic": true, "Cyrillic": true, "Greek": true, "Lisu": true}

// mixed reports whether a name is Mixed, and tells its script. The name is composed,
// as Unicode's profile wants it.
func mixed(name string, script *string) bool {
	t := table()
	var scripts, word []string // without repetitions
	add := func(list *[]string, s string) {
		for _, have := range *list {
			if have == s {
				return
			}
		}
		*list = append(*list, s)
	}
	odd := false
	for _, r := range name {
		switch s := scriptOf(r); s {
		case "Common":
			word = word[:0]
		case "Inherited":
		default:
			if *script == latin {
				*script = s
			}
			add(&scripts, s)
			add(&word, s)
			odd = odd || len(word) > 1 && !together(word)
		}
		odd = odd || t[r].unusual && unicode.In(r, unicode.L, unicode.M, unicode.N)
	}
	*script = strings.ReplaceAll(*script, "_", " ")
	switch {
	case odd, len(scripts) > 2 && !together(scripts):
		return true
	case len(scripts) < 2 || together(scripts):
		return false
	}
	first, second := scripts[0], scripts[1]
	return first != latin && second != latin || likeLatin[first] || likeLatin[second]
}

// together reports whether scripts are written together in one word: those of
// Chinese, Japanese and Korean, with Latin.
func together(scripts []string) bool {
	for _, s := range scripts {
		switch s {
		case latin, "Han", "Hiragana", "Katakana", "Bopomofo", "Hangul":
		default:
			return false
		}
	}
	return true
}

// scriptOf is a character's script, "Common" if it has none.
func scriptOf(r rune) string {
	switch {
	case unicode.Is(unicode.Common, r):
		return "Common"
	case unicode.Is(unicode.Latin, r):
		return latin
	}
	for name, t := range unicode.Scripts {
		if unicode.Is(t, r) {
			return name
		}
	}
	return "Common"
}
