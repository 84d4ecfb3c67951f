package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// mayBeRTL reports whether a text has a character from U+0590 on that the bidi
// algorithm could move. It is cheap and may say yes in vain.
func mayBeRTL(s string) bool {
	for i := range len(s) {
		// D6 is the lead byte of U+0580 to U+05BF, the first of the Hebrew block.
		if s[i] < 0xd6 {
			continue
		}
		for _, r := range s[i:] {
			switch {
			case r >= 0x590 && r <= 0x8ff, r >= 0xfb1d && r <= 0xfdff, r >= 0xfe70 && r <= 0xfeff,
				r >= 0x10800 && r <= 0x10fff, r >= 0x1e800 && r <= 0x1efff, r == 0x200f, r == beginIsolate, r == endIsolate:
				return true
			}
		}
		return false
	}
	return false
}

func classOf(r rune) bidi.Class {
	p, _ := bidi.LookupRune(r)
	return p.Class()
}

// direction is the level of a paragraph by its first strong character
// outside of isolates (UAX 9, P2 and P3).
func direction(p []rune) uint8 {
	ends := isolates(p)
	for i := 0; i < len(p); i++ {
		if end, ok := ends[i]; ok {
			i = end
			continue
		}
		switch classOf(p[i]) {
		case bidi.L:
			return 0
		case bidi.R, bidi.AL:
			return 1
		}
	}
	return 0
}

// EndOf makes the end of a text, from a byte on, read in the direction of the whole.
func EndOf(s string, from int) string {
	part := s[from:]
	if !mayBeRTL(s) {
		return part
	}
	own := direction([]rune(s))
	if direction([]rune(part)) == own {
		return part
	}
	return string([]rune{'\u200e', '\u200f'}[own]) + part // LRM, RLM
}

// paragraphLevels gives the embedding level of every byte of a paragraph, and
// the paragraph's own. It is the Unicode Bidirectional Algorithm without
// explicit embeddings, which Clean takes out, and with the isolates of Isolate. golang.org/x/text has the classes, but
// tells only the direction of a run, which is not enough to order a line: a number
// inside Hebrew is level 2, Latin next to it level 0.
func paragraphLevels(p string) (levels []uint8, base uint8) {
	runes := []rune(p)
	base = direction(runes)
	levels = make([]uint8, 0, len(p))
	for i, level := range resolveIsolates(runes, base) {
		for range utf8.RuneLen(runes[i]) {
			levels = append(levels, level)
		}
	}
	return levels, base
}

// resolve gives the level of every character of a paragraph of a base level.
// Those that are as if they were not there (X9), such as joiners, have that of
// the one before.
func resolve(all []rune, base uint8) []uint8 {
	runes := make([]rune, 0, len(all))
	classes := make([]bidi.Class, 0, len(all))
	for _, r := range all {
		if c := classOf(r); c != bidi.BN {
			runes, classes = append(runes, r), append(classes, c)
		}
	}
	original := append([]bidi.Class(nil), classes...)
	resolveWeak(classes, base)
	resolveBrackets(runes, classes, original, base)
	resolveNeutral(classes, base)

	levels := make([]uint8, len(all))
	level, n := base, 0
	for i, r := range all {
		if n < len(runes) && r == runes[n] { // one that was left out is never the next
			level = levelOf(classes[n], base)
			n++
		}
		levels[i] = level
	}
	return levels
}

// levelOf is the level of a resolved class (I1, I2).
func levelOf(c bidi.Class, base uint8) uint8 {
	switch c {
	case bidi.R:
		return base | 1
	case bidi.L:
		return base + base&1
	case bidi.EN, bidi.AN:
		return 2
	}
	return base
}

func strongOf(level uint8) bidi.Class {
	if level&1 == 1 {
		return bidi.R
	}
	return bidi.L
}

// resolveWeak applies W1 to W7.
func resolveWeak(c []bidi.Class, base uint8) {
	prev := strongOf(base)
	strong := prev
	for i := range c {
		if c[i] == bidi.NSM {
			c[i] = prev // W1
		}
		prev = c[i]
		switch c[i] {
		case bidi.L, bidi.R, bidi.AL:
			strong = c[i]
		case bidi.EN:
			if strong == bidi.AL {
				c[i] = bidi.AN // W2
			}
		}
	}
	for i := range c {
		if c[i] == bidi.AL {
			c[i] = bidi.R // W3
		}
	}
	for i := 1; i+1 < len(c); i++ { // W4
		if c[i-1] != c[i+1] {
			continue
		}
		if c[i] == bidi.ES && c[i-1] == bidi.EN || c[i] == bidi.CS && (c[i-1] == bidi.EN || c[i-1] == bidi.AN) {
			c[i] = c[i-1]
		}
	}
	for i := 0; i < len(c); i++ { // W5
		if c[i] != bidi.ET {
			continue
		}
		end := i
		for end < len(c) && c[end] == bidi.ET {
			end++
		}
		to := bidi.ON // W6
		if i > 0 && c[i-1] == bidi.EN || end < len(c) && c[end] == bidi.EN {
			to = bidi.EN
		}
		for ; i < end; i++ {
			c[i] = to
		}
		i--
	}
	strong = strongOf(base)
	for i := range c {
		switch c[i] {
		case bidi.ES, bidi.CS, bidi.ET:
			c[i] = bidi.ON // W6
		case bidi.L, bidi.R:
			strong = c[i]
		case bidi.EN:
			if strong == bidi.L {
				c[i] = bidi.L // W7
			}
		}
	}
}

// directionIn is the strong direction that a class counts as for N0 and N1.
func directionIn(c bidi.Class) (bidi.Class, bool) {
	switch c {
	case bidi.L:
		return bidi.L, true
	case bidi.R, bidi.EN, bidi.AN:
		return bidi.R, true
	}
	return 0, false
}

// maxBrackets is the depth at which BD16 gives up.
const maxBrackets = 63

// resolveBrackets applies N0: a pair of brackets takes one direction.
func resolveBrackets(runes []rune, c, original []bidi.Class, base uint8) {
	type pair struct{ open, close int }
	var pairs []pair
	var stack []int
	for i, r := range runes {
		if c[i] != bidi.ON {
			continue
		}
		p, _ := bidi.LookupRune(r)
		if !p.IsBracket() {
			continue
		}
		if p.IsOpeningBracket() {
			if len(stack) == maxBrackets {
				break
			}
			stack = append(stack, i)
			continue
		}
		for n := len(stack) - 1; n >= 0; n-- {
			if canonical(mirrored(runes[stack[n]])) == canonical(r) {
				pairs = append(pairs, pair{stack[n], i})
				stack = stack[:n]
				break
			}
		}
	}
	// Outer pairs and earlier ones first, since inner ones see what they became.
	for i := 1; i < len(pairs); i++ {
		for j := i; j > 0 && pairs[j].open < pairs[j-1].open; j-- {
			pairs[j], pairs[j-1] = pairs[j-1], pairs[j]
		}
	}
	embedding := strongOf(base)
	for _, p := range pairs {
		var same, opposite bool
		for _, class := range c[p.open+1 : p.close] {
			if d, ok := directionIn(class); ok {
				same = same || d == embedding
				opposite = opposite || d != embedding
			}
		}
		var to bidi.Class
		switch {
		case same:
			to = embedding
		case opposite:
			to = embedding
			before := embedding
			for i := p.open - 1; i >= 0; i-- {
				if d, ok := directionIn(c[i]); ok {
					before = d
					break
				}
			}
			if before != embedding {
				to = before
			}
		default:
			continue
		}
		for _, at := range [2]int{p.open, p.close} {
			c[at] = to
			for i := at + 1; i < len(c) && original[i] == bidi.NSM; i++ {
				c[i] = to
			}
		}
	}
}

// resolveNeutral applies N1 and N2.
func resolveNeutral(c []bidi.Class, base uint8) {
	embedding := strongOf(base)
	for i := 0; i < len(c); i++ {
		if _, ok := directionIn(c[i]); ok {
			continue
		}
		end := i
		for end < len(c) {
			if _, ok := directionIn(c[end]); ok {
				break
			}
			end++
		}
		before, after := embedding, embedding
		if i > 0 {
			before, _ = directionIn(c[i-1])
		}
		if end < len(c) {
			after, _ = directionIn(c[end])
		}
		to := embedding
		if before == after {
			to = before
		}
		for ; i < end; i++ {
			c[i] = to
		}
		i--
	}
}

// brackets are Unicode's paired brackets (BidiBrackets.txt); signs are mirrored
// too, but make no pairs.
const (
	brackets = "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦍⦐⦏⦎" +
		"⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽⸢⸣⸤⸥⸦⸧⸨⸩⹕⹖⹗⹘⹙⹚⹛⹜〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
	signs = "<>«»‹›≤≥＜＞"
)

var mirror = func() map[rune]rune {
	m := make(map[rune]rune)
	pairs := []rune(brackets + signs)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]], m[pairs[i+1]] = pairs[i+1], pairs[i]
	}
	return m
}()

// canonical is a bracket as the pairing takes it: two come in two spellings.
func canonical(r rune) rune {
	switch r {
	case '\u2329':
		return '\u3008'
	case '\u232a':
		return '\u3009'
	}
	return r
}

func mirrored(r rune) rune {
	if m, ok := mirror[r]; ok {
		return m
	}
	return r
}

func mirrorAll(s string) string { return strings.Map(mirrored, s) }
