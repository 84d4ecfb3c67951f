//go:build ignore

// Command generate writes table.txt from Unicode's data for UTS 39:
//
//	go run generate.go confusables.txt IdentifierStatus.txt
//
// Both files are at https://www.unicode.org/Public/security/15.0.0/. The version
// is that of Go's package unicode.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: go run generate.go confusables.txt IdentifierStatus.txt")
	}
	allowed := make(map[rune]bool)
	for _, fields := range lines(os.Args[2]) {
		first, last, isRange := strings.Cut(fields[0], "..")
		if !isRange {
			last = first
		}
		for r := codePoint(first); r <= codePoint(last); r++ {
			allowed[r] = true
		}
	}
	type likes struct{ allowed, others []string }
	table := make(map[string]*likes) // by the prototype
	for _, fields := range lines(os.Args[1]) {
		r := codePoint(fields[0])
		if s := string(r); norm.NFKC.String(s) != s || norm.NFD.String(s) != s {
			continue // no name has it when it is looked up
		}
		prototype := strings.ToLower(strings.Join(strings.Fields(fields[1]), "+"))
		l := table[prototype]
		if l == nil {
			l = &likes{}
			table[prototype] = l
		}
		if allowed[r] {
			l.allowed = append(l.allowed, fmt.Sprintf("%04x", r))
		} else {
			l.others = append(l.others, fmt.Sprintf("%04x", r))
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Made by generate.go from Unicode %s, see LICENSE.\n"+
		"# What it looks like; characters of Unicode's profile for identifiers; others.\n", unicode.Version)
	for _, prototype := range slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		return cmp.Or(len(a)-len(b), strings.Compare(a, b))
	}) {
		l := table[prototype]
		slices.Sort(l.allowed)
		slices.Sort(l.others)
		fmt.Fprintf(&out, "%s;%s;%s\n", prototype, strings.Join(l.allowed, " "), strings.Join(l.others, " "))
	}
	if err := os.WriteFile("table.txt", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// lines returns the fields of a file of Unicode's.
func lines(path string) (all [][]string) {
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Split(line, ";")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if len(fields) > 1 {
			all = append(all, fields)
		}
	}
	return all
}

func codePoint(hex string) rune {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		log.Fatal(err)
	}
	return rune(n)
}
