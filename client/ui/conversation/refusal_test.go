package conversation

import (
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/shared"
	"parley/shared/servertest"
)

// The sentences that the server says of hosts are said in the person's language.
func TestReasons(t *testing.T) {
	newLightApp()
	if err := lang.Use("de"); err != nil {
		t.Fatal(err)
	}
	defer lang.Use("en")
	for sentence, want := range map[string]string{
		"Ann has removed you from this room.":                                                             "Ann hat dich",
		"The server's operator has removed you from this room.":                                           "Der Serverbetreiber",
		"{name} lets in only those who have been in this room before.":                                    "{name}",
		"Ann has set that only hosts write here.":                                                         lang.T("quiet.hosts"),
		"Ann has silenced you. You can read, but not write.":                                              "Ann",
		"Ann has set that only hosts send files here.":                                                    lang.T("file.hosts"),
		"Ann has set that nobody sends files here.":                                                       lang.T("file.nobody"),
		"Ann has closed this room: nobody else comes in now.":                                             "Ann",
		"Somebody was removed from this room. For 10 minutes, nobody new comes in from the same address.": "10 Minuten",
		"Only a host of this room can do that.":                                                           lang.T("act.no.host"),
		"There is nobody of that name.":                                                                   lang.T("act.no.nobody"),
		"You can't do that to yourself.":                                                                  lang.T("act.no.self"),
		"Bob is a host of this room. You can only take that away.":                                        "Bob leitet",
		"Bob is a host of this room already.":                                                             "Bob leitet",
		"Bob was removed or silenced. Take that back first.":                                              "Bob wurde",
		"You are the last host of this room. Make another one first.":                                     lang.T("act.no.last"),
		"Bob was not removed, or is let in again already.":                                                lang.T("act.no.undone"),
		"Bob was not silenced, or may write again already.":                                               lang.T("act.no.undone"),
		"Bob is no host of this room.":                                                                    lang.T("act.no.undone"),
	} {
		got, ok := Reason(sentence)
		if !ok || !strings.Contains(got, want) || got == sentence {
			t.Errorf("%q is said as %q (%v)", sentence, got, ok)
		}
	}
	if got, ok := Reason("Something else."); ok {
		t.Errorf("another sentence is said as %q", got)
	}
	if got := actRefused(session.Undo{Reason: "Bob is no host of this room."}); got != lang.T("act.refused", "why", lang.T("act.no.undone")) {
		t.Errorf("a refused act is said as %q", got)
	}
}

// Whatever the server refuses is said in each of the app's languages: its code, and its
// sentence where that says more.
func TestRefusalsInEveryLanguage(t *testing.T) {
	newLightApp()
	defer lang.Use("en")
	sentences := servertest.Refusals(t)
	for _, l := range lang.Languages {
		if err := lang.Use(l.Code); err != nil {
			t.Fatal(err)
		}
		for _, code := range shared.ErrorCodes() {
			for what, got := range map[string]string{
				"a message": failureSentence(session.Item{Code: code}),
				"a file":    failureSentence(session.Item{Code: code, File: &session.File{}}),
				"a change":  undoneSentence(session.Undo{Did: session.DidEdit, Code: code}),
				"an act":    undoneSentence(session.Undo{Did: session.DidHost, Code: code}),
			} {
				if got == "" || strings.Contains(got, "failed.") || strings.Contains(got, "{") {
					t.Errorf("%s: %s refused with %s is said as %q", l.Code, what, code, got)
				}
			}
			if !lang.Has("failed." + string(code)) {
				t.Errorf("%s: %s has no sentence", l.Code, code)
			}
		}
		for _, s := range sentences {
			if got, ok := Reason(s); !ok || strings.Contains(got, "{") || l.Code != "en" && ok && got == s {
				t.Errorf("%s: %q is said as %q", l.Code, s, got)
			}
		}
	}
}

// What a later version refuses with is in its words, after what was not done.
func TestUnknownRefusal(t *testing.T) {
	newLightApp()
	if got := failureSentence(session.Item{Code: "of_later", Reason: "The moon\nis full."}); got != lang.T("failed.refused")+" The moon is full." {
		t.Errorf("it is said as %q", got)
	}
	if got := undoneSentence(session.Undo{Did: session.DidHost}); got != lang.T("act.refused", "why", lang.T("failed.refused")) {
		t.Errorf("a refusal without a reason is said as %q", got)
	}
}
