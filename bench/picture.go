package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// shown is what it costs that everyone in a room gets a picture.
type shown struct {
	seconds       float64 // until everyone has it
	bytes         float64 // of memory for one member, at most, while they get it
	quiet, during measure // of bystanders
}

const pictureBytes = 600 << 10 // what a photo has when a page or the app has scaled it

// pictured has somebody send one picture to a room. Everyone loads it as soon as they
// hear of it, while bystanders talk.
func pictured(p peer, members int, each time.Duration) (r shown, err error) {
	command := p.command
	p.command = func(addr string) (*exec.Cmd, error) {
		cmd, err := command(addr)
		if err == nil {
			cmd.Args = append(cmd.Args, "--rate", "0", "--max-upgrades", "0") // all sockets come from one address
		}
		return cmd, err
	}
	s, err := start(p)
	if err != nil {
		return r, err
	}
	defer s.stop()
	gallery := p
	gallery.path = func(string) string { return p.path("gallery") }
	heard := make(chan struct{}, members)
	c, err := gather(gallery, s, 1, members, func(m *member) {
		m.got = func(*member, int, int64) { heard <- struct{}{} }
	})
	if err != nil {
		return r, err
	}
	defer c.disperse()
	by, err := newBystanders(p, s)
	if err != nil {
		return r, err
	}
	defer by.disperse()
	settle()
	if r.quiet, err = by.talk(each); err != nil {
		return r, err
	}
	before := s.memory("VmRSS")

	picture, err := sendPicture(p, s)
	if err != nil {
		return r, err
	}
	began, over := time.Now(), make(chan struct{})
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range members {
		all.Go(func() {
			// From an address of their own: what is too much for one is fine for a thousand.
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 3, byte(i>>8), byte(i))}}
			client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
			defer client.CloseIdleConnections()
			<-heard
			if err := picture.load(client); err != nil {
				failed.Store(&err)
			}
		})
	}
	most := make(chan float64)
	go func() {
		peak := 0.0
		for {
			peak = max(peak, s.memory("VmRSS"))
			select {
			case <-over:
				most <- peak
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	took := make(chan float64, 1)
	go func() { all.Wait(); took <- time.Since(began).Seconds() }()
	r.during, err = by.talk(each)
	r.seconds = <-took
	close(over)
	r.bytes = (<-most - before) / float64(members)
	if e := failed.Load(); e != nil {
		err = errors.Join(err, *e)
	}
	return r, err
}

// sentPicture is a picture that a room has.
type sentPicture struct {
	url  string
	size int
}

// sendPicture sends a picture to the gallery, with a thumbnail.
func sendPicture(p peer, s *process) (*sentPicture, error) {
	m, err := dial(s.addr, p.path("gallery"), p.protocol)
	if err != nil {
		return nil, err
	}
	defer m.close()
	frames := make(chan []byte, 100)
	m.frame = func(_ *member, payload []byte) {
		select {
		case frames <- bytes.Clone(payload):
		default: // nobody waits for it
		}
	}
	if err := m.listen(); err != nil {
		return nil, err
	}
	next := func(want string) ([]byte, error) {
		for {
			select {
			case f := <-frames:
				if bytes.Contains(f, []byte(want)) {
					return f, nil
				}
			case err := <-m.done:
				return nil, err
			case <-time.After(30 * time.Second):
				return nil, errors.New("no answer to an upload")
			}
		}
	}
	if err := m.send(p.greet("painter", 1e6)); err != nil {
		return nil, err
	}
	if _, err := next(`"type":"welcome"`); err != nil {
		return nil, err
	}
	var thumb bytes.Buffer
	if err := jpeg.Encode(&thumb, image.NewRGBA(image.Rect(0, 0, 480, 360)), nil); err != nil {
		return nil, err
	}
	data := make([]byte, pictureBytes)
	_, _ = rand.Read(data)
	copy(data, thumb.Bytes())
	id := strings.ToLower(rand.Text())
	if err := m.send(fmt.Appendf(nil, `{"type":"upload","id":"%s","name":"IMG.jpg","size":%d,"width":480,"height":360}`, id, len(data))); err != nil {
		return nil, err
	}
	answer, err := next(`"type":"upload"`)
	if err != nil {
		return nil, err
	}
	var upload struct{ Key string }
	if err := json.Unmarshal(answer, &upload); err != nil {
		return nil, err
	}
	for _, r := range []struct {
		method, path string
		body         []byte
	}{{http.MethodPatch, "/files/" + id, data}, {http.MethodPut, "/files/" + id + "/thumb", thumb.Bytes()}} {
		req, err := http.NewRequestWithContext(context.Background(), r.method, "http://"+s.addr+r.path, bytes.NewReader(r.body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+upload.Key)
		req.Header.Set("Upload-Offset", "0")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusNoContent {
			return nil, fmt.Errorf("%s %s: %s", r.method, r.path, resp.Status)
		}
	}
	message := fmt.Appendf(nil, `{"type":"chat_message","id":"picture","message":"%s","file":{"id":"%s"}}`, text(1, now()), id)
	return &sentPicture{"http://" + s.addr + "/files/" + id, len(data)}, m.send(message)
}

// load gets the thumbnail and the picture.
func (p *sentPicture) load(client *http.Client) error {
	for path, size := range map[string]int64{p.url + "/thumb": 0, p.url: int64(p.size)} {
		resp, err := client.Get(path)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || size > 0 && n != size {
			return fmt.Errorf("LOST: %s, %d bytes, %v", resp.Status, n, err)
		}
	}
	return nil
}
