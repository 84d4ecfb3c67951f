package text

import (
	"bufio"
	"compress/bzip2"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/bidi"
)

// TestBidiCharacters runs Unicode's own test of its bidirectional algorithm,
// BidiCharacterTest.txt of version 15.0.0, from
// https://www.unicode.org/Public/15.0.0/ucd/. It is compressed, and else as it
// was published; testdata/LICENSE has its terms. Lines with characters that Clean
// takes out are left out here.
func TestBidiCharacters(t *testing.T) {
	f, err := os.Open("testdata/BidiCharacterTest.txt.bz2")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(bzip2.NewReader(f))
	run, left := 0, 0
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ";")
		if strings.HasPrefix(fields[0], "#") || len(fields) != 5 {
			continue
		}
		var runes []rune
		for _, code := range strings.Fields(fields[0]) {
			n, err := strconv.ParseInt(code, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			runes = append(runes, rune(n))
		}
		if slices.ContainsFunc(runes, cleaned) || nested(runes) {
			left++
			continue
		}
		run++
		base := direction(runes)
		if fields[1] != "2" {
			base = fields[1][0] - '0'
		}
		levels := resolveIsolates(runes, base)
		resetLevels(runes, levels, base)
		if got := fmt.Sprint(base); got != fields[2] {
			t.Errorf("%s: the paragraph's level is %s", lines.Text(), got)
		}
		want := strings.Fields(fields[3])
		var spans []span
		right := len(want) == len(levels)
		for i, level := range levels {
			if want[i] == "x" || level == hidden { // as if it were not there: any level does
				continue
			}
			right = right && want[i] == fmt.Sprint(level)
			spans = append(spans, span{from: i, to: i + 1, level: level})
		}
		if !right {
			t.Errorf("%s: the levels are %v", lines.Text(), levels)
			continue
		}
		var seen []int
		for _, s := range order(spans, base) {
			seen = append(seen, s.from)
		}
		drawn := slices.DeleteFunc(strings.Fields(fields[4]), func(i string) bool {
			n, err := strconv.Atoi(i)
			return err == nil && levels[n] == hidden
		})
		if got := strings.Trim(fmt.Sprint(seen), "[]"); got != strings.Join(drawn, " ") {
			t.Errorf("%s: the order is %s", lines.Text(), got)
		}
	}
	if err := lines.Err(); err != nil || run < 90050 {
		t.Fatalf("%d lines, %v", run, err)
	}
	t.Logf("%d lines, %d left out", run, left)
}

// cleaned reports whether CleanSentence lets no such character through.
func cleaned(r rune) bool { return !strings.ContainsRune(CleanSentence("a"+string(r)+"a"), r) }

// nested reports whether there are isolates in others, or without an end: Isolate makes none.
func nested(runes []rune) bool {
	depth := 0
	for _, r := range runes {
		switch r {
		case beginIsolate:
			depth++
		case endIsolate:
			depth--
		}
		if depth > 1 || depth < 0 {
			return true
		}
	}
	return depth != 0
}

// resetLevels is L1, of which wrap leaves nothing to do: it cuts the blanks at a
// line's end.
func resetLevels(runes []rune, levels []uint8, base uint8) {
	for i := len(runes) - 1; i >= 0; i-- {
		switch classOf(runes[i]) {
		case bidi.WS, bidi.S:
			levels[i] = base
		case bidi.BN, bidi.FSI, bidi.PDI:
		default:
			return
		}
	}
}
