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
		shared.TypeTyping, shared.TypePresence, shared.TypeHistory, shared.TypeError} {
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
		`{"type":"error","code":"empty","message":"No.","user":""}`:        {Type: shared.TypeError, Code: shared.CodeEmpty, Text: "No."},
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

func BenchmarkDecode(b *testing.B) {
	data := []byte(`{"type":"chat_message","id":"01HZX3V5J8K9M0N1P2Q3R4S5T6","message":"` + strings.Repeat("x", 100) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shared.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
