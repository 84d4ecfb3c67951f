package lang

import (
	"testing"
	"time"

	"parley/client/ui/uitest"
)

func TestDays(t *testing.T) {
	begin(t)
	now := Clock(func() time.Time { return uitest.Noon })
	for want, at := range map[string]time.Time{
		"Today": uitest.Noon.Add(-12 * time.Hour), "Yesterday": uitest.Noon.Add(-13 * time.Hour),
		"Monday, March 10": uitest.Noon.AddDate(0, 0, -2), "December 31, 2024": time.Date(2024, 12, 31, 8, 0, 0, 0, time.UTC),
	} {
		if got := now.Day(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
	for want, d := range map[string]time.Duration{"just now": 10 * time.Second, "1 minute ago": time.Minute, "3 hours ago": 3*time.Hour + time.Minute, "2 days ago": 50 * time.Hour} {
		if got := now.Ago(uitest.Noon.Add(-d)); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
}
