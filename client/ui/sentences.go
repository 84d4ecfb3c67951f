package ui

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/shared"
)

// causeSentence says why there is no connection, and what to do.
func causeSentence(c session.Cause) string {
	if key := "cause." + string(c); lang.Has(key) {
		return lang.T(key)
	}
	return lang.T("cause." + string(session.CauseLost))
}

// nameProblem says what is wrong with a person's name, or "".
func nameProblem(name string) string {
	_, err := shared.PersonName(name)
	return problemOf(name, err, shared.MaxName)
}

// roomProblem says what is wrong with a room's name, or "".
func roomProblem(name string) string {
	_, err := shared.RoomName(name)
	return problemOf(name, err, shared.MaxRoom)
}

func problemOf(name string, err error, limit int) string {
	switch {
	case err == nil:
		return ""
	case shared.Blank(name):
		return lang.T("name.empty")
	case utf8.RuneCountInString(name) > limit:
		return lang.T("name.long", "limit", fmt.Sprint(limit))
	case strings.ContainsAny(name, `/\`):
		return lang.T("name.slash")
	}
	return lang.T("name.bad")
}

// keyProblem says what is wrong with the passphrase of a new room, or "".
func keyProblem(key string) string {
	if _, err := shared.CheckKey(key); err == nil {
		return ""
	}
	if n := utf8.RuneCountInString(key); n < shared.MinKey || n > shared.MaxKey {
		return lang.T("key.length", "least", fmt.Sprint(shared.MinKey), "most", fmt.Sprint(shared.MaxKey))
	}
	return lang.T("key.bad")
}

// causeOf is the cause that an error has.
func causeOf(err error) session.Cause {
	if p := problemIn(err); p != nil {
		return p.Cause
	}
	return session.CauseLost
}

// problemIn is the problem that an error is, or nil.
func problemIn(err error) *session.Problem {
	var p *session.Problem
	errors.As(err, &p)
	return p
}

// otherCertificate is the words of the certificate that an error is about, "" if
// it is about none.
func otherCertificate(err error) string {
	if p := problemIn(err); p != nil && p.Cause == session.CauseCertChanged {
		return p.Detail
	}
	return ""
}

// isTLS reports whether connections with a server are encrypted.
func isTLS(base string) bool { return strings.HasPrefix(base, "https://") }

// hostOf is a server's address as people say it, with its path if it has one.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return base
	}
	return u.Host + strings.TrimSuffix(u.Path, "/")
}
