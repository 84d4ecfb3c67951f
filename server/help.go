package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// helpWidth is the columns of what --help prints: those of the narrowest usual terminal.
const helpWidth = 80

// parse reads args into f, whose help goes to stdout if they ask for it. What it does not
// understand is one sentence: all flags behind it would push it off the screen.
func parse(f *flag.FlagSet, args []string, stdout io.Writer, help func(io.Writer)) error {
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		help(stdout)
		return errHelp
	case err != nil:
		return fmt.Errorf("%w: %w", flagError(f, err), errUsage)
	}
	return nil
}

// flagError is an error of package flag as a sentence of ours.
func flagError(f *flag.FlagSet, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return fmt.Errorf("there is no flag --%s", strings.TrimPrefix(name, "-"))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return fmt.Errorf("--%s needs a value behind it", name)
	}
	// invalid value "abc" for flag -rate: parse error
	text = strings.TrimPrefix(strings.TrimPrefix(text, "invalid value "), "invalid boolean value ")
	value, _ := strconv.QuotedPrefix(text)
	_, rest, _ := strings.Cut(text[len(value):], "-")
	name, why, _ := strings.Cut(rest, ": ")
	if fl := f.Lookup(name); fl != nil {
		return fmt.Errorf("--%s can't be %s: %s", name, value, takes(fl, why))
	}
	return err
}

// takes says what a flag takes, or why it did not take something.
func takes(fl *flag.Flag, why string) string {
	if g, ok := fl.Value.(flag.Getter); ok {
		switch g.Get().(type) {
		case bool:
			return "it takes true or false"
		case int, int64:
			return "it takes a whole number"
		case float64:
			return "it takes a number"
		case time.Duration:
			return "it takes a time with its unit, like 90s, 30m or 720h"
		}
	}
	return why
}

// printFlags writes down the flags as documents write them, with two dashes.
func printFlags(w io.Writer, f *flag.FlagSet) {
	f.VisitAll(func(fl *flag.Flag) {
		value, about := flag.UnquoteUsage(fl)
		if about += defaultOf(fl); value != "" {
			value = " " + value
		}
		fmt.Fprintf(w, "  --%s%s\n", fl.Name, value)
		fmt.Fprintln(w, wrapped(about, strings.Repeat(" ", 6)))
	})
}

// defaultOf is the default as --help shows it; "" for none.
func defaultOf(fl *flag.Flag) string {
	value := fl.DefValue
	if g, ok := fl.Value.(flag.Getter); ok {
		if d, ok := g.Get().(time.Duration); ok && d != 0 {
			for _, zeros := range []string{"m0s", "h0m"} {
				if strings.HasSuffix(value, zeros) {
					value = value[:len(value)-2]
				}
			}
		}
	}
	switch value {
	case "", "0", "0s", "false":
		return ""
	}
	return fmt.Sprintf(" (default %s)", value)
}

// number is a number of things as a sentence has it.
func number[N int | int64](n N, thing string) string {
	return count(n, thing, thing+"s")
}

// count is a number with what is said of one thing, or of another number.
func count[N int | int64](n N, one, other string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, other)
}

// wrapped breaks a text into lines of helpWidth columns at most, each behind an indent.
func wrapped(text, indent string) string {
	var b strings.Builder
	column := helpWidth
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column+1+n > helpWidth:
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
