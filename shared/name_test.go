package shared_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"parley/shared"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ in, text, key string }{
		{"Lobby", "Lobby", "lobby"},
		{"LOBBY ", "LOBBY", "lobby"},
		{"  a   b ", "a b", "a b"},
		{"Ａｎｎ", "Ann", "ann"},
		{"Zażółć", "Zażółć", "zażółć"},
		{"田中", "田中", "田中"},
		{"👩\u200d🚀", "👩🚀", "👩🚀"},
		{"❤️", "❤", "❤"},
		{"क्\u200dष", "क्\u200dष", "क्\u200dष"}, // this joiner belongs to the script
	} {
		n, err := shared.PersonName(c.in)
		if err != nil || n.Text != c.text || n.Key != c.key {
			t.Errorf("%q: got %q, %q, %v", c.in, n.Text, n.Key, err)
		}
	}
}

func TestBadNames(t *testing.T) {
	for in, rule := range map[string]string{
		"":                          "empty",
		" \u3000":                   "empty",
		"\u200b":                    "empty",
		"a\x00b":                    "character",
		"a\nb":                      "character",
		"\u202eann":                 "character",
		"a\u200bb":                  "character",
		"a\u2800b":                  "character",
		"a\u2800":                   "character",
		"a\ufffc":                   "character",
		"a\U0001d159b":              "character",
		"\U00016fe4":                "character",
		"a\U0001107f":               "character",
		"\U00013441\U00013442":      "character",
		"a\xff":                     "UTF-8",
		"a/b":                       "slash",
		`a\b`:                       "slash",
		"／":                         "slash", // a slash once normalized
		".":                         "dots",
		"..":                        "dots",
		"．．":                        "dots",
		strings.Repeat("é", 33):     "over 32",
		strings.Repeat("x", 1e6):    "over 32",
		strings.Repeat("\ufdfa", 3): "over 32", // 18 characters each once normalized
	} {
		_, err := shared.PersonName(in)
		var ne *shared.NameError
		if !errors.As(err, &ne) || !strings.Contains(ne.Reason, rule) {
			t.Errorf("%.20q: got %v, want a rule about %q", in, err, rule)
		}
	}
	if _, err := shared.RoomName(strings.Repeat("é", 64)); err != nil {
		t.Errorf("a room of 64 characters: %v", err)
	}
	if _, err := shared.RoomName(strings.Repeat("é", 65)); err == nil {
		t.Error("a room of 65 characters is accepted")
	}
}

// What a name is cleaned to is a name that stays as it is.
func TestNamesSettle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, err := shared.PersonName(rapid.String().Draw(t, "name"))
		if err != nil {
			return
		}
		again, err := shared.PersonName(n.Text)
		if err != nil || again != n {
			t.Fatalf("%q became %q (%q), %v", n.Text, again.Text, again.Key, err)
		}
		if utf8.RuneCountInString(n.Text) > shared.MaxName {
			t.Fatalf("%q is too long", n.Text)
		}
	})
}

func TestCloseCodes(t *testing.T) {
	for code, want := range map[shared.CloseCode]bool{
		shared.CloseNormal: true, shared.CloseRestart: true, shared.CloseSlowConsumer: true, 4499: true, 5000: true,
		shared.CloseBadHello: false, shared.CloseNameTaken: false, 4999: false,
	} {
		if code.Reconnect() != want {
			t.Errorf("%d: reconnect is %v", code, !want)
		}
	}
	reason := shared.CloseReason(strings.Repeat("é", 100))
	if len(reason) > 123 || !utf8.ValidString(reason) || len(reason) < 122 {
		t.Errorf("a long reason is cut to %d bytes: %q", len(reason), reason)
	}
}

func TestVersionIsThePackages(t *testing.T) {
	toml, err := os.ReadFile("../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(toml), `Version = "`+shared.Version+`"`) {
		t.Errorf("FyneApp.toml has not the version %s", shared.Version)
	}
}
