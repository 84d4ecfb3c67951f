// Package uitest has what the tests of the app's window share: an app in Fyne's
// test driver on a phone or a desktop, a look at what is drawn, animations wound
// by hand, and messages.
package uitest

import (
	"fmt"
	"strings"
	"time"

	"parley/client/session"
)

// Noon is when the tests take place: a Wednesday.
var Noon = time.Date(2025, time.March, 12, 12, 0, 0, 0, time.UTC)

// Deadline bounds each wait of a test. What is waited for comes far earlier; if
// it does not come, the test fails.
const Deadline = 3 * time.Minute

// Said makes a message of somebody else. n tells it from others and is its minute
// after ten.
func Said(n int, user, text string) session.Item {
	return session.Item{ID: fmt.Sprint("id", n), Offset: int64(n), User: user, Text: text,
		Time: Noon.Add(-2 * time.Hour).Add(time.Duration(n) * time.Minute)}
}

// Own makes a message of the person's.
func Own(n int, text string) session.Item {
	item := Said(n, "Ann", text)
	item.Mine = true
	return item
}

// By gives a message an author (session.Item.By).
func By(author string, item session.Item) session.Item {
	item.By = author
	return item
}

// Appended is the change that adds messages at the end.
func Appended(items ...session.Item) []session.Change {
	return []session.Change{{Kind: session.Append, Items: items}}
}

// Many makes n messages of several lengths by three people.
func Many(from, n int) []session.Item {
	words := []string{"dinner", "who", "the dashboard went red", "yes", "https://example.org/a", "a longer sentence that has to wrap on a phone at least once or twice"}
	users := []string{"Bob", "Cleo", "Ann"}
	items := make([]session.Item, n)
	for i := range items {
		k := from + i
		text := words[k%len(words)] + " " + words[(k/3)%len(words)]
		if k%3 == 2 {
			items[i] = Own(k, text)
		} else {
			items[i] = Said(k, users[k%3], text)
		}
	}
	return items
}

// Draft is a text of any length that is hard to lay out.
type Draft struct{ Name, part string }

// Drafts are of several kinds.
var Drafts = []Draft{
	{"prose", "The dashboard went red for about forty seconds, and my phone buzzed. "},
	{"word", "x"},
	{"lines", "a\n"},
	{"empty lines", "\n"},
	{"Arabic", "ذهبت إلى السوق واشتريت 3 تفاحات "},
	{"Japanese", "日本語の文章には空白がありません。"},
	{"emoji", "👩‍🚀🎉 "},
}

// Text is n code points of it.
func (d Draft) Text(n int) string {
	part := []rune(d.part)
	return string([]rune(strings.Repeat(d.part, n/len(part)+1))[:n])
}
