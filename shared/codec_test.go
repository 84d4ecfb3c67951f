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
		shared.TypeTyping, shared.TypePresence, shared.TypeHistory, shared.TypeError, shared.TypeNotice, shared.TypePing, shared.TypePong} {
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
		`{"type":"ping"}`: {Type: shared.TypePing},
		`{"type":"pong"}`: {Type: shared.TypePong},
		`{"type":"history","messages":[],"more":true,"after":8}`:           {Type: shared.TypeHistory, More: true, After: 8},
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
