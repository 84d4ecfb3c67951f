package chat

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/shared"
)

// What an entry does to the rows of a log. Every log decides it with these functions, so
// that one that is replayed into another comes to the same.

// Target is what a log has of the message that an entry is about.
type Target struct {
	Device, User string
	Time         time.Time
	HasFile      bool
	Reactions    int  // how many it has
	Reacted      bool // one of them is of the entry's device
}

// About returns the offset of the message that e is about; 0 if it is about none.
func (e *Entry) About() int64 {
	if e.Kind == KindMessage {
		return e.Reply
	}
	return e.Target
}

// Refer decides what does not depend on the rules alone. T is the message at About
// with the id e.Of, or nil if there is none, or it is deleted. It reports whether e is about it: a reply that
// is not loses its Reply. It names in a notice whom it is about. The error is a *Refusal.
func (r *Rules) Refer(e *Entry, t *Target) (about bool, err error) {
	if e.About() == 0 && (e.Kind == KindMessage || e.Kind == KindNotice) {
		return false, nil
	}
	if t == nil {
		if e.Kind == KindMessage {
			e.Reply = 0
			return false, nil
		}
		return false, &Refusal{Code: shared.CodeNotFound}
	}
	switch e.Kind {
	case KindEdit, KindDelete:
		_, host := r.Hosts[e.Device]
		if (t.Device != e.Device || t.Time.Before(e.Extras().Since)) && !(host && e.Kind == KindDelete) {
			return false, &Refusal{Code: shared.CodeNotAllowed}
		}
		if e.Kind == KindEdit && t.HasFile && utf8.RuneCountInString(e.Text) > shared.MaxCaption {
			return false, &Refusal{Code: shared.CodeTooLong, Reason: fmt.Sprintf("What is said with a file has at most %d characters.", shared.MaxCaption)}
		}
	case KindReact:
		others := t.Reactions
		if t.Reacted {
			others--
		}
		if e.Extras().Emoji != "" && others >= MaxReactions {
			return false, &Refusal{Code: shared.CodeNotAllowed}
		}
	case KindNotice:
		if was := e.Extras().Act; was != nil && was.Do != shared.DoPin {
			act := *was
			act.Device, act.About = t.Device, t.User
			e.Own().Act = &act
		}
	}
	return true, nil
}

// MayTake returns nil if a message can have the file of a row, or else a *Refusal that
// says why not. The row is nil if there is no such file.
func (e *Entry) MayTake(row *FileRow) error {
	refuse := func(reason string) error { return &Refusal{Code: shared.CodeNotAllowed, Reason: reason} }
	switch {
	case row == nil || row.Room != e.Room || row.Device != e.Device:
		return refuse("You have sent no such file to this room, or too long ago. Send it again.")
	case row.Offset != 0:
		return refuse("Another message has this file already.")
	case row.State != FileWhole:
		return refuse("The file has not arrived as a whole.")
	}
	return nil
}

// RowText is what an entry's row has as its text: an edit's is in the row of its message.
func (e *Entry) RowText() string {
	switch e.Kind {
	case KindEdit:
		return ""
	case KindDelete, KindNotice:
		return e.Packed()
	case KindReact:
		return e.Extras().Emoji
	}
	return e.Text
}

// DeletesAtOnce is how many messages a notice deletes in one transaction. If there are
// more, others' entries go between.
const DeletesAtOnce = 2000

// DeletesFirst returns the messages that are deleted before a notice, in a transaction of
// their own, out of all that are to be deleted, in order of their offsets. It is none if
// the rest goes with the notice. The notice's target is not among them: it has to be there
// when the notice comes.
func DeletesFirst(notice Entry, messages []int64) []int64 {
	if len(messages) <= DeletesAtOnce {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(messages[:DeletesAtOnce]), func(offset int64) bool { return offset == notice.Target })
}

// Deletes returns the deletes that a notice brings with it, of messages in order of their
// offsets. They are the entries after head.
func Deletes(notice Entry, messages []int64, head int64) (all []Entry) {
	for targets := range slices.Chunk(messages, shared.MaxTargets) {
		e := Entry{Room: notice.Room, ID: deleteID(notice.ID, targets[0]), Device: notice.Device, User: notice.User, Time: notice.Time,
			Kind: KindDelete, Target: targets[0], Offset: head + 1 + int64(len(all))}
		if len(targets) > 1 {
			e.Own().Targets = targets
		}
		all = append(all, e)
	}
	return all
}

// deleteID is the id of the delete that a notice brings with it and whose first target is
// at an offset. It is no other one's: an id that a client makes is not a hash of another.
func deleteID(notice string, target int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", notice, target))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
