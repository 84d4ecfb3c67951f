package chat

import (
	"errors"

	"parley/shared"
)

// change takes what a member does to a message: to delete it, or to react to it.
func (s *session) change(m shared.Message) bool {
	if err := checkSent(m); err != nil {
		return s.handle(m, err)
	}
	e := Entry{Kind: KindDelete, Target: m.Target, Extra: &Extra{Of: m.Of, Emoji: m.Emoji}}
	if m.Type == shared.TypeReact {
		e.Kind = KindReact
	}
	return s.add(m, e)
}

// checkSent checks what a member of parley.v1 wants to have added to the log.
func checkSent(m shared.Message) error {
	if err := shared.CheckID(m.ID); err != nil {
		return err
	}
	return shared.CheckChange(m)
}

// mayChange reports whether edits and deletions are allowed at all, and stamps into
// one which messages are too old for it. Hosts may always delete.
func (s *session) mayChange(e *Entry) bool {
	if e.Kind != KindEdit && e.Kind != KindDelete {
		return true
	}
	e.Own().Since = e.Time.Add(-s.core.cfg.EditFor)
	return s.core.cfg.EditFor > 0 ||
		e.Kind == KindDelete && s.room.ruling.may(Who{Device: s.member.device, Here: true}, ToHost, e.Time) == nil
}

const (
	saysTutorialChange = "This connection can't change messages. Others need the subprotocol " + shared.Protocol + "."
	saysNoChange       = "On this server nobody changes what was said."
)

// sayRefused is what a person is told whose change the log has refused.
func sayRefused(kind Kind, refusal *Refusal) string {
	switch {
	case refusal.Reason != "":
		return refusal.Reason
	case refusal.Code == shared.CodeNotFound:
		return "The message is gone."
	case kind == KindReact:
		return "Too many people have reacted to this message."
	}
	return "You can't change this message: another device wrote it, or it is too old."
}

// refusalOf returns why the log has refused an entry, nil if it has not.
func refusalOf(err error) (refusal *Refusal) {
	errors.As(err, &refusal)
	return refusal
}
