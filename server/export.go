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

// exportFormats are the ways to write down a message as it is now.
var exportFormats = map[string]func(io.Writer) func(chat.Entry) error{
	"jsonl": func(w io.Writer) func(chat.Entry) error {
		return func(e chat.Entry) error {
			_, err := fmt.Fprintf(w, "%s\n", shared.Encode(shared.Message{
				Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, Text: e.Text, Time: e.Time,
				Edited: e.Edited, Reply: e.Reply, Reactions: chat.Counts(e.Reactions),
			}))
			return err
		}
	},
	"txt": func(w io.Writer) func(chat.Entry) error {
		return func(e chat.Entry) error {
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
	case e.Quote != nil:
		all = append(all, "to "+plain(e.Quote.User))
	case e.Reply != 0:
		all = append(all, "to a deleted message")
	}
	if e.Edited {
		all = append(all, "edited")
	}
	for _, c := range chat.Counts(e.Reactions) {
		all = append(all, fmt.Sprint(c.Emoji, " ", c.N))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
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
