package lookalike

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run generate.go confusables.txt IdentifierStatus.txt

//go:embed table.txt
var source string

// likeness is what a character looks like.
type likeness struct {
	prototype string // decomposed
	unusual   bool   // it is outside of Unicode's profile for identifiers
}

// table is Unicode's confusables.txt, by the character.
var table = sync.OnceValue(func() map[rune]likeness {
	t := make(map[rune]likeness)
	for line := range strings.Lines(source) {
		fields := strings.Split(strings.TrimSpace(line), ";")
		if len(fields) != 3 || line[0] == '#' {
			continue
		}
		var prototype []rune
		for hex := range strings.SplitSeq(fields[0], "+") {
			prototype = append(prototype, codePoint(hex))
		}
		for i, list := range fields[1:] {
			for hex := range strings.FieldsSeq(list) {
				t[codePoint(hex)] = likeness{string(prototype), i == 1}
			}
		}
	}
	return t
})

func codePoint(hex string) rune {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		panic("lookalike: table.txt has " + strconv.Quote(hex))
	}
	return rune(n)
}
