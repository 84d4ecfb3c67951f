package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"parley/shared/lang"
)

//go:embed page.html problem.html join.html app.html
var templates embed.FS

// own are the sentences that only the page says; shared/lang has those that the
// app says too.
//
//go:embed lang/*.json
var own embed.FS

// screen is what of the page is shown first.
type screen string

const (
	landing screen = "landing" // asks for a name
	list    screen = "list"    // the rooms
	room    screen = "room"
)

// sentences returns all that the page says in a language, by key.
func sentences(code string) map[string]string {
	words, err := lang.Sentences(code)
	if err != nil {
		panic(err) // embedded, so a mistake of the build
	}
	data, err := own.ReadFile("lang/" + code + ".json")
	if err != nil {
		panic(err)
	}
	var more map[string]string
	if err := json.Unmarshal(data, &more); err != nil {
		panic(err)
	}
	maps.Copy(words, more)
	return words
}

// translations are the files with the sentences for the script, by language.
func translations() map[string][]byte {
	files := make(map[string][]byte)
	for _, l := range lang.Languages {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		words := sentences(l.Code)
		maps.DeleteFunc(words, func(key, _ string) bool { // only pages without a script say them
			return strings.HasPrefix(key, "app.") || strings.HasPrefix(key, "join.")
		})
		if err := e.Encode(words); err != nil {
			panic(err)
		}
		files[l.Code] = b.Bytes()
	}
	return files
}

// pages are the templates in each language.
type pages struct {
	base      string // the root's path, which ends with a slash
	languages string // their codes
	byCode    map[string]*template.Template
	words     map[string]map[string]string
}

func readPages(base string) *pages {
	p := &pages{base: base + "/", byCode: make(map[string]*template.Template), words: make(map[string]map[string]string)}
	for _, l := range lang.Languages {
		words := sentences(l.Code)
		p.words[l.Code] = words
		functions := template.FuncMap{"t": func(key string) string { return words[key] }}
		p.byCode[l.Code] = template.Must(template.New("").Funcs(functions).ParseFS(templates, "*.html"))
		p.languages += " " + l.Code
	}
	p.languages = p.languages[1:]
	return p
}

// page is the page with a screen; the landing has the name of the room that it
// leads to, "" for none.
func (p *pages) page(s screen, room, code string) []byte {
	return p.execute(code, "page.html", map[string]any{"Screen": string(s), "Room": room, "Languages": p.languages})
}

// problem is the page that says why there is no other one: a key's sentence, or
// detail in English, which is more exact.
func (p *pages) problem(code, key, detail string) []byte {
	if code != "en" {
		detail = p.words[code][key]
	}
	return p.execute(code, "problem.html", map[string]any{"Detail": detail})
}

// wrongHost is the page under a name that is not the server's.
func (p *pages) wrongHost(code, host string) []byte {
	name, _, _ := strings.Cut(host, ":") // an address in brackets is never wrong
	if !hostPort.MatchString(name) {
		name = "…"
	}
	return p.execute(code, "problem.html", map[string]any{"Host": strings.ToLower(name)})
}

func (p *pages) execute(code, name string, data map[string]any) []byte {
	data["Lang"], data["Base"] = code, p.base
	var b bytes.Buffer
	if err := p.byCode[code].ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // a mistake in the template
	}
	return b.Bytes()
}

var matcher = func() language.Matcher {
	tags := make([]language.Tag, len(lang.Languages))
	for i, l := range lang.Languages {
		tags[i] = language.Make(l.Code)
	}
	return language.NewMatcher(tags)
}()

// languageOf is the translation that a browser asks for.
func languageOf(r *http.Request) string {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		tags = nil
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		i = 0
	}
	return lang.Languages[i].Code
}
