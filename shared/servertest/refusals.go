package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Refusals are the sentences that the server's code refuses with, with a name and a number
// put in, as far as they may be shown and say more than their code does.
func Refusals(t testing.TB) (sentences []string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "parley/server").Output()
	if err != nil {
		t.Fatal(err)
	}
	byCode := map[string]bool{ // what these say, their codes say
		"Bob lets everyone write once in 10 s.":                    true, // never shown: the message waits
		"This server knows nothing of that name that a host does.": true,
		"What is said with a file has at most 10 characters.":      true,
		"You are sending too fast.":                                true,
	}
	said := regexp.MustCompile(`(?s)(?:byRule\("\w+", |notAllowed\(|notFound\(|refuse\(|Reason: (?:fmt\.Sprintf\()?|says(?:NoChange|Half|NoFiles)\s+= )"([A-Z%][^"]+\.)"`)
	for _, file := range []string{"chat/rules.go", "chat/effect.go", "chat/change.go", "chat/holdings.go", "chat/upload.go", "files/files.go", "sqlitelog/files.go", "pglog/files.go"} {
		source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), file))
		if err != nil {
			t.Fatal(err)
		}
		found := said.FindAllStringSubmatch(string(source), -1)
		if len(found) == 0 {
			t.Errorf("%s refuses nothing", file)
		}
		for _, m := range found {
			s := strings.NewReplacer("%s", "Bob", "%d", "10").Replace(m[1])
			if !byCode[s] {
				sentences = append(sentences, s)
			}
		}
	}
	return sentences
}
