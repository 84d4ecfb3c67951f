package shared_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/shared"
)

func TestFileNames(t *testing.T) {
	for in, want := range map[string][2]string{ // as it is shown, as it is saved
		"IMG_2041.jpg":                  {"IMG_2041.jpg", "IMG_2041.jpg"},
		"Straßenfest – Plan 2.pdf":      {"Straßenfest – Plan 2.pdf", "Straßenfest – Plan 2.pdf"},
		"写真.jpg":                        {"写真.jpg", "写真.jpg"},
		"صورة.jpg":                      {"صورة.jpg", "صورة.jpg"},
		"👩\u200d🚀.png":                  {"👩\u200d🚀.png", "👩\u200d🚀.png"},
		"":                              {"file", "file"},
		" ":                             {"file", "file"},
		".":                             {"file", "file"},
		"..":                            {"file", "file"},
		". . .":                         {"file", "file"},
		"/":                             {"file", "file"},
		"\u202e\u200b":                  {"file", "file"},
		"\u2800":                        {"file", "file"},
		"a/":                            {"file", "file"},
		"../../etc/passwd":              {"passwd", "passwd"},
		`C:\fakepath\a.png`:             {"a.png", "a.png"},
		`..\..\a.png`:                   {"a.png", "a.png"},
		"photo\u202egpj.exe":            {"photogpj.exe", "photogpj.exe"},
		"a\u2066b\u2069\u200f\u061c.pd": {"ab.pd", "ab.pd"},
		"a\nb\r\x00\x1b[31m\x7f.txt":    {"ab[31m.txt", "ab[31m.txt"},
		"a\u2028b\u2029.txt":            {"ab.txt", "ab.txt"},
		"a\tb\u3000c.txt":               {"a b c.txt", "a b c.txt"},
		"a\xffb.txt":                    {"ab.txt", "ab.txt"},
		".bashrc":                       {".bashrc", "bashrc"},
		"...a":                          {"...a", "a"},
		"a.. ":                          {"a..", "a"},
		"CON":                           {"CON", "_CON"},
		"con.txt":                       {"con.txt", "_con.txt"},
		"Aux .txt":                      {"Aux .txt", "_Aux .txt"},
		"lpt¹.a.b":                      {"lpt¹.a.b", "_lpt¹.a.b"},
		"nul...":                        {"nul...", "_nul"},
		".nul":                          {".nul", "_nul"},
		"conin$":                        {"conin$", "_conin$"},
		"console.txt":                   {"console.txt", "console.txt"},
		`a<b>:"|?*.txt`:                 {`a<b>:"|?*.txt`, "a_b______.txt"},
		"a.txt:stream":                  {"a.txt:stream", "a.txt_stream"},
		`<img src=x onerror=alert(1)>`:  {`<img src=x onerror=alert(1)>`, "_img src=x onerror=alert(1)_"},
	} {
		if got := shared.FileName(in); got != want[0] {
			t.Errorf("%q is shown as %q, want %q", in, got, want[0])
		}
		if got := shared.SavedName(in); got != want[1] {
			t.Errorf("%q is saved as %q, want %q", in, got, want[1])
		}
	}
	for _, in := range []string{
		strings.Repeat("x", 300) + ".jpeg", strings.Repeat("😀", 300) + ".jpeg", strings.Repeat("x ", 300) + ".jpeg",
		strings.Repeat("👩\u200d🚀", 100) + ".jpeg", strings.Repeat("Z\u0351\u0352", 100) + ".jpeg", strings.Repeat(".", 300) + "x.jpeg",
	} {
		shown, saved := shared.FileName(in), shared.SavedName(in)
		if n := utf8.RuneCountInString(shown); n > shared.MaxFileName || n < 50 && !strings.Contains(in, "...") {
			t.Errorf("%q is shown as %q, of %d characters", in, shown, n)
		}
		if len(saved) > 240 || !utf8.ValidString(saved) {
			t.Errorf("%q is saved as %q, of %d bytes", in, saved, len(saved))
		}
		if !strings.HasSuffix(shown, ".jpeg") || !strings.HasSuffix(saved, "jpeg") {
			t.Errorf("%q is shown as %q and saved as %q: its extension is lost", in, shown, saved)
		}
	}
	for _, in := range []string{"." + strings.Repeat("x", 300), "a." + strings.Repeat("x", 300), strings.Repeat("x", 300) + ".", strings.Repeat("😀", 300)} {
		if shown, saved := shared.FileName(in), shared.SavedName(in); utf8.RuneCountInString(shown) > shared.MaxFileName || len(saved) > 240 {
			t.Errorf("%q is shown as %q and saved as %q", in, shown, saved)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"", "a.jpg", "../a", `C:\a`, "con", ". .", "\u202e", strings.Repeat("😀", 200) + ".jpg", "...con.", "\xff/."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shown, saved := shared.FileName(s), shared.SavedName(s)
		if shown == "" || saved == "" || !utf8.ValidString(shown) || utf8.RuneCountInString(shown) > shared.MaxFileName || len(saved) > 241 {
			t.Fatalf("%q is shown as %q and saved as %q", s, shown, saved)
		}
		if strings.ContainsAny(shown, "/\\\n\r\x00\u202e") || strings.ContainsAny(saved, `/\<>:"|?*`) || strings.Trim(saved, ". ") != saved {
			t.Fatalf("%q is shown as %q and saved as %q", s, shown, saved)
		}
		if again := shared.FileName(shown); again != shown {
			t.Fatalf("%q is shown as %q, that as %q", s, shown, again)
		}
		if again := shared.SavedName(saved); again != saved {
			t.Fatalf("%q is saved as %q, that as %q", s, saved, again)
		}
	})
}

func TestCheckUpload(t *testing.T) {
	const id = "ab2cd3ef4gh5ij6kl7mnopqrst"
	for want, messages := range map[string][]shared.Message{
		"":               {{ID: id, Name: "a", Size: 1}, {ID: id, Size: 1}, {ID: id, Size: shared.MaxFile, Width: 1, Height: 1}},
		"26 characters":  {{Size: 1}, {ID: "a", Size: 1}, {ID: id + "a", Size: 1}, {ID: strings.ToUpper(id), Size: 1}, {ID: id + "\n", Size: 1}},
		"empty":          {{ID: id}},
		"width and a he": {{ID: id, Size: 1, Width: 1}, {ID: id, Size: 1, Height: 1}},
	} {
		for _, m := range messages {
			err := shared.CheckUpload(m)
			if (err == nil) != (want == "") || err != nil && (!errors.Is(err, shared.ErrBadFrame) || !strings.Contains(err.Error(), want)) {
				t.Errorf("%+v: got %v, want %q", m, err, want)
			}
		}
	}
}
