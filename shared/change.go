package shared

import (
	"fmt"
	"slices"
)

// Emojis are what one can react with, in the order in which counts are sent and
// shown.
var Emojis = []string{"👍", "👎", "❤️", "😂", "😮", "✅", "❓", "🎉"}

// Count is how many reacted to a message with one of the Emojis.
type Count struct {
	Emoji string
	N     int
}

// Reactors is who reacted to a message with one of the Emojis.
type Reactors struct {
	Emoji string
	Names []string // at most MaxMembers
}

// Quote is what a reply shows of the message that it answers.
type Quote struct {
	User string
	Text string // its beginning, at most MaxQuote code points
}

// TextDeleted stands in a deleted message for its text: what a client reads that
// knows nothing of Deleted.
const TextDeleted = "(deleted)"

// CheckChange checks what a client's chat_message, delete or react says of the
// message that it is about. The error is a *FrameError.
func CheckChange(m Message) error {
	target := m.Target
	if m.Type == TypeChat {
		target = max(m.Edits, m.Reply)
		if target == 0 {
			return nil
		}
	}
	switch {
	case m.Edits != 0 && m.File != nil:
		return badFrame("A message keeps the file that it has: its text can be corrected.")
	case m.Edits != 0 && m.Reply != 0:
		return badFrame("A message corrects another one or answers it, not both.")
	case target == 0:
		return badFrame("The field %q is missing.", "target")
	case m.Of == "":
		return badFrame("The field %q is missing: the id of the message that this one is about.", "of")
	case m.Type == TypeReact && m.Emoji != "" && !slices.Contains(Emojis, m.Emoji):
		return &FrameError{CodeBadFrame, fmt.Sprintf("One can't react with %q.", m.Emoji)}
	}
	return nil
}

// appendCounts appends counts as a JSON object, in the order that they have.
func appendCounts(b []byte, counts []Count) []byte {
	b = append(b, '{')
	for i, c := range counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(append(appendString(b, c.Emoji), ':'), int64(c.N))
	}
	return append(b, '}')
}

// appendReactors does the same for names.
func appendReactors(b []byte, reactors []Reactors) []byte {
	b = append(b, '{')
	for i, r := range reactors {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(appendString(b, r.Emoji), ':'), r.Names)
	}
	return append(b, '}')
}
