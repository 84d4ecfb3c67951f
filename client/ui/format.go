package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"parley/client/session"
	"parley/shared"
)

// now is the clock that days and ages are told by.
var now = time.Now

// clockTime is the time of day of a message.
func clockTime(t time.Time) string { return t.Local().Format("15:04") }

// dayName is a day as people say it: today, yesterday, a weekday with its date.
func dayName(t time.Time) string {
	today := now()
	switch {
	case sameDay(t, today):
		return tr("day.today")
	case sameDay(t, today.AddDate(0, 0, -1)):
		return tr("day.yesterday")
	}
	key := "day.date"
	if t.Local().Year() != today.Local().Year() {
		key = "day.date.year"
	}
	l := t.Local()
	return tr(key,
		"weekday", listed("day.weekdays", int(l.Weekday())),
		"month", listed("day.months", int(l.Month())-1),
		"day", fmt.Sprint(l.Day()), "year", fmt.Sprint(l.Year()))
}

// listed is one of the comma-separated words of a key.
func listed(key string, i int) string {
	words := strings.Split(tr(key), ",")
	return words[i%len(words)]
}

// ago is the age of a room's last message.
func ago(t time.Time) string {
	d := now().Sub(t)
	switch {
	case d < time.Minute:
		return tr("ago.now")
	case d < time.Hour:
		return plural("ago.minutes", int(d.Minutes()))
	case d < 24*time.Hour:
		return plural("ago.hours", int(d.Hours()))
	}
	return plural("ago.days", int(d.Hours()/24))
}

// whenLine is when something was, as people say it: "today, 14:10".
func whenLine(t time.Time) string {
	key := "when.day"
	switch today := now(); {
	case t.IsZero():
		return ""
	case sameDay(t, today):
		key = "when.today"
	case sameDay(t, today.AddDate(0, 0, -1)):
		key = "when.yesterday"
	}
	return tr(key, "day", dayName(t), "time", clockTime(t))
}

// shortTime is when something was, in the width of a time: the time of today,
// else the date.
func shortTime(t time.Time) string {
	if sameDay(t, now()) {
		return clockTime(t)
	}
	return t.Local().Format(tr("date.short"))
}

// causeSentence says why there is no connection, and what to do.
func causeSentence(c session.Cause) string {
	if _, known := causeKeys[c]; !known {
		c = session.CauseLost
	}
	return tr("cause." + string(c))
}

// causeKeys are the causes that have a sentence of their own.
var causeKeys = map[session.Cause]struct{}{
	session.CauseBadAddress: {}, session.CauseNoSuchHost: {}, session.CauseUnreachable: {}, session.CauseRefused: {},
	session.CauseTimeout: {}, session.CauseNotParley: {}, session.CauseTLS: {}, session.CauseCertChanged: {}, session.CauseVersion: {},
	session.CauseRefusedOrigin: {}, session.CauseWrongHost: {}, session.CauseBadRoom: {}, session.CauseServerRestart: {}, session.CauseServerFull: {},
	session.CauseSlow: {}, session.CauseFlooding: {}, session.CauseBadHello: {}, session.CauseNameTaken: {},
	session.CauseNeedsKey: {}, session.CauseWrongKey: {}, session.CauseOpenRoom: {}, session.CauseRemoved: {}, session.CauseStopped: {}, session.CauseLost: {}, session.CausePaused: {},
}

// failureSentence says why a message was refused: the server's own words where
// the reason is one of its own.
func failureSentence(item session.Item) string {
	switch item.Code {
	case shared.CodeEmpty, shared.CodeTooLong:
		return tr("failed." + string(item.Code))
	}
	if item.Reason != "" {
		return item.Reason
	}
	return tr("failed.refused")
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
		return tr("name.empty")
	case utf8.RuneCountInString(name) > limit:
		return tr("name.long", "limit", fmt.Sprint(limit))
	case strings.ContainsAny(name, `/\`):
		return tr("name.slash")
	}
	return tr("name.bad")
}
