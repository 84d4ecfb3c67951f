package shared_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/shared"
)

// linkVector is a file of testdata/links: a link and, if it is a good one, what
// it leads to.
type linkVector struct {
	name string

	Link       string
	TLS        bool
	Host       string
	Path       string
	Room       string
	Key        string
	Words      string
	HostKey    string
	KeyIgnored bool `json:"key_ignored"`
}

func linkVectors(t testing.TB) (vectors []linkVector) {
	t.Helper()
	files, err := filepath.Glob("testdata/links/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		v := linkVector{name: strings.TrimSuffix(filepath.Base(f), ".json")}
		if err == nil {
			err = json.Unmarshal(data, &v)
		}
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		vectors = append(vectors, v)
	}
	return vectors
}

func TestLinkVectors(t *testing.T) {
	for _, v := range linkVectors(t) {
		got, err := shared.ParseLink(v.Link)
		if code, bad := strings.CutPrefix(v.name, "fail_"); bad {
			code, _, _ = strings.Cut(code, "_")
			var refused *shared.LinkError
			if !errors.As(err, &refused) || refused.Code != code || !strings.HasSuffix(refused.Reason, ".") {
				t.Errorf("%s: %+v, %v", v.name, got, err)
			}
			continue
		}
		want := shared.Link{TLS: v.TLS, Host: v.Host, Path: v.Path, Room: v.Room, Key: v.Key, Words: v.Words, HostKey: v.HostKey, KeyIgnored: v.KeyIgnored}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", v.name, got, err, want)
		}
	}
}

func TestLinkString(t *testing.T) {
	const words = "babab-dodod-fifif-gugug-hahah-jojoj"
	const key = "ABCDEFGHIJKLMNOPQRSTUVWX27"
	for _, test := range []struct {
		link shared.Link
		want string
	}{
		{shared.Link{Host: "192.168.1.5:8000"}, "http://192.168.1.5:8000/"},
		{shared.Link{Host: "192.168.1.5:8000", Room: "Team Pizza?"}, "http://192.168.1.5:8000/r/Team%20Pizza%3F"},
		{shared.Link{Host: "h:1", Path: "/parley", Room: "誰か", Key: "a+b &=#%"}, "http://h:1/parley/r/%E8%AA%B0%E3%81%8B#k=a%2Bb%20%26%3D%23%25"},
		{shared.Link{TLS: true, Host: "h", Room: "r", Key: "12345678", Words: words}, "https://h/r/r#k=12345678&fp=" + words},
		{shared.Link{TLS: true, Host: "h", Words: words}, "https://h/#" + words},
		{shared.Link{Host: "h", Room: "r", HostKey: key}, "http://h/r/r#host=" + key},
		{shared.Link{TLS: true, Host: "h", Words: words, HostKey: key}, "https://h/#fp=" + words + "&host=" + key},
	} {
		if got := test.link.String(); got != test.want {
			t.Errorf("%+v is %s, want %s", test.link, got, test.want)
		}
	}
}

// FuzzLink checks that what is read from a link is what the link made of it leads to.
func FuzzLink(f *testing.F) {
	for _, v := range linkVectors(f) {
		f.Add(v.Link)
	}
	f.Fuzz(func(t *testing.T, text string) {
		link, err := shared.ParseLink(text)
		if err != nil || len(link.String()) > shared.MaxLink {
			return
		}
		link.KeyIgnored = false
		if again, err := shared.ParseLink(link.String()); err != nil || again != link {
			t.Errorf("%q is %+v, its link %q is %+v, %v", text, link, link, again, err)
		}
	})
}
