package text

import "strings"

// An isolate is a part of a sentence that is ordered by itself, such as a name: whatever
// script it is in, the sentence around it reads as if a neutral character stood there.

// What stands around an isolate: FSI and PDI (UAX 9).
const (
	beginIsolate = '\u2068'
	endIsolate   = '\u2069'
)

// Characters that stand for others while levels are resolved.
const (
	neutral = '\ufffc'
	ignored = '\u200b'
)

// hidden is the level of what is not drawn.
const hidden = 0xff

func isolating(r rune) bool { return r == beginIsolate || r == endIsolate }

var withoutIsolates = strings.NewReplacer(string(beginIsolate), "", string(endIsolate), "")

// Isolate makes a text an isolate, if it could move what stands around it in a line.
func Isolate(s string) string {
	if !mayBeRTL(s) {
		return s
	}
	return string(beginIsolate) + withoutIsolates.Replace(s) + string(endIsolate)
}

// isolates are the ends of a paragraph's isolates by their beginnings. What has no end or
// no beginning is none.
func isolates(p []rune) (ends map[int]int) {
	var open []int
	for i, r := range p {
		switch {
		case r == beginIsolate:
			open = append(open, i)
		case r == endIsolate && len(open) > 0:
			if ends == nil {
				ends = map[int]int{}
			}
			ends[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return ends
}

// resolveIsolates is resolve for a paragraph that may have isolates: each is resolved by
// itself, at the next level of its direction (X5c). Isolates in others are none.
func resolveIsolates(p []rune, base uint8) []uint8 {
	ends := isolates(p)
	var outer []rune // an isolate is one character
	for i := 0; i < len(p); i++ {
		r := p[i]
		if end, ok := ends[i]; ok {
			r, i = neutral, end
		} else if isolating(r) {
			r = ignored
		}
		outer = append(outer, r)
	}
	var levels []uint8
	for _, level := range resolve(outer, base) {
		at := len(levels)
		end, ok := ends[at]
		switch {
		case ok:
			levels = append(levels, hidden)
			levels = append(levels, resolveInner(p[at+1:end], base)...)
			levels = append(levels, hidden)
		case isolating(p[at]):
			levels = append(levels, hidden)
		default:
			levels = append(levels, level)
		}
	}
	return levels
}

// resolveInner gives the levels of what is in an isolate, in a paragraph of a base level.
func resolveInner(p []rune, base uint8) []uint8 {
	inner := make([]rune, len(p))
	for i, r := range p {
		if inner[i] = r; isolating(r) {
			inner[i] = ignored
		}
	}
	own := direction(inner)
	embedded := base + 1 // X5c: the next level of that parity
	if embedded&1 != own {
		embedded++
	}
	levels := resolve(inner, own)
	for i := range levels {
		if levels[i] += embedded - own; isolating(p[i]) {
			levels[i] = hidden
		}
	}
	return levels
}
