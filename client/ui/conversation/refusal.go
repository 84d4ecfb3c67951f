package conversation

import (
	"cmp"
	"regexp"
	"strings"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// A server says in English why it refused something. The app says that in the person's
// language, as exactly as it can: by the sentence, or else by the code.

// operator is what the server calls its operator in a sentence.
const operator = "The server's operator"

// reasons are the sentences of a server that say more than their code does, such as whose
// doing something is, and the keys of the same in the person's language.
var reasons = []struct {
	sentence   *regexp.Regexp
	key, value string
}{
	{regexp.MustCompile(`^(.+) has removed you from this room\.$`), "cause.removed_by", "name"},
	{regexp.MustCompile(`^(.+) has closed this room: nobody else comes in now\.$`), "cause.door_closed", "name"},
	{regexp.MustCompile(`^(.+) lets in only those who have been in this room before\.$`), "cause.door_known", "name"},
	{regexp.MustCompile(`^(Somebody) was removed from this room\. For \d+ minutes, nobody new comes in from the same address\.$`), "cause.door_beside", "name"},
	{regexp.MustCompile(`^(.+) has silenced you\. You can read, but not write\.$`), "quiet.silenced", "who"},
	{regexp.MustCompile(`^(.+) has set that only hosts write here\.$`), "quiet.hosts", "who"},
	{regexp.MustCompile(`^(.+) has set that only hosts send files here\.$`), "file.hosts", "who"},
	{regexp.MustCompile(`^(.+) has set that nobody sends files here\.$`), "file.nobody", "who"},
	{regexp.MustCompile(`^(Only a host) of this room can do that\.$`), "act.no.host", ""},
	{regexp.MustCompile(`^(There is nobody) of that name\.$`), "act.no.nobody", ""},
	{regexp.MustCompile(`^(You can't do that) to yourself\.$`), "act.no.self", ""},
	{regexp.MustCompile(`^(.+) is a host of this room(?: already\.|\. You can only take that away\.)$`), "act.no.is_host", "name"},
	{regexp.MustCompile(`^(.+) was removed or silenced\. Take that back first\.$`), "act.no.barred", "name"},
	{regexp.MustCompile(`^(You are the last host) of this room\.`), "act.no.last", ""},
	{regexp.MustCompile(`^(This was not written) by somebody in the room: `), "act.no.program", ""},
	{regexp.MustCompile(`^(This room was opened before), without you as its host\.$`), "act.no.opened", ""},
	{regexp.MustCompile(`^A room has at most (\d+) hosts\.$`), "act.no.more", "n"},
	{regexp.MustCompile(`^(.+) (?:was not removed, or is let in again already|was not silenced, or may write again already|is no host of this room)\.$`), "act.no.undone", "name"},
	{regexp.MustCompile(`^(You have sent no such file|Another message has this file|The file has not arrived|This file was begun as another|The server keeps this file no longer)\b`), "failed.file.again", ""},
	{regexp.MustCompile(`^The file has over (\d+) bytes\.$`), "failed.file.too_long", ""},
	{regexp.MustCompile(`^(This server takes no files)\.$`), "failed.file.unknown_type", ""},
	{regexp.MustCompile(`^(You have written half) of what this room keeps\.`), "failed.half", ""},
	{regexp.MustCompile(`^(On this server nobody changes) what was said\.$`), "failed.fixed", ""},
}

// Reason is a server's sentence in the person's language; ok is false if this version does
// not know it.
func Reason(sentence string) (s string, ok bool) {
	for _, r := range reasons {
		if m := r.sentence.FindStringSubmatch(sentence); m != nil {
			return lang.T(r.key, r.value, HostName(m[1])), true
		}
	}
	return "", false
}

// refusal says why a server refused something, or the session did. not says what was not
// done, for what neither the sentence nor the code tells.
func refusal(code shared.ErrorCode, reason, not string) string {
	if s, ok := Reason(reason); ok {
		return s
	}
	if code != "" && lang.Has("failed."+string(code)) {
		return lang.T("failed." + string(code))
	}
	if reason = text.OneLine(reason); reason != "" { // of a later version, which has its own words
		return not + " " + reason
	}
	return not
}

// failureSentence says why a message was refused.
func failureSentence(item session.Item) string {
	code := item.Code
	switch {
	case item.File != nil && (code == shared.CodeTooLong || code == shared.CodeUnknownType):
		return lang.T("failed.file." + string(code))
	case code == shared.CodeNotAllowed: // its sentence is about changes
		code = ""
	}
	return refusal(code, item.Reason, lang.T("failed.refused"))
}

// undoneSentence says why a change came to nothing.
func undoneSentence(u session.Undo) string {
	if u.Did == session.DidHost {
		return actRefused(u)
	}
	return refusal(u.Code, u.Reason, lang.T("failed.refused"))
}

// actRefused says that what a host wanted to do was not done.
func actRefused(u session.Undo) string {
	code := u.Code
	if code == shared.CodeNotAllowed { // its sentence is about changes
		code = ""
	}
	return lang.T("act.refused", "why", cmp.Or(strings.TrimSpace(refusal(code, u.Reason, "")), lang.T("failed.refused")))
}
