package shared_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared"
)

// vectors returns the frames in testdata, which the page's own test reads too.
func vectors(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors %s: %v", pattern, err)
	}
	v := make(map[string][]byte)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		v[strings.TrimSuffix(filepath.Base(f), ".json")] = data
	}
	return v
}

func TestGoodVectors(t *testing.T) {
	seen := make(map[shared.Type]bool)
	for name, data := range vectors(t, "good_*.json") {
		m, err := shared.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen[m.Type] = true
		out := shared.Encode(m)
		again, err := shared.Decode(out)
		if err != nil || !bytes.Equal(shared.Encode(again), out) {
			t.Errorf("%s: encoded as %s it decodes to\n%+v, %v, was\n%+v", name, out, again, err, m)
		}
	}
	for _, typ := range []shared.Type{shared.TypeHello, shared.TypeWelcome, shared.TypeChat, shared.TypeAck,
		shared.TypeTyping, shared.TypePresence, shared.TypeHistory, shared.TypeError, shared.TypeNotice, shared.TypePing, shared.TypePong,
		shared.TypeDelete, shared.TypeReact, shared.TypeReactions, shared.TypeSearch, shared.TypeHost, shared.TypeNotices, shared.TypeRoles, shared.TypeUpload} {
		if !seen[typ] {
			t.Errorf("no good vector of type %s", typ)
		}
	}
}

func TestFailVectors(t *testing.T) {
	for name, data := range vectors(t, "fail_*.json") {
		_, err := shared.Decode(data)
		var fe *shared.FrameError
		if !errors.As(err, &fe) {
			t.Errorf("%s: got %v, want a FrameError", name, err)
			continue
		}
		if !strings.HasPrefix(name+"_", "fail_"+string(fe.Code)+"_") {
			t.Errorf("%s: refused with %s (%s)", name, fe.Code, fe.Reason)
		}
		if fe.Reason == "" {
			t.Errorf("%s: refused without a reason", name)
		}
	}
}

func TestRefusalNamesTheMessage(t *testing.T) {
	m, err := shared.Decode([]byte(`{"type":"chat_message","id":"a1","message":"` + strings.Repeat("x", shared.MaxText+1) + `"}`))
	if !errors.Is(err, shared.ErrTooLong) || m.ID != "a1" {
		t.Fatalf("got id %q, %v", m.ID, err)
	}
}

func TestEncode(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	for want, m := range map[string]shared.Message{
		`{"type":"chat_message","id":"a","offset":7,"user":"ann","message":"<b>","time":"2026-03-01T11:00:00.005Z"}`: {
			Type: shared.TypeChat, ID: "a", Offset: 7, User: "ann", Text: "<b>", Time: at},
		`{"type":"error","code":"empty","message":"No.","user":""}`:                {Type: shared.TypeError, Code: shared.CodeEmpty, Text: "No."},
		`{"type":"chat_message","user":"ann","by":"4zb7qkq2mr5xa","message":"hi"}`: {Type: shared.TypeChat, User: "ann", By: "4zb7qkq2mr5xa", Text: "hi"},
		`{"type":"hello","user":"ann","device":"d","can":["by"]}`:                  {Type: shared.TypeHello, User: "ann", Device: "d", Can: []string{"by"}},
		`{"type":"notice","did":"rename","by":"4zb7qkq2mr5xa","user":"ann","about":"eve"}`: {
			Type: shared.TypeNotice, Did: shared.DidRename, By: "4zb7qkq2mr5xa", User: "ann", About: "eve"},
		`{"type":"chat_message","id":"b","message":"Gate 4","edits":57,"of":"a"}`: {Type: shared.TypeChat, ID: "b", Text: "Gate 4", Edits: 57, Of: "a"},
		`{"type":"chat_message","message":"yes","reply":57,"quote":{"user":"Bob","text":"Gate?"}}`: {
			Type: shared.TypeChat, Text: "yes", Reply: 57, Quote: &shared.Quote{User: "Bob", Text: "Gate?"}},
		`{"type":"chat_message","message":"(deleted)","changed":62,"deleted":true}`: {Type: shared.TypeChat, Text: shared.TextDeleted, Deleted: true, Changed: 62},
		`{"type":"chat_message","message":"hi","changed":63,"edited":true,"reactions":{"👍":3,"🎉":1},"mine":"🎉"}`: {
			Type: shared.TypeChat, Text: "hi", Edited: true, Changed: 63, Reactions: []shared.Count{{"👍", 3}, {"🎉", 1}}, Mine: "🎉"},
		`{"type":"delete","id":"c","target":57,"of":"a"}`:                       {Type: shared.TypeDelete, ID: "c", Target: 57, Of: "a"},
		`{"type":"delete","id":"c","offset":62,"user":"Ann","targets":[57,58]}`: {Type: shared.TypeDelete, ID: "c", Offset: 62, User: "Ann", Targets: []int64{57, 58}},
		`{"type":"react","id":"d","emoji":"","target":57,"of":"a"}`:             {Type: shared.TypeReact, ID: "d", Target: 57, Of: "a"},
		`{"type":"react","offset":63,"emoji":"👍","target":57,"counts":{"👍":3}}`: {Type: shared.TypeReact, Offset: 63, Emoji: "👍", Target: 57, Counts: []shared.Count{{"👍", 3}}},
		`{"type":"reactions","target":57}`:                                      {Type: shared.TypeReactions, Target: 57},
		`{"type":"reactions","target":57,"users":{"👍":["Ann","<b>"]}}`:          {Type: shared.TypeReactions, Target: 57, Reactors: []shared.Reactors{{"👍", []string{"Ann", "<b>"}}}},
		`{"type":"search","text":"gate","before":12}`:                           {Type: shared.TypeSearch, Text: "gate", Before: 12},
		`{"type":"search","messages":[],"before":0,"more":false}`:               {Type: shared.TypeSearch},
		`{"type":"history","before":58,"changed":57,"limit":100}`:               {Type: shared.TypeHistory, Before: 58, Changed: 57, Limit: 100},
		`{"type":"hello","user":"ann","device":"d","host":true,"host_key":"k"}`: {Type: shared.TypeHello, User: "ann", Device: "d", Host: true, HostKey: "k"},
		`{"type":"host","id":"h","do":"remove","target":57,"of":"a"}`:           {Type: shared.TypeHost, ID: "h", Do: shared.DoRemove, Target: 57, Of: "a"},
		`{"type":"host","id":"h","do":"set","settings":{"door":"known","slow":0}}`: {
			Type: shared.TypeHost, ID: "h", Do: shared.DoSet, Settings: &shared.Settings{Door: shared.DoorKnown, Slow: new(int)}},
		`{"type":"notice","id":"h","offset":7,"did":"silence","by":"4zb7qkq2mr5xa","user":"ann","about":"eve","whom":"ma2xq7rk5bz4q","time":"2026-03-01T11:00:00.005Z"}`: {
			Type: shared.TypeNotice, ID: "h", Offset: 7, Did: shared.DoSilence, By: "4zb7qkq2mr5xa", User: "ann", About: "eve", Whom: "ma2xq7rk5bz4q", Time: at},
		`{"type":"host","id":"h","do":"admit","whom":"b"}`: {Type: shared.TypeHost, ID: "h", Do: shared.DoAdmit, Whom: "b"},
		`{"type":"roles","before":7,"limit":50}`:           {Type: shared.TypeRoles, Before: 7, Limit: 50},
		`{"type":"roles","notices":[],"more":false}`:       {Type: shared.TypeRoles},
		`{"type":"notices","before":7,"limit":50}`:         {Type: shared.TypeNotices, Before: 7, Limit: 50},
		`{"type":"notices","notices":[],"more":false}`:     {Type: shared.TypeNotices},
		`{"type":"ping"}`: {Type: shared.TypePing},
		`{"type":"pong"}`: {Type: shared.TypePong},
		`{"type":"history","messages":[],"more":true,"after":8}`:           {Type: shared.TypeHistory, More: true, After: 8},
		`{"type":"history","messages":[],"more":true,"changed":8}`:         {Type: shared.TypeHistory, More: true, Changed: 8},
		`{"type":"history","messages":[],"more":false}`:                    {Type: shared.TypeHistory},
		`{"type":"history","before":3,"limit":9}`:                          {Type: shared.TypeHistory, Before: 3, Limit: 9},
		`{"type":"presence","event":"leave","users":[],"count":0}`:         {Type: shared.TypePresence, Event: shared.Leave},
		`{"type":"hello","user":"ann","device":"d"}`:                       {Type: shared.TypeHello, User: "ann", Device: "d"},
		`{"type":"hello","user":"ann","device":"d","epoch":"e","after":2}`: {Type: shared.TypeHello, User: "ann", Device: "d", Epoch: "e", After: 2},
	} {
		if got := string(shared.Encode(m)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Fields that only a later version knows are passed over, and unknown frames
// in a history are counted; the rest is read.
func TestLaterFrames(t *testing.T) {
	for name, want := range map[string]struct {
		texts   string
		skipped int
	}{
		"good_history_after":              {"hi ho", 0},
		"good_history_holds_unknown":      {"hi ho", 1},
		"good_history_holds_only_unknown": {"", 2},
		"good_history_holds_typing":       {"", 1},
		"good_history_holds_nested":       {"", 1},
	} {
		m, err := shared.Decode(vectors(t, name+".json")[name])
		var texts []string
		for _, m := range m.Messages {
			texts = append(texts, m.Text)
		}
		if err != nil || strings.Join(texts, " ") != want.texts || m.Skipped != want.skipped {
			t.Errorf("%s: %q, %d skipped, %v", name, texts, m.Skipped, err)
		}
	}
	for frame, want := range map[string]error{
		`{"type":"history","messages":[{"type":"chat_message","message":" "}],"more":true}`: shared.ErrEmpty,
		`{"type":"history","messages":5}`: shared.ErrBadFrame,
		`{"type":"poll","id":"a"}`:        shared.ErrUnknownType,
	} {
		m, err := shared.Decode([]byte(frame))
		if !errors.Is(err, want) || m.Type == "" {
			t.Errorf("%s: got %q, %v: whoever asked does not learn that this is the answer", frame, m.Type, err)
		}
	}
}

func TestCheckChange(t *testing.T) {
	const chat, del, react = shared.TypeChat, shared.TypeDelete, shared.TypeReact
	for want, messages := range map[string][]shared.Message{
		"": {
			{Type: chat}, {Type: chat, Edits: 5, Of: "a"}, {Type: chat, Reply: 5, Of: "a"}, {Type: chat, Of: "a"}, {Type: del, Target: 5, Of: "a"},
			{Type: react, Target: 5, Of: "a"}, {Type: react, Target: 5, Of: "a", Emoji: "❤️"},
		},
		"keeps the file":      {{Type: chat, Edits: 5, Of: "a", File: &shared.File{}}},
		"not both":            {{Type: chat, Edits: 5, Reply: 5, Of: "a"}},
		`"of" is missing`:     {{Type: chat, Edits: 5}, {Type: chat, Reply: 5}, {Type: del, Target: 5}, {Type: react, Target: 5, Emoji: "👍"}},
		`"target" is missing`: {{Type: del, Of: "a"}, {Type: react, Of: "a", Emoji: "👍"}},
		"can't react with":    {{Type: react, Target: 5, Of: "a", Emoji: "🦄"}, {Type: react, Target: 5, Of: "a", Emoji: "👍👍"}},
	} {
		for _, m := range messages {
			err := shared.CheckChange(m)
			if (err == nil) != (want == "") || err != nil && (!errors.Is(err, shared.ErrBadFrame) || !strings.Contains(err.Error(), want)) {
				t.Errorf("%+v: got %v, want %q", m, err, want)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"good_*.json", "fail_*.json"} {
		for _, data := range vectors(f, pattern) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := shared.Decode(data)
		if err != nil {
			var fe *shared.FrameError
			if !errors.As(err, &fe) {
				t.Fatalf("not a FrameError: %v", err)
			}
			return
		}
		out := shared.Encode(m)
		if !json.Valid(out) || bytes.ContainsRune(out, '\n') {
			t.Fatalf("encoded as %q", out)
		}
		again, err := shared.Decode(out)
		if err != nil {
			t.Fatalf("%q decodes, but encoded again as %q does not: %v", data, out, err)
		}
		if !bytes.Equal(shared.Encode(again), out) {
			t.Fatalf("%q does not settle: %q, then %q", data, out, shared.Encode(again))
		}
	})
}

// A server encodes each entry into memory that it uses again.
func TestAppendAllocatesNothing(t *testing.T) {
	m := shared.Message{Type: shared.TypeChat, ID: "01HZX3V5J8K9M0N1P2Q3R4S5T6", Offset: 7, User: "Ann", By: "4zb7qkq2mr5xa", Text: "hi", Time: time.Now()}
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { b = shared.Append(b[:0], m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := []byte(`{"type":"chat_message","id":"01HZX3V5J8K9M0N1P2Q3R4S5T6","message":"` + strings.Repeat("x", 100) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shared.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
