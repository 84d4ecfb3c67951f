package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// table is a table in Markdown.
type table struct{ lines []string }

func newTable(head ...string) *table {
	t := &table{}
	t.row(head...)
	t.lines = append(t.lines, "|"+strings.Repeat("---|", len(head)))
	return t
}

func (t *table) row(cells ...string) {
	t.lines = append(t.lines, "| "+strings.Join(cells, " | ")+" |")
}

// table prints a table, and keeps it for quote.
func (b *bench) table(w io.Writer, name, title string, t *table) {
	text := strings.Join(t.lines, "\n") + "\n"
	fmt.Fprintf(w, "\n%s\n\n%s", title, text)
	b.tables[name] = text
}

// quote puts the tables into a document, each after the line "<!-- bench: NAME -->" up to
// the next empty line.
func quote(path string, tables map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var out strings.Builder
	replacing := false
	for line := range strings.Lines(string(text)) {
		replacing = replacing && strings.TrimSpace(line) != ""
		if !replacing {
			out.WriteString(line)
		}
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "<!-- bench: ")
		if new, known := tables[strings.TrimSuffix(name, " -->")]; ok && known {
			out.WriteString(new)
			replacing = true
		}
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}
