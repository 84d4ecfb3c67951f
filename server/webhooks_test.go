package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"parley/shared"
	"parley/shared/servertest"
)

// webhook is another program's settings in docs/api.md, and the server that it
// posts to.
type webhook struct {
	t      *testing.T
	doc    string // the program's part of the document
	server *servertest.Server
	ann    *servertest.Member
}

const webhookToken = "a-token-for-webhooks"

func newWebhook(t *testing.T, program string) *webhook {
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, doc, found := strings.Cut(string(text), "\n## "+program+"\n")
	if !found {
		t.Fatalf("docs/api.md lacks %s", program)
	}
	doc, _, _ = strings.Cut(doc, "\n## ")
	server := servertest.Start(t, "--api-token-file", tokenFile(t))
	return &webhook{t, doc, server, server.Join("Lobby", "Ann")}
}

// setting returns what a pattern's group matches in a line of the document.
func (w *webhook) setting(pattern string) string {
	w.t.Helper()
	m := regexp.MustCompile(`(?m)^ *` + pattern + `$`).FindStringSubmatch(w.doc)
	if m == nil {
		w.t.Fatalf("docs/api.md has no setting %s", pattern)
	}
	return m[1]
}

// post sends a request to the document's address and returns the status of the
// answer and the message's id.
func (w *webhook) post(header map[string]string, body string) (status int, id string) {
	w.t.Helper()
	address, found := strings.CutPrefix(w.setting(`url: (.*)`), "http://192.168.1.5:8000")
	if !found {
		w.t.Error("docs/api.md posts to another server than it says")
	}
	req, err := http.NewRequest(http.MethodPost, w.server.URL(address), strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Close = true
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ ID, Detail string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode >= 400 {
		w.t.Fatalf("%s is answered with %d %s, %v", body, resp.StatusCode, answer.Detail, err)
	}
	return resp.StatusCode, answer.ID
}

// hear takes the next message in the room.
func (w *webhook) hear(user, text string) {
	w.t.Helper()
	if m := w.ann.Next(shared.TypeChat); m.User != user || m.Text != text {
		w.t.Errorf("%s said %q, not %s %q", m.User, m.Text, user, text)
	}
}

// TestHomeAssistant sends what Home Assistant sends with the settings in
// docs/api.md.
func TestHomeAssistant(t *testing.T) {
	w := newWebhook(t, "Home Assistant")
	for _, line := range []string{
		`(parley_authorization: "Bearer THE-TOKEN")`, `(method: post)`, `(Authorization: !secret parley_authorization)`,
		`(payload: '\{\{ \{"message": message, "user": "Home"\} \| to_json \}\}')`,
		`(Idempotency-Key: "\{\{ key \| default\(''\) \}\}")`,
	} {
		w.setting(line)
	}
	say := func(text, key string) (int, string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"message": text, "user": "Home"})
		if err != nil {
			t.Fatal(err)
		}
		return w.post(map[string]string{
			"User-Agent":      "HomeAssistant/2026.11.0 aiohttp/3.13.2 Python/3.13",
			"Accept":          "*/*",
			"Authorization":   "Bearer " + webhookToken,
			"Content-Type":    w.setting(`content_type: (.*)`),
			"Idempotency-Key": key,
		}, string(body))
	}
	// A context is a ULID; an automation's key adds what it is about.
	key := "01KB5Q6J2XN1W7R8V9T0ABCDEF" + strings.TrimPrefix(w.setting(`key: "(.*)"`), "{{ context.id }}")
	status, first := say("Die Wäsche ist \"fertig\".\n🧺", key)
	again, second := say("Die Wäsche ist \"fertig\".\n🧺", key)
	if status != http.StatusCreated || again != http.StatusOK || first != key || second != key {
		t.Errorf("a request and its repeat are answered with %d %s and %d %s", status, first, again, second)
	}
	w.hear("Home", "Die Wäsche ist \"fertig\".\n🧺")
	for range 2 { // without a key, each request is a message
		if status, _ := say("The door is open.", ""); status != http.StatusCreated {
			t.Errorf("a request without a key is answered with %d", status)
		}
		w.hear("Home", "The door is open.")
	}
}

// TestGrafana sends what Grafana sends with the settings in docs/api.md.
func TestGrafana(t *testing.T) {
	w := newWebhook(t, "Grafana")
	w.setting(`(httpMethod: POST)`)
	w.setting(`(authorization_credentials: \$PARLEY_TOKEN)`)
	header := map[string]string{
		"User-Agent":    "Grafana",
		"Content-Type":  "application/json",
		"Authorization": w.setting(`authorization_scheme: (.*)`) + " " + webhookToken,
	}
	const title = `[FIRING:1] Disk "full" <db> (prod)`
	payload, err := template.New("").Funcs(gomplate(title)).Parse(w.setting(`template: \|\n *(.*)`))
	if err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	if err := payload.Execute(&body, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the alert, and its repeat after some hours
		if status, _ := w.post(header, body.String()); status != http.StatusCreated {
			t.Errorf("an alert is answered with %d", status)
		}
		w.hear("Grafana", title)
	}

	// Before version 12: all that Grafana knows, of which Message is a part.
	if !strings.Contains(w.doc, "`{{ template \"default.title\" . }}`") {
		t.Error("docs/api.md lacks what to do before version 12")
	}
	alert := `{"status":"firing","labels":{"alertname":"Disk"},"annotations":{},"startsAt":"2026-11-28T10:00:00Z",
		"endsAt":"0001-01-01T00:00:00Z","values":{"A":1},"fingerprint":"c6eadffa33fcdf37","generatorURL":""}`
	quoted, err := json.Marshal(title)
	if err != nil {
		t.Fatal(err)
	}
	w.post(header, fmt.Sprintf(`{"receiver":"Parley","status":"firing","alerts":[%s],
		"groupLabels":{"alertname":"Disk"},"commonLabels":{"alertname":"Disk"},"commonAnnotations":{},
		"externalURL":"http://localhost:3000/","version":"1","groupKey":"{}:{alertname=\"Disk\"}","truncatedAlerts":0,
		"orgId":1,"title":%s,"state":"alerting","message":%s}`, alert, quoted, quoted))
	w.hear("Bot", title)
}

// gomplate returns the functions of Grafana's templates that docs/api.md needs.
// All of Grafana's own templates give the same text.
func gomplate(text string) template.FuncMap {
	return template.FuncMap{
		"coll": func() gomplateColl { return gomplateColl{} },
		"data": func() gomplateData { return gomplateData{} },
		"tmpl": func() gomplateTmpl { return gomplateTmpl{text} },
	}
}

type gomplateColl struct{}

// Dict makes an object of names and values that take turns.
func (gomplateColl) Dict(pairs ...any) map[string]any {
	all := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i].(string)] = pairs[i+1]
	}
	return all
}

type gomplateData struct{}

// ToJSON encodes a value.
func (gomplateData) ToJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

type gomplateTmpl struct{ text string }

// Exec executes a template by its name.
func (g gomplateTmpl) Exec(string, any) string { return g.text }
