package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/shared"
	"parley/shared/servertest"
)

// TestDeletedAndEditedTextsAreGone looks for texts that were deleted or corrected in
// everything that a server has and sends.
func TestDeletedAndEditedTextsAreGone(t *testing.T) {
	s := servertest.Start(t, "--rate", "0")
	ann, bob := s.Join("Class", "Ann"), s.Join("Class", "Bob")
	// Every part of a text can be told from everything else.
	secret := func(n, parts int) string {
		var b strings.Builder
		for i := range parts {
			fmt.Fprintf(&b, "secret-%d-%d %s", n, i, strings.Repeat("\U0001F600", 20))
		}
		return b.String()
	}
	parts := []int{1, 30, 110} // up to 3,520 characters and 10 KB
	var said []shared.Message
	for n := range 2 * len(parts) {
		ann.Send(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("a", n), Text: secret(n, parts[n%len(parts)])})
		m := ann.Next(shared.TypeChat)
		bob.Send(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("b", n), Text: "Thanks", Reply: m.Offset, Of: m.ID})
		ann.Next(shared.TypeChat)
		said = append(said, m)
	}
	epoch := ann.Welcome.Epoch

	visits := 0
	// visit returns all that somebody is sent who comes, resumes after an offset unless it
	// is negative, and asks for everything.
	visit := func(after int64) string {
		t.Helper()
		visits++
		hello := shared.Message{User: fmt.Sprint("Eve ", visits)}
		if after >= 0 {
			hello.Epoch, hello.After = epoch, after
		}
		eve := s.Hello("Class", hello)
		defer eve.Conn.CloseNow()
		for _, ask := range []shared.Message{
			{Type: shared.TypeHistory, Limit: shared.MaxHistory},
			{Type: shared.TypeHistory, Changed: 1, Before: 1000, Limit: shared.MaxHistory},
			{Type: shared.TypeSearch, Text: "secret-"},
			{Type: shared.TypeReactions, Target: 1},
			{Type: shared.TypeChat, ID: fmt.Sprint("e", visits), Text: "end"},
		} {
			eve.Send(ask)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all strings.Builder
		for answers := 0; answers < 5; {
			_, data, err := eve.Conn.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
			m, err := shared.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID == fmt.Sprint("e", visits) || slices.Contains([]shared.Type{shared.TypeHistory, shared.TypeSearch, shared.TypeReactions}, m.Type) {
				answers++
			}
		}
		return all.String()
	}
	get := func() string {
		_, body := s.Get("/api/rooms/Class/messages?limit=100")
		return body
	}
	export := func(format string) func() string {
		return func() string { return s.Run("export", "--room", "Class", "--format", format) }
	}
	places := map[string]func() string{
		"a newcomer": func() string { return visit(-1) }, "who resumes after nothing": func() string { return visit(0) },
		"who resumes": func() string { return visit(said[3].Offset - 1) }, "who has all but the changes": func() string { return visit(12) },
		"the API": get, "the export as text": export("txt"), "the export as JSON": export("jsonl"),
	}
	files := func() (all string) {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(s.Data, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				all += string(data)
			}
		}
		return all
	}

	for name, look := range places {
		if name != "who has all but the changes" && !strings.Contains(look(), "secret-") {
			t.Errorf("%s never had the texts", name)
		}
	}
	if !strings.Contains(files(), "secret-") {
		t.Error("the files never had the texts")
	}

	for n, m := range said {
		if n < len(parts) {
			ann.Send(shared.Message{Type: shared.TypeDelete, ID: fmt.Sprint("d", n), Target: m.Offset, Of: m.ID})
			ann.Next(shared.TypeDelete)
			continue
		}
		ann.Send(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("d", n), Text: "Corrected", Edits: m.Offset, Of: m.ID})
		for ann.Next(shared.TypeChat).Edits != m.Offset {
			continue // with what the visitors have said
		}
	}
	check := func(when string) {
		t.Helper()
		for name, look := range places {
			text := look()
			if i := strings.Index(text, "secret-"); i >= 0 {
				t.Errorf("%s, %s has %.12s…", when, name, text[i:])
			}
		}
	}
	check("right after")
	gone := time.Now().Add(time.Minute)
	for strings.Contains(files(), "secret-") {
		if time.Now().After(gone) {
			t.Fatal("the files still have the texts")
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Kill()
	s.MustStart()
	check("after a restart")
	s.Stop()
	if strings.Contains(files(), "secret-") {
		t.Error("the files have the texts again")
	}
}
