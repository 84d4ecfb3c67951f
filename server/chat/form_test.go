package chat_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/files"
	"parley/shared"
)

// form is the body of a form, of pairs: what the disposition of a part says after its
// name, and the content.
func form(parts ...string) string {
	var b strings.Builder
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "--b0\r\nContent-Disposition: form-data; name=%s\r\n\r\n%s\r\n", parts[i], parts[i+1])
	}
	return b.String() + "--b0--\r\n"
}

// aFile is the field of a file.
func aFile(name string) string { return `"file"; filename="` + name + `"` }

const formType = "multipart/form-data; boundary=b0"

// postForm posts a form into the hall.
func (s *server) postForm(body string, header ...string) (status int, answer string) {
	s.t.Helper()
	return s.do("POST", "/api/rooms/hall/messages", body, append([]string{"Content-Type", formType, "Authorization", "Bearer " + token}, header...)...)
}

// streamForm is postForm of what has no length before it ends.
func (s *server) streamForm(body string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequest("POST", s.http.URL+"/api/rooms/hall/messages", io.MultiReader(strings.NewReader(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", formType)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// startForms starts a server that takes files over the API.
func startForms(t *testing.T, change ...func(*chat.Config)) *server {
	t.Helper()
	return startFiles(t, append(change, func(c *chat.Config) { c.Token, c.Rate = token, 0 })...)
}

// filed returns the rows of files, without those that a message has.
func (s *server) filed() (all int, loose []chat.FileRow) {
	s.t.Helper()
	rows, err := s.log.Files(s.t.Context(), "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		if row.Offset == 0 {
			loose = append(loose, row)
		}
	}
	return len(rows), loose
}

// stored returns how many files have bytes on the disk.
func (s *server) stored() int {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, files.FolderName, "*", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(paths)
}

// forgets waits until nothing is left but n files of messages.
func (s *server) forgets(n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d files are left", n), func() bool {
		all, loose := s.filed()
		return all == n && len(loose) == 0 && s.stored() == n
	})
}

// One request sends a file and what is said with it. Repeated, it adds nothing.
func TestPostFile(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	ann, _ := s.join("hall", hello("Ann", newDevice()))
	for i, body := range []string{
		form(aFile("a.txt"), "content", `"message"`, "Look\r\nthere", `"user"`, "Cam"),
		form(`"user"`, "Cam", `"message"; filename="caption.txt"`, "Look\nthere", aFile("a.txt"), "content"),
	} {
		for again := range 2 {
			key := fmt.Sprint("run-", i)
			status, answer := s.postForm(body, "Idempotency-Key", key)
			var got struct {
				ID     string
				Offset int64
			}
			if err := json.Unmarshal([]byte(answer), &got); err != nil || status != []int{201, 200}[again] || got.ID != key || got.Offset != int64(i+1) {
				t.Errorf("form %d is answered with %d %s", i, status, answer)
			}
		}
		m := ann.next(shared.TypeChat)
		if m.User != "Cam" || m.File == nil || m.File.Caption != "Look\nthere" || m.File.Name != "a.txt" || m.File.Size != 7 || m.File.Thumb {
			t.Errorf("Ann sees %+v of %+v", m.File, m)
		}
		if status, body, _ := s.get("/files/" + m.File.ID); status != 200 || body != "content" {
			t.Errorf("its link leads to %d %q", status, body)
		}
	}
	s.forgets(2)

	// A picture, as the page would send it; without a length; and nothing said.
	var thumb bytes.Buffer
	if err := jpeg.Encode(&thumb, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	body := form(`"width"`, "400", aFile("b.jpg"), thumb.String(), `"thumb"; filename="t.jpg"`, thumb.String(), `"height"`, "300", `"message"`, " ")
	status, answer := s.streamForm(body)
	if m := ann.next(shared.TypeChat); status != 201 || m.User != "Bot" || m.File.Caption != "" || m.File.Type != "image/jpeg" ||
		m.File.Width != 400 || m.File.Height != 300 || !m.File.Thumb || m.File.Size != int64(thumb.Len()) {
		t.Errorf("%d %s: Ann sees %+v of %+v", status, answer, m.File, m)
	} else if status, got, _ := s.get("/files/" + m.File.ID + "/thumb"); status != 200 || got != thumb.String() {
		t.Errorf("its thumbnail is %d, %d bytes", status, len(got))
	}
}

// Of a form that is refused, nothing stays, and a sentence says what to do.
func TestRefusedForms(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	s.join("hall", hello("Ann", newDevice()))
	s.join("attic", withKey("Ann", passphrase))
	file := aFile("a.txt")
	for what, c := range map[string]struct {
		body   string
		header []string
		status int
		says   string
	}{
		"no token":             {form(file, "x"), []string{"Authorization", "Bearer wrong"}, 401, "token"},
		"no boundary":          {form(file, "x"), []string{"Content-Type", "multipart/form-data"}, 400, "has no boundary"},
		"a long boundary":      {form(file, "x"), []string{"Content-Type", "multipart/form-data; boundary=" + strings.Repeat("b", 71)}, 400, "has no boundary"},
		"another boundary":     {form(file, "x"), []string{"Content-Type", "multipart/form-data; boundary=b1"}, 400, "not a whole form"},
		"no form":              {"x", nil, 400, "not a whole form"},
		"no body":              {"", nil, 400, "not a whole form"},
		"no end":               {strings.TrimSuffix(form(file, "x"), "--b0--\r\n"), nil, 408, "did not come whole"},
		"no end after it":      {strings.TrimSuffix(form(file, "x", `"user"`, "Cam"), "--b0--\r\n"), nil, 400, "not a whole form"},
		"no file":              {form(`"message"`, "x"), nil, 400, `no field \"file\"`},
		"no fields":            {"--b0--\r\n", nil, 400, `no field \"file\"`},
		"no name of a file":    {form(`"file"`, "a.txt"), nil, 400, "-F file=@"},
		"an empty name":        {form(aFile(""), "x"), nil, 400, "-F file=@"},
		"no bytes":             {form(file, ""), nil, 400, "The file is empty."},
		"two files":            {form(file, "x", aFile("b.txt"), "y"), nil, 400, "two files"},
		"two messages":         {form(`"message"`, "x", `"message"`, "y", file, "x"), nil, 400, `two fields \"message\"`},
		"an unknown field":     {form(file, "x", `"text"`, "Look"), nil, 400, `has a field \"text\". It takes file, message`},
		"a part without name":  {"--b0\r\n\r\nx\r\n" + form(file, "x"), nil, 400, `has a field \"\"`},
		"a name with a zero":   {form(aFile("a\x00.txt"), "x"), nil, 400, "not a whole form"},
		"too large a file":     {form(file, strings.Repeat("x", maxFile+1)), nil, 413, "over 5000 bytes"},
		"far too large a file": {form(file, strings.Repeat("x", 200_000)), nil, 413, "over 5000 bytes"},
		"a long caption":       {form(file, "x", `"message"`, strings.Repeat("\u00fc", shared.MaxCaption+1)), nil, 400, "1025 characters, of at most 1024"},
		"another coding":       {form(file, "x", `"message"`, "Gr\xfc\xdfe"), nil, 400, "not UTF-8"},
		"a width alone":        {form(file, "x", `"width"`, "7"), nil, 400, "a width and a height"},
		"a width of words":     {form(file, "x", `"width"`, "7px", `"height"`, "5"), nil, 400, "from 1 to 65535"},
		"too high":             {form(file, "x", `"width"`, "7", `"height"`, "65536"), nil, 400, "from 1 to 65535"},
		"another thumbnail":    {form(file, "x", `"thumb"`, "GIF89a"), nil, 400, "no JPEG"},
		"a large thumbnail":    {form(file, "x", `"thumb"`, strings.Repeat("x", shared.MaxThumb+1)), nil, 400, "32768 bytes"},
		"another one's name":   {form(`"user"`, "ANN", file, "x"), nil, 409, "belongs to somebody else"},
		"no name":              {form(file, "x", `"user"`, "a/b"), nil, 400, "slash"},
		"a bad key":            {form(file, "x"), []string{"Idempotency-Key", strings.Repeat("k", 65)}, 400, "Idempotency-Key"},
		"a page's":             {form(file, "x"), []string{"Origin", "http://evil.example"}, 403, "--allow-origin"},
	} {
		if status, answer := s.postForm(c.body, c.header...); status != c.status || !strings.Contains(answer, c.says) || !strings.Contains(answer, `"detail":`) {
			t.Errorf("%s: %d %s, want %d %q", what, status, answer, c.status, c.says)
		}
	}
	many, large := strings.Repeat("--b0\r\n\r\n\r\n", 10_000), strings.Repeat("x", 1<<20)
	for what, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"10,000 parts":                    {many + form(file, "x"), 400, `has a field \"\"`},
		"10,000 parts after it":           {form(file, "x", `"a"`, "") + many, 400, `has a field \"a\"`},
		"a header of 1 MB":                {"--b0\r\nX: " + large + "\r\n\r\n\r\n" + form(file, "x"), 413, "65536 bytes besides"},
		"1 MB of headers":                 {"--b0\r\n" + strings.Repeat("X: x\r\n", 1<<18) + "\r\n\r\n" + form(file, "x"), 400, "not a form"},
		"1 MB in front":                   {strings.Repeat("x\r\n", 1<<18) + form(file, "x"), 413, "65536 bytes besides"},
		"1 MB of a text":                  {form(file, "x", `"message"`, large), 413, "65536 bytes besides"},
		"a field of 1 MB":                 {form(`"`+large+`"`, "x"), 413, "65536 bytes besides"},
		"too large a file without a size": {form(file, strings.Repeat("x", maxFile+1)), 413, "over 5000 bytes"},
		"an endless file":                 {form(file, large), 413, "over 5000 bytes"},
		"a file without an end or a size": {strings.TrimSuffix(form(file, "x"), "--b0--\r\n"), 408, "did not come whole"},
	} {
		if status, answer := s.streamForm(c.body); status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s, want %d %q", what, status, answer, c.status, c.says)
		}
	}
	locked := []string{"Content-Type", formType, "Authorization", "Bearer " + token}
	if status, answer := s.do("POST", "/api/rooms/attic/messages", form(file, "x"), locked...); status != 403 || !strings.Contains(answer, "passphrase") {
		t.Errorf("a locked room: %d %s", status, answer)
	}
	if s.forgets(0); len(s.history("hall")) != 0 {
		t.Error("something was said")
	}
	if status, answer := s.postForm(form(file, "x")); status != 201 {
		t.Errorf("after all that: %d %s", status, answer)
	}
	none := start(t, func(c *chat.Config) { c.Token = token })
	if status, answer := none.postForm(form(file, "x")); status != 403 || !strings.Contains(answer, "takes no files") {
		t.Errorf("a server without files: %d %s", status, answer)
	}
	if status, answer := s.do("POST", "/api/rooms/hall/messages", `{"message":"x","file":{"id":"`+fileID("a")+`"}}`, "Authorization", "Bearer "+token); status != 400 || !strings.Contains(answer, "multipart/form-data") {
		t.Errorf("a file in JSON: %d %s", status, answer)
	}
}

// history returns the messages of a room that has no host.
func (s *server) history(room string) []shared.Message {
	s.t.Helper()
	_, body, _ := s.get("/api/rooms/" + room + "/messages")
	m, err := shared.Decode([]byte(strings.TrimSpace(body)))
	if err != nil {
		s.t.Fatal(body, err)
	}
	return m.Messages
}

// Whatever a file is called, its name is one that can be shown.
func TestNamesOfFormFiles(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	for name, want := range map[string]string{
		"../../etc/passwd":    "passwd",
		"..":                  "file",
		"/":                   "file",
		`C:\\fakepath\\a.png`: "a.png",
		`"; filename*=UTF-8''a%1b%5b31m%0a%7f.txt; x="y`: "a[31m.txt",
		"photo\u202egpj.exe":                             "photogpj.exe",
		`<img src=x onerror=alert(1)>`:                   "<img src=x onerror=alert(1)>",
		strings.Repeat("x", 300) + ".jpeg":               strings.Repeat("x", shared.MaxFileName-5) + ".jpeg",
		"Stra\u00dfe.txt":                                "Stra\u00dfe.txt",
		"a\xff.txt":                                      "a.txt",
		`"; filename*=UTF-8''caf%c3%a9.txt; x="y`:        "caf\u00e9.txt",
		`a\"b.txt`: `a"b.txt`,
		"-":        "-",
	} {
		status, answer := s.postForm(form(aFile(name), "x"))
		if status != 201 {
			t.Errorf("%q: %d %s", name, status, answer)
			continue
		}
		all := s.history("hall")
		if got := all[len(all)-1].File.Name; got != want {
			t.Errorf("%q is shown as %q, not %q", name, got, want)
		}
	}
}

// rawForm opens a connection and begins to post a form of a length into the hall.
func (s *server) rawForm(length int, body string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /api/rooms/hall/messages HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
		s.http.Listener.Addr(), formType, token, length, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// Of a file that breaks off, nothing stays: its connection ends, nothing more comes, it is
// shorter or longer than the request says.
func TestBrokenForms(t *testing.T) {
	t.Parallel()
	body := form(`"message"`, "Look", aFile("a.txt"), strings.Repeat("x", 500))
	half := body[:len(body)/2]
	s := startForms(t)
	conn := s.rawForm(len(body), half)
	s.until("it has come as far as its file", func() bool { all, _ := s.filed(); return all == 1 })
	conn.Close()
	s.forgets(0)

	s = startForms(t, func(c *chat.Config) {
		store := c.Files.(*files.Store)
		store.Close()
		patient, err := files.Open(context.Background(), t.TempDir(), c.Log.(chat.FileRows), files.Options{Max: maxFile, Patience: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(patient.Close)
		c.Files = patient
	})
	for what, c := range map[string]struct {
		length int
		body   string
		status string
	}{
		"one that stops":                    {len(body), half, " 408 "},
		"one that stops before its file":    {len(body), "--b0\r\nContent-Disp", " 408 "},
		"one that is longer than is said":   {len(body) - 100, body, " 408 "},
		"one that is shorter than is said":  {len(body) + 100, body, " 201 "}, // what is behind its end is no part of it
		"one that says to be far too large": {maxFile + 1<<20, half, " 413 "},
	} {
		conn := s.rawForm(c.length, c.body)
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(answer, c.status) {
			t.Errorf("%s: %q, %v, want %s", what, answer, err, c.status)
		}
		if c.status != " 201 " {
			s.until(what+" leaves nothing", func() bool { _, loose := s.filed(); return len(loose) == 0 })
		}
	}
	if all := s.history("hall"); len(all) != 1 {
		t.Errorf("the room has %+v", all)
	}
}

// A host may forbid files while one is on its way.
func TestFormIsForbiddenMeanwhile(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	ann, _ := s.join("hall", opens("Ann", newDevice()))
	body := form(aFile("a.txt"), "content")
	cut := strings.Index(body, "content")
	conn := s.rawForm(len(body), body[:cut])
	s.until("it is on its way", func() bool { all, _ := s.filed(); return all == 1 })
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Files: shared.WhoNone}})
	fmt.Fprint(conn, body[cut:])
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 403 || !strings.Contains(string(answer), "Ann has set that nobody sends files") {
		t.Errorf("it is answered with %s %s, %v", resp.Status, answer, err)
	}
	s.forgets(0)
}

// A room may be deleted or renamed while a file comes to it. Nothing of the file stays,
// and a sentence says what to do.
func TestRoomsGoMeanwhile(t *testing.T) {
	t.Parallel()
	hall, attic := name(t, "hall"), name(t, "attic")
	var thumb bytes.Buffer
	if err := jpeg.Encode(&thumb, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		do     func(s *server) error
		status int
		says   string
		left   int
	}{
		"deleted": {func(s *server) error { return s.hub.Delete(t.Context(), hall) }, 507, "its room was deleted", 0},
		"renamed": {func(s *server) error { return s.hub.Rename(t.Context(), hall, attic) }, 403, "Send it again", 1},
		"deleted after the file came": {func(s *server) error {
			s.until("the file has come", func() bool { return s.stored() == 2 })
			return s.hub.Delete(t.Context(), hall)
		}, 507, "its room was deleted", 0},
	} {
		s := startForms(t)
		if status, answer := s.postForm(form(aFile("first.txt"), "x")); status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
		body := form(aFile("a.txt"), strings.Repeat("x", 1500), `"thumb"`, thumb.String())
		conn := s.rawForm(len(body), body[:2000])
		s.until("it has come as far as its file", func() bool { _, loose := s.filed(); return len(loose) == 1 })
		if err := c.do(s); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, body[2000:])
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || !strings.Contains(string(answer), c.says) {
			t.Errorf("%s: %d %s, %v", what, resp.StatusCode, answer, err)
		}
		s.forgets(c.left)
	}
}

// Who sends a form twice at once says it once.
func TestFormsOfOneKey(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	answers := make(chan string, chat.MaxUnfinished)
	for range chat.MaxUnfinished {
		go func() {
			status, answer := s.postForm(form(aFile("a.txt"), strings.Repeat("x", 3000)), "Idempotency-Key", "run")
			answers <- fmt.Sprint(status, " ", answer)
		}()
	}
	count := make(map[string]int)
	for range chat.MaxUnfinished {
		count[strings.TrimSpace(<-answers)]++
	}
	if count[`201 {"id":"run","offset":1}`] != 1 || count[`200 {"id":"run","offset":1}`] != chat.MaxUnfinished-1 {
		t.Errorf("it is answered with %v", count)
	}
	s.forgets(1)
}

// Programs have four files on their way, all together. One more waits, and no place is
// taken for longer than a request takes.
func TestFewFormsAtOnce(t *testing.T) {
	t.Parallel()
	s := startForms(t)
	body := form(aFile("a.txt"), "content")
	cut := strings.Index(body, "content")
	var open []net.Conn
	for range chat.MaxUnfinished {
		open = append(open, s.rawForm(len(body), body[:cut]))
	}
	s.until("four are on their way", func() bool { _, loose := s.filed(); return len(loose) == chat.MaxUnfinished })
	resp, err := http.ReadResponse(bufio.NewReader(s.rawForm(len(body), body)), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "5" || !strings.Contains(string(answer), "has to wait") {
		t.Errorf("the fifth: %+v %s, %v", resp, answer, err)
	}
	open[0].Close()
	s.until("one has gone", func() bool { _, loose := s.filed(); return len(loose) == chat.MaxUnfinished-1 })
	if status, answer := s.postForm(body); status != 201 {
		t.Errorf("once one has gone: %d %s", status, answer)
	}
	for _, conn := range open[1:] {
		fmt.Fprint(conn, body[cut:])
		if answer, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(answer, " 201 ") {
			t.Errorf("one that waited: %q, %v", answer, err)
		}
	}
	s.forgets(4)
	s.stop() // with nobody on their way
}

// A program that sends one file after the other has as many as it likes.
func TestManyForms(t *testing.T) {
	t.Parallel()
	s := startForms(t, func(c *chat.Config) { c.MaxPerAddress = 9 })
	const many = 20*chat.MaxUnfinished + 1 // an address has one less on their way
	for i := range many {
		if status, answer := s.postForm(form(aFile("a.txt"), "x")); status != 201 {
			t.Fatalf("form %d: %d %s", i, status, answer)
		}
	}
	rows, err := s.log.Files(t.Context(), "", many+1)
	if err != nil || len(rows) != many || rows[0].Source == 0 {
		t.Errorf("there are %d rows like %+v, %v", len(rows), rows[0], err)
	}
}

// A form costs its address what the disk does for it.
func TestFormsArePaid(t *testing.T) {
	t.Parallel()
	s := startForms(t, func(c *chat.Config) { c.MaxPerAddress = 9 })
	s.hub.StopMeters()
	const forms = 5
	for range forms {
		if status, answer := s.postForm(form(aFile("a.txt"), "x")); status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if used := s.hub.Used("127.0.0.1"); used < 3*forms*chat.CostSync {
		t.Errorf("%d forms cost %v", forms, used)
	}
}

// Forms count as messages do, and are refused before their file comes.
func TestFormsAreLimited(t *testing.T) {
	t.Parallel()
	s := startFiles(t, func(c *chat.Config) { c.Token, c.Rate, c.Burst = token, 0.001, 3 })
	for i := range 4 {
		status, answer := s.postForm(form(aFile("a.txt"), "x"))
		if want := map[bool]int{true: 201, false: 429}[i < 3]; status != want {
			t.Errorf("form %d: %d %s", i, status, answer)
		}
	}
	s.forgets(3)
}
