package lang

import (
	"fmt"
	"strings"
	"time"
)

// Clock tells the time for days and ages: time.Now, or a test's clock.
type Clock func() time.Time

// TimeOfDay is the time of day of a message.
func TimeOfDay(t time.Time) string { return t.Local().Format("15:04") }

// Day is a day as people say it: today, yesterday, a weekday with its date.
func (now Clock) Day(t time.Time) string {
	today := now()
	switch {
	case SameDay(t, today):
		return T("day.today")
	case SameDay(t, today.AddDate(0, 0, -1)):
		return T("day.yesterday")
	}
	key := "day.date"
	if t.Local().Year() != today.Local().Year() {
		key = "day.date.year"
	}
	l := t.Local()
	return T(key,
		"weekday", listed("day.weekdays", int(l.Weekday())),
		"month", listed("day.months", int(l.Month())-1),
		"day", fmt.Sprint(l.Day()), "year", fmt.Sprint(l.Year()))
}

// listed is one of the comma-separated words of a key.
func listed(key string, i int) string {
	words := strings.Split(T(key), ",")
	return words[i%len(words)]
}

// Ago is the age of a room's last message.
func (now Clock) Ago(t time.Time) string {
	d := now().Sub(t)
	switch {
	case d < time.Minute:
		return T("ago.now")
	case d < time.Hour:
		return Plural("ago.minutes", int(d.Minutes()))
	case d < 24*time.Hour:
		return Plural("ago.hours", int(d.Hours()))
	}
	return Plural("ago.days", int(d.Hours()/24))
}

// When is when something was, as people say it: "today, 14:10".
func (now Clock) When(t time.Time) string {
	key := "when.day"
	switch today := now(); {
	case t.IsZero():
		return ""
	case SameDay(t, today):
		key = "when.today"
	case SameDay(t, today.AddDate(0, 0, -1)):
		key = "when.yesterday"
	}
	return T(key, "day", now.Day(t), "time", TimeOfDay(t))
}

// Short is when something was, in the width of a time: the time of today,
// else the date.
func (now Clock) Short(t time.Time) string {
	if SameDay(t, now()) {
		return TimeOfDay(t)
	}
	return t.Local().Format(T("date.short"))
}

// SameDay reports whether two times are on one day here.
func SameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}
