package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// TestFormsAtServers sends files over the API of one server. Everyone at the other has
// them, and a repeated request is the same message there.
func TestFormsAtServers(t *testing.T) {
	t.Parallel()
	const secret = "a-token-for-programs"
	dir, token := t.TempDir(), filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte(secret), 0o600))
	s, _ := start(t, 2, "--api-token-file", token)
	var about struct{ ID string }
	s[0].JSON("/api/server", &about)
	must(t, os.WriteFile(filepath.Join(dir, "parley-log"), []byte(about.ID+"\n"), 0o600))
	for _, server := range s {
		server.Kill() // which takes no time
		server.Flags = append(server.Flags, "--files", dir)
		server.MustStart()
	}
	bob := s[1].Join("Hall", "Bob")
	content := strings.Repeat("content", 300_000) // some parts of it
	post := func(s *servertest.Server, key, content string) (status int, offset int64) {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		f, err := w.CreateFormFile("file", "a.txt")
		must(t, err)
		_, _ = io.WriteString(f, content)
		must(t, w.WriteField("message", "Look"))
		must(t, w.Close())
		req, err := http.NewRequest("POST", s.URL("/api/rooms/Hall/messages"), &body)
		must(t, err)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Authorization", "Bearer "+secret)
		req.Header.Set("Idempotency-Key", key)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		var answer struct {
			Offset int64
			Detail string
		}
		must(t, json.NewDecoder(resp.Body).Decode(&answer))
		if resp.StatusCode >= 300 {
			t.Log(answer.Detail)
		}
		return resp.StatusCode, answer.Offset
	}
	for i := range 2 {
		status, offset := post(s[0], fmt.Sprint(i), content)
		m := bob.Next(shared.TypeChat)
		if status != http.StatusCreated || m.Offset != offset || m.File == nil || m.File.Caption != "Look" || m.File.Size != int64(len(content)) {
			t.Fatalf("%d: Bob is told %+v of %+v", status, m.File, m)
		}
		if status, again := post(s[1], fmt.Sprint(i), content); status != http.StatusOK || again != offset {
			t.Errorf("again, it is answered with %d, offset %d", status, again)
		}
		for _, server := range s {
			if status, body := server.Get("/files/" + m.File.ID); status != 200 || body != content {
				t.Errorf("the file is %d, %d bytes", status, len(body))
			}
		}
	}
	if status, _ := post(s[1], "none", ""); status != http.StatusBadRequest {
		t.Errorf("no bytes are answered with %d", status)
	}
	until(t, "two files are left", func() bool {
		all, err := filepath.Glob(filepath.Join(dir, "files", "*", "*"))
		return err == nil && len(all) == 2
	})
}
