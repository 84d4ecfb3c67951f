package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"parley/server/chat"
	"parley/shared"
)

// timeFormat is a time as the host's people read it.
const timeFormat = "2006-01-02 15:04:05 -0700"

// exportFormats are the ways to write down a message as it is now, or a notice.
var exportFormats = map[string]func(io.Writer) func(chat.Entry) error{
	"jsonl": func(w io.Writer) func(chat.Entry) error {
		return func(e chat.Entry) error {
			if e.Kind == chat.KindNotice {
				_, err := fmt.Fprintf(w, "%s\n", shared.Encode(chat.Notice(e, "")))
				return err
			}
			m := shared.Message{
				Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, Text: e.Text, Time: e.Time,
				Edited: e.Edited, Reply: e.Reply, Reactions: chat.Counts(e.Extras().Reactions),
			}
			if f := e.Extras().File; f != nil {
				m.File = f.Shared(e.Text)
			}
			_, err := fmt.Fprintf(w, "%s\n", shared.Encode(m))
			return err
		}
	},
	"txt": func(w io.Writer) func(chat.Entry) error {
		return func(e chat.Entry) error {
			if e.Kind == chat.KindNotice {
				_, err := fmt.Fprintf(w, "%s  * %s\n", e.Time.Local().Format(timeFormat), doing(e))
				return err
			}
			_, err := fmt.Fprintf(w, "%s  %s%s: %s\n", e.Time.Local().Format(timeFormat), plain(e.User), remarks(e), plain(e.Text))
			return err
		}
	},
}

// remarks are what else there is to say of a message, like " (to Bob, edited, 👍 3)".
// They come before its text, so that no text can pass for them.
func remarks(e chat.Entry) string {
	var all []string
	switch {
	case e.Extras().Quote != nil:
		all = append(all, "to "+plain(e.Extra.Quote.User))
	case e.Reply != 0:
		all = append(all, "to a deleted message")
	}
	if f := e.Extras().File; f != nil {
		text := fmt.Sprintf("file \"%s\", %s", strings.ReplaceAll(plain(f.Name), `"`, `\u{22}`), number(f.Size, "byte"))
		if f.Gone {
			text += ", not kept"
		}
		all = append(all, text)
	}
	if e.Edited {
		all = append(all, "edited")
	}
	for _, c := range chat.Counts(e.Extras().Reactions) {
		all = append(all, fmt.Sprint(c.Emoji, " ", c.N))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// doing is a sentence about what a host did.
func doing(e chat.Entry) string {
	host, about := plain(e.User), plain(e.Extra.Act.About)
	if host == "" {
		host = "The server's operator"
	}
	switch e.Extra.Act.Do {
	case shared.DoOpen:
		return host + " hosts this room."
	case shared.DoSet:
		return host + " set: " + settings(*e.Extra.Act.Settings) + "."
	case shared.DoRemove:
		return host + " removed " + about + "."
	case shared.DoAdmit:
		return host + " let " + about + " in again."
	case shared.DoSilence:
		return host + " silenced " + about + "."
	case shared.DoUnsilence:
		return host + " let " + about + " write again."
	case shared.DoHost:
		return host + " made " + about + " a host."
	case shared.DoUnhost:
		return host + " ended that " + about + " is a host."
	case shared.DoDeleteAll:
		return host + " deleted everything that " + about + " wrote."
	case shared.DoPin:
		if e.Target == 0 {
			return host + " pinned no message any more."
		}
		return host + " pinned a message."
	}
	return host + " did what this version does not know."
}

// settings are what was set, in words.
func settings(s shared.Settings) string {
	var all []string
	for _, say := range []struct{ value, is, text string }{
		{s.Write, shared.WhoAll, "all write"}, {s.Write, shared.WhoHosts, "only hosts write"},
		{s.Door, shared.DoorOpen, "everyone comes in"}, {s.Door, shared.DoorKnown, "only those come in who were here before"}, {s.Door, shared.DoorClosed, "nobody else comes in"},
		{s.Files, shared.WhoAll, "all send files"}, {s.Files, shared.WhoHosts, "only hosts send files"}, {s.Files, shared.WhoNone, "nobody sends files"},
	} {
		if say.value == say.is {
			all = append(all, say.text)
		}
	}
	switch {
	case s.Slow == nil:
	case *s.Slow == 0:
		all = append(all, "nobody waits between two messages")
	default:
		all = append(all, fmt.Sprintf("everyone waits %d s between two messages", *s.Slow))
	}
	return strings.Join(all, ", ")
}

// plain is a text that neither a terminal nor an editor takes for anything
// else: what is not to be seen is written as \u{…}, but for the joiners and
// variation selectors of scripts and emoji. Further lines are indented, so that
// none can pass for another message.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("\n    ")
		case r == '\t' || r == '\u200c' || r == '\u200d' || r >= '\ufe00' && r <= '\ufe0f' || unicode.IsPrint(r) || unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		default:
			b.WriteString(`\u{` + strconv.FormatInt(int64(r), 16) + "}")
		}
	}
	return b.String()
}
