package text

import (
	"math"
	"sort"
	"strings"
)

// Part is a part of a text: code, or anything else.
type Part struct {
	Code bool
	Text string
}

// fence stands before and after code.
const fence = "```"

// Parts cuts a text into code, which stands between two fences of three backquotes,
// and what is not code. The line break after the first fence and the one before the
// second are not part of the code. Blank code, and a fence without another, stay
// text. The parts of "" are none.
func Parts(s string) (parts []Part) {
	begin, at := 0, 0 // of the text that is no code, and of what has not been looked at
	for {
		open := strings.Index(s[at:], fence)
		if open < 0 {
			break
		}
		open += at
		size := strings.Index(s[open+len(fence):], fence)
		if size < 0 {
			break
		}
		end := open + 2*len(fence) + size
		code := s[open+len(fence) : end-len(fence)]
		if at = end; strings.TrimSpace(code) == "" {
			continue
		}
		if begin < open {
			parts = append(parts, Part{Text: s[begin:open]})
		}
		parts = append(parts, Part{Code: true, Text: strings.TrimSuffix(strings.TrimPrefix(code, "\n"), "\n")})
		begin = end
	}
	if begin < len(s) {
		parts = append(parts, Part{Text: s[begin:]})
	}
	return parts
}

// Cut is a line of a text, or as much of its beginning as fits a width with an
// ellipsis.
func (w *Wrapper) Cut(line string, width float32) string {
	if w.Measure(line, math.MaxFloat32).Widest <= width {
		return line
	}
	g := Graphemes(line)
	n := sort.Search(len(g), func(n int) bool {
		return w.Measure(strings.Join(g[:n+1], "")+"…", math.MaxFloat32).Widest > width
	})
	return strings.Join(g[:n], "") + "…"
}
