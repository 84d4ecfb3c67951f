package main

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// tokenFile is a file of a folder of its own, with webhookToken in it.
func tokenFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(webhookToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// postFile sends a file into the hall over the API, and returns the answer.
func postFile(t *testing.T, s *servertest.Server, data []byte) (status int, answer string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	f, err := w.CreateFormFile("file", "a.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(data)
	_ = w.Close()
	req, err := http.NewRequest(http.MethodPost, s.URL("/api/rooms/hall/messages"), &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+webhookToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestCurl runs what docs/api.md has for a shell: a text, a file, a picture with its
// thumbnail. Curl repeats nothing of it by itself.
func TestCurl(t *testing.T) {
	t.Parallel()
	needsProgram(t, "curl", "curl")
	needsProgram(t, "convert", "imagemagick")
	doc, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	token := tokenFile(t)
	dir := filepath.Dir(token)
	f, err := os.Create(filepath.Join(dir, "picture.png"))
	if err != nil {
		t.Fatal(err)
	}
	err = png.Encode(f, image.NewGray(image.Rect(0, 0, 1200, 900)))
	if f.Close() != nil || err != nil {
		t.Fatal(err)
	}
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	sh("convert picture.png picture.jpg")
	s := servertest.Start(t, "--api-token-file", token)
	ann := s.Join("Lobby", "Ann")
	scripts := regexp.MustCompile("(?s)```\n((?:curl|convert) .*?)\n```").FindAllStringSubmatch(string(doc), -1)
	if len(scripts) != 3 {
		t.Fatalf("docs/api.md has %d blocks for a shell, not 3", len(scripts))
	}
	var told []shared.Message
	for i, script := range scripts {
		answer := sh(strings.ReplaceAll(script[1], "http://localhost:8000", s.URL("")))
		if !strings.Contains(answer, `{"id":"`) {
			t.Fatalf("%s is answered with %s", script[1], answer)
		}
		told = append(told, ann.Next(shared.TypeChat))
		if i == 0 {
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, "picture.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if file := told[i].File; file == nil || file.Name != "picture.jpg" || file.Type != "image/jpeg" {
			t.Fatalf("Ann is told %+v of %+v", file, told[i])
		}
		if status, body := s.Get("/files/" + told[i].File.ID); status != 200 || body != string(want) {
			t.Errorf("the file is %d, %d bytes", status, len(body))
		}
	}
	if m := told[0]; m.User != "Nas" || m.Text != "The backup is done." {
		t.Errorf("the text is %+v", m)
	}
	if m := told[1]; m.User != "Camera" || m.File.Caption != "At the gate" || m.File.Thumb {
		t.Errorf("the file is %+v of %+v", m.File, m)
	}
	if f := told[2].File; !f.Thumb || f.Width != 480 || f.Height != 360 {
		t.Errorf("the picture is %+v", f)
	}
}
