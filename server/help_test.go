package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelp reads the help of the program and of each command: all of it fits into a
// terminal of 80 columns, with flags as the documents write them, on the standard output.
func TestHelp(t *testing.T) {
	all := []string{""}
	for _, c := range commands() {
		all = append(all, c.name)
	}
	for _, name := range all {
		args := strings.Fields(name + " --help")
		var out, problems strings.Builder
		if err := run(t.Context(), args, nil, &out, &problems); err != errHelp || problems.Len() > 0 {
			t.Errorf("%q: %v, and on the standard error %q", args, err, &problems)
		}
		text := out.String()
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%q has a line of %d columns: %s", args, n, line)
			}
		}
		if !strings.Contains(text, "\n  --") || strings.Contains(text, "\n  -d") {
			t.Errorf("%q does not have its flags with two dashes:\n%s", args, text)
		}
		words := strings.Join(strings.Fields(text), " ")
		if name == "host" && (!strings.Contains(words, mustRun) || strings.Contains(words, mayRun)) {
			t.Errorf("%q does not say that the server has to run:\n%s", args, text)
		}
		var same strings.Builder
		if err := run(t.Context(), append([]string{"help"}, args[:len(args)-1]...), nil, &same, io.Discard); err != errHelp || same.String() != text {
			t.Errorf("help %s: %v, another text", name, err)
		}
	}
}

// TestWrongFlags gives flags what they don't take. The answer is one sentence, which the
// help behind it would push off the screen.
func TestWrongFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"there is no flag --port: see --help":                                                       {"-port", "9000"},
		"there is no flag --foo: see --help":                                                        {"doctor", "--foo=1"},
		"--addr needs a value behind it: see --help":                                                {"--addr"},
		`--rate can't be "abc": it takes a number: see --help`:                                      {"--rate", "abc"},
		`--burst can't be "1.5": it takes a whole number: see --help`:                               {"--burst=1.5"},
		`--edit-for can't be "5": it takes a time with its unit, like 90s, 30m or 720h: see --help`: {"--edit-for", "5"},
		`--pprof can't be "often": it takes true or false: see --help`:                              {"--pprof=often"},
		`--trusted-proxy can't be "foo": "foo" is neither an address nor a network: see --help`:     {"--trusted-proxy", "foo"},
		`--rate can't be "a for flag -b: c": it takes a number: see --help`:                         {"--rate", "a for flag -b: c"},
		`--remove can't be "one": it takes a whole number: see --help`:                              {"hosts", "--remove", "one"},
	} {
		var out, problems strings.Builder
		err := run(t.Context(), args, nil, &out, &problems)
		if !errors.Is(err, errUsage) || err.Error() != want || out.Len()+problems.Len() > 0 {
			t.Errorf("%q: %v, want %s; printed %q", args, err, want, out.String()+problems.String())
		}
	}
	if err := run(t.Context(), nil, []string{"PARLEY_RATE=x"}, io.Discard, io.Discard); err == nil || err.Error() != `the variable PARLEY_RATE can't be "x": it takes a number` {
		t.Errorf("PARLEY_RATE=x: %v", err)
	}
}

// TestExitOfWrongSettings tells settings that are not understood, after which a service is
// not started again, from a file that may be there later.
func TestExitOfWrongSettings(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "token")
	for setting, want := range map[string]bool{
		"PARLEY_RATE=x": true, "PARLEY_TLS=on": true, "PARLEY_MAX_TEXT=9999": true, "PARLEY_URL=foo": true,
		"PARLEY_API_TOKEN_FILE=" + missing: false,
	} {
		err := run(t.Context(), nil, []string{setting}, io.Discard, io.Discard)
		if err == nil || errors.Is(err, errUsage) != want {
			t.Errorf("%s: %v ends the process with 2: %v", setting, err, !want)
		}
	}
}
