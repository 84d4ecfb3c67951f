package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOperatingNamesEachFlag compares the table of flags in docs/operating.md with
// what --help says: the same flags, with the same defaults.
func TestOperatingNamesEachFlag(t *testing.T) {
	var help bytes.Buffer
	if _, err := parseOptions([]string{"--help"}, nil, &help); !errors.Is(err, errHelp) {
		t.Fatal(err)
	}
	defaults := map[string]string{} // by flag; "" if --help names none
	for _, m := range regexp.MustCompile(`(?m)^  --([a-z-]+).*\n((?: {6}.*\n)+)`).FindAllStringSubmatch(help.String(), -1) {
		value := regexp.MustCompile(`\(default\s+(.*)\)\n$`).FindStringSubmatch(m[2])
		defaults[m[1]] = ""
		if value != nil {
			defaults[m[1]] = normal(value[1])
		}
	}
	if len(defaults) < 20 {
		t.Fatalf("only %d flags were read from:\n%s", len(defaults), &help)
	}
	text, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `--") {
			continue
		}
		columns := strings.Split(line, "|")
		names := regexp.MustCompile("`--([a-z-]+)[^`]*`").FindAllStringSubmatch(columns[1], -1)
		values := strings.Split(columns[2], ",")
		for i, name := range names {
			seen[name[1]] = true
			want, known := defaults[name[1]]
			if !known {
				t.Errorf("docs/operating.md has --%s, which is no flag", name[1])
				continue
			}
			got := ""
			if i < len(values) {
				got = normal(values[i])
			}
			if want != "" && got != want || want == "" && !slices.Contains([]string{"", "0", "the host's"}, got) {
				t.Errorf("docs/operating.md says that --%s is %q by default, --help says %q", name[1], got, want)
			}
		}
	}
	for name := range defaults {
		if !seen[name] {
			t.Errorf("docs/operating.md lacks --%s", name)
		}
	}
}

// normal is a default as both write it.
func normal(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "\"`")
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-2]
		}
	}
	return strings.ReplaceAll(s, ",", "")
}

// TestMakeHelp reads the list of targets in a terminal of 80 columns.
func TestMakeHelp(t *testing.T) {
	t.Parallel()
	help, err := exec.Command("make", "-C", "..", "--no-print-directory", "help").CombinedOutput()
	if err != nil || !bytes.Contains(help, []byte("\n  make run ")) || bytes.Count(help, []byte("\n  make ")) < 20 {
		t.Fatalf("%v: %s", err, help)
	}
	for line := range strings.Lines(string(help)) {
		if len(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("over 80 columns: %s", line)
		}
	}
}

// TestDocumentsNameTests looks for each test that a document relies on.
func TestDocumentsNameTests(t *testing.T) {
	var tests strings.Builder
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "logtest") || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		tests.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{"../SECURITY.md", "../docs/promise.md"} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s names only %d tests", document, len(names))
		}
		for _, name := range names {
			if !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("%s relies on %s, which is no test", document, name)
			}
		}
	}
}
