package web_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/shared"
)

// TestVectors runs the page's codec over the vectors of the protocol: both ends
// must agree on what a frame is.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	frames := make([]string, len(files))
	for i, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		frames[i] = base64.StdEncoding.EncodeToString(data)
	}
	list, _ := json.Marshal(frames)

	p := newPerson(t)
	p.open(staticServer(t) + "/")
	results := eval[[]struct {
		Code    string
		JSON    string
		Skipped int
	}](p, `import('/static/codec.js').then(({decode, encode}) => `+string(list)+`.map(frame => {
		const bytes = Uint8Array.from(atob(frame), c => c.charCodeAt(0));
		let text;
		try {
			text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
		} catch (e) { // as a WebSocket refuses it
			return {Code: 'bad_frame', JSON: ''};
		}
		const {message, error} = decode(text);
		return error ? {Code: error.code, JSON: ''} : {Code: '', JSON: encode(message), Skipped: message.skipped || 0};
	}))`)

	for i, f := range files {
		name, got := filepath.Base(f), results[i]
		if strings.HasPrefix(name, "fail_") {
			if got.Code == "" || !strings.HasPrefix(name, "fail_"+got.Code) {
				t.Errorf("%s: the page's codec says %q", name, got.Code)
			}
			continue
		}
		if got.Code != "" {
			t.Errorf("%s: the page's codec refuses it: %s", name, got.Code)
			continue
		}
		data, _ := os.ReadFile(f)
		want, err := shared.Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := shared.Decode([]byte(got.JSON))
		again.Skipped = got.Skipped
		if err != nil || !reflect.DeepEqual(normal(again), normal(want)) {
			t.Errorf("%s: the page reads it as %+v (%v), want %+v", name, again, err, want)
		}
	}
}

// normal makes an absent list and an empty one the same, as they mean the same.
func normal(m shared.Message) shared.Message {
	if len(m.Members) == 0 {
		m.Members = nil
	}
	if len(m.Users) == 0 {
		m.Users = nil
	}
	if len(m.Can) == 0 {
		m.Can = nil
	}
	return m
}

// TestUnreadableAnswer has the page's codec say which frame it can't read, so
// that the question which it answers is not left waiting.
func TestUnreadableAnswer(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/")
	got := eval[[]string](p, `import('/static/codec.js').then(({decode}) => [
		'{"type":"history","messages":[{"type":"chat_message","message":" "}]}', '{"type":"history","messages":5}', '{"type":"poll"}', '{"type":5}', '[', 'null',
	].map(decode).map(({error}) => error.code + ' ' + error.type))`)
	want := []string{"empty history", "bad_frame history", "unknown_type poll", "bad_frame 5", "bad_frame ", "bad_frame "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFrozenCodec has the codec of earlier pages read what the server sends now:
// the welcome, a live message, a history.
func TestFrozenCodec(t *testing.T) {
	t.Parallel()
	versions, err := filepath.Glob("testdata/frozen/codec*.js")
	if err != nil || len(versions) == 0 {
		t.Fatalf("no earlier codec: %v", err)
	}
	s := startServer(t)
	conn, _, err := websocket.Dial(t.Context(), s.url()+"/ws/chat/lobby", &websocket.DialOptions{Subprotocols: []string{shared.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	var frames []string
	for _, ask := range []string{
		`{"type":"hello","user":"Ann","device":"0123456789abcdefghijklmnop"}`,
		`{"type":"chat_message","id":"a","message":"hi"}`,
		`{"type":"history","limit":10}`,
	} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(ask)); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			_, data, err := conn.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, string(data))
			answered = !strings.Contains(string(data), `"type":"presence"`)
		}
	}
	list, _ := json.Marshal(frames)
	p := newPerson(t)
	p.open("about:blank") // the page's own policy allows no other module
	for _, version := range versions {
		source, err := os.ReadFile(version)
		if err != nil {
			t.Fatal(err)
		}
		got := eval[[]string](p, `import('data:text/javascript;base64,`+base64.StdEncoding.EncodeToString(source)+`').then(({decode}) => `+string(list)+`.map(decode).map(
			({message: m, error}) => error ? error.code : m.type + ' ' + (m.messages ?? [m]).map(m => m.user + ' ' + m.message).join()))`)
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "presence") })
		want := []string{"welcome Ann undefined", "chat_message Ann hi", "history Ann hi"}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q of %q, want %q", version, got, frames, want)
		}
	}
}

// TestNames compares the page's rules for names with the server's.
func TestNames(t *testing.T) {
	t.Parallel()
	names := []string{
		"Ann", "  Ann  ", "a  b", "a\u3000b", "Łukasz", "田中", "عمر", "Team Pizza", "C# & Go!", "100%",
		"", " ", "\u3000", "\u200b", "\u202e", "\u2800", "\u3164",
		".", "..", "...", "a.b", "/", "a/b", `a\b`, "ａ／ｂ", "\u2024",
		"a\nb", "a\tb", "a\x00b", "a\u202eb", "a\u200bb", "a\u00adb", "a\ufeffb", "\ue000", "a\U000e0041",
		"a\u2800b", "a\ufffc", "\U0001d159", "a\U00016fe4b", "a\U0001107f", "\U00013441", "a\U00013442",
		strings.Repeat("x", 32), strings.Repeat("x", 33), strings.Repeat("x", 64), strings.Repeat("x", 65),
		strings.Repeat("😀", 32), strings.Repeat("😀", 33), strings.Repeat("\ufdfa", 4), strings.Repeat("x", 5000),
		"👩\u200d🚀", "❤\ufe0f", "❤\ufe0f\u200d🔥", "می\u200cخواهم", "ﬁn", "Å", "a\u0301",
	}
	type verdict struct {
		Text  string
		Wrong bool
	}
	var want []verdict
	say := func(n shared.Name, err error) { want = append(want, verdict{n.Text, err != nil}) }
	for _, n := range names {
		say(shared.PersonName(n))
		say(shared.RoomName(n))
	}
	list, _ := json.Marshal(names)

	p := newPerson(t)
	p.open(staticServer(t) + "/")
	got := eval[[]verdict](p, `import('/static/names.js').then(({personName, roomName}) => `+string(list)+`.flatMap(n => [personName(n), roomName(n)])
		.map(({text, error}) => ({Text: text || '', Wrong: !!error})))`)
	for i, w := range want {
		if got[i] != w {
			t.Errorf("%q: the page says %+v, the server %+v", names[i/2], got[i], w)
		}
	}
}
