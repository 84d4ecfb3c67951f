package web_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"parley/shared/lang"
)

// sources are the page's own files: scripts without their comments, templates,
// and style sheets.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("static/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	comment := regexp.MustCompile(`(?m)^\s*(//|/\*\*|\*[ /]).*$|\s// .*$`)
	all := make(map[string]string)
	for _, f := range append(files, "page.html", "problem.html", "join.html", "app.html") {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(data)
		if filepath.Ext(f) == ".js" {
			all[filepath.Base(f)] = comment.ReplaceAllString(string(data), "")
		}
	}
	return all
}

// oldest are the browsers that the page's style is for; its scripts are ES2020.
var oldest = []api.Engine{{Name: api.EngineChrome, Version: "87"}, {Name: api.EngineEdge, Version: "87"}, {Name: api.EngineFirefox, Version: "78"}, {Name: api.EngineSafari, Version: "14"}, {Name: api.EngineIOS, Version: "14"}}

// TestOldestBrowsers has a compiler write the page for old browsers: it changes
// nothing. What a compiler does not know, methods and rules of later years, is
// looked for by name.
func TestOldestBrowsers(t *testing.T) {
	write := func(name, source string, options api.TransformOptions) string {
		r := api.Transform(source, options)
		for _, m := range append(r.Errors, r.Warnings...) {
			t.Errorf("%s: %s", name, m.Text)
		}
		return string(r.Code)
	}
	later := regexp.MustCompile(`\.(at|findLast|findLastIndex|toSorted|toReversed|with|replaceAll|hasOwn|groupBy)\(|structuredClone|randomUUID|\(\?<[=!]|:has\(|(?m)^\s*inset|[{;]gap:|:is\(|:where\(|color-mix|@layer|@container`)
	for name, source := range sources(t) {
		newest, old := api.TransformOptions{Target: api.ESNext}, api.TransformOptions{Target: api.ES2020}
		switch filepath.Ext(name) {
		case ".css":
			newest.Loader, old = api.LoaderCSS, api.TransformOptions{Loader: api.LoaderCSS, Engines: oldest}
		case ".js":
			newest.Format, old.Format = api.FormatESModule, api.FormatESModule
		default:
			continue
		}
		if write(name, source, newest) != write(name, source, old) {
			t.Errorf("%s has what the oldest browsers don't know", name)
		}
		if found := later.FindString(source); found != "" {
			t.Errorf("%s has %q, which is newer than the oldest browsers", name, found)
		}
	}
}

func ownSentences(t *testing.T, code string) map[string]string {
	t.Helper()
	var m map[string]string
	data, err := os.ReadFile("lang/" + code + ".json")
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sentences(t *testing.T, code string) map[string]string {
	t.Helper()
	m, err := lang.Sentences(code)
	if err != nil {
		t.Fatal(err)
	}
	for key, s := range ownSentences(t, code) {
		if m[key] != "" {
			t.Errorf("%s: %q is both the page's own and shared", code, key)
		}
		m[key] = s
	}
	return m
}

var pluralKey = regexp.MustCompile(`^(.+)\.(zero|one|two|few|many|other)$`)

// counted is a key without its plural form, and whether it has one.
func counted(m map[string]string, key string) (string, bool) {
	if p := pluralKey.FindStringSubmatch(key); p != nil && m[p[1]+".other"] != "" {
		return p[1], true
	}
	return key, false
}

// Every language has every sentence, in all forms that it counts in, with the
// same values.
func TestTranslations(t *testing.T) {
	form := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}
	value := regexp.MustCompile(`\{\w+\}`)
	english := sentences(t, "en")
	for _, l := range lang.Languages {
		m, want := sentences(t, l.Code), make(map[string]bool)
		for key := range english {
			base, counts := counted(english, key)
			if !counts {
				want[key] = true
				continue
			}
			want[base+".other"] = true
			for n := range 200 {
				want[base+"."+form[plural.Cardinal.MatchPlural(language.Make(l.Code), n, 0, 0, 0, 0)]] = true
			}
		}
		for key := range want {
			if m[key] == "" {
				t.Errorf("%s: %q is missing", l.Code, key)
			}
		}
		for key, s := range m {
			base, counts := counted(m, key)
			source := english[base]
			if counts {
				source = english[base+".other"]
			}
			got, same := value.FindAllString(s, -1), value.FindAllString(source, -1)
			slices.Sort(got)
			slices.Sort(same)
			if source == "" || !slices.Equal(got, same) {
				t.Errorf("%s: %q has the values %v, English has %v", l.Code, key, got, same)
			}
		}
	}
}

// Every key that the page asks for exists, and the page has no words of its own.
func TestKeysOfThePage(t *testing.T) {
	english := sentences(t, "en")
	known := make(map[string]bool)
	for key := range english {
		known[key] = true
		base, _ := counted(english, key)
		known[base] = true
	}
	used := make(map[string]bool)
	ask := func(file, key string) {
		used[key] = true
		if !known[key] {
			t.Errorf("%s: %q does not exist", file, key)
		}
	}
	inTemplate := regexp.MustCompile(`\{\{t "([^"]+)"\}\}|data-(?:t|label|hint)=([\w.]+)`)
	inScript := regexp.MustCompile(`'([a-z]+(?:\.[a-z_]+)+)'`)
	prefix := regexp.MustCompile("`([a-z]+\\.)\\$\\{")
	word := regexp.MustCompile(`['"]([A-Z][a-z]\w*[^'"]*)['"]`)
	notWords := []string{"Enter", "Escape", "Tab", "ArrowUp", "Parley", "Guest-", "Page-Origin"}
	tag := regexp.MustCompile(`(?s)<svg hidden>.*?</svg>|<[^>]*>|\{\{.*?\}\}`)
	attribute := regexp.MustCompile(`(?:aria-label|placeholder|title|alt)="([^"{]+)"`)
	for name, source := range sources(t) {
		switch filepath.Ext(name) {
		case ".html":
			for _, m := range inTemplate.FindAllStringSubmatch(source, -1) {
				ask(name, m[1]+m[2])
			}
			for _, m := range attribute.FindAllStringSubmatch(source, -1) {
				t.Errorf("%s says %q in one language", name, m[1])
			}
			for _, s := range strings.Fields(tag.ReplaceAllString(source, " ")) {
				if !slices.Contains([]string{"Parley", "·", "🤫", "--allow-host", "1", "2"}, s) {
					t.Errorf("%s says %q in one language", name, s)
				}
			}
		case ".js":
			for _, m := range inScript.FindAllStringSubmatch(source, -1) {
				if m[1] != "parley.v" {
					ask(name, m[1])
				}
			}
			for _, m := range prefix.FindAllStringSubmatch(source, -1) {
				for key := range known {
					used[key] = used[key] || strings.HasPrefix(key, m[1])
				}
			}
			for _, m := range word.FindAllStringSubmatch(source, -1) {
				if !slices.Contains(notWords, m[1]) {
					t.Errorf("%s says %q in one language", name, m[1])
				}
			}
		}
	}
	for _, key := range []string{"problem.room", "problem.nothing"} { // asked for in web.go
		used[key] = true
	}
	for key := range maps.Keys(ownSentences(t, "en")) {
		if base, _ := counted(english, key); !used[base] {
			t.Errorf("%q is asked for nowhere", key)
		}
	}
}
