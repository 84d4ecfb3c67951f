package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// An answer may take many times as long as a peer may take nothing of it.
func TestAnswersTakeTheirTime(t *testing.T) {
	t.Parallel()
	// On a busy machine, who reads may be kept from it for longer than that.
	for patience := 400 * time.Millisecond; !answerTakesItsTime(t, patience); patience *= 2 {
		if patience > 10*time.Second {
			t.Fatal("who is slow is cut off")
		}
	}
}

// answerTakesItsTime has one peer be slow, and one take nothing. It reports false if the
// slow one was cut off.
func answerTakesItsTime(t *testing.T, patience time.Duration) bool {
	want := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	cut := make(chan error, 2)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadTimeout: patience, WriteTimeout: patience, ReadHeaderTimeout: time.Minute,
		ConnState: func(c net.Conn, s http.ConnState) {
			if s == http.StateNew {
				_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
			}
		},
		Handler: patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(want)
			if err == nil {
				err = r.Context().Err()
			}
			cut <- err
		}), patience)}
	go func() { _ = srv.Serve(listener) }()
	defer srv.Close()

	get := func() net.Conn {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
		if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return c
	}
	slow := get()
	defer slow.Close()
	began := time.Now()
	var got bytes.Buffer
	for piece := int64(len(want) / 16); ; {
		time.Sleep(patience / 4) // is what a slow network is like
		if _, err := io.CopyN(&got, slow, piece); err == io.EOF {
			break
		} else if err != nil {
			t.Logf("after %v and %d bytes: %v", time.Since(began), got.Len(), err)
			return false
		}
	}
	if err := <-cut; err != nil || !bytes.HasSuffix(got.Bytes(), want) {
		t.Logf("after %v: %d bytes, %v", time.Since(began), got.Len(), err)
		return false
	}
	if took := time.Since(began); took < 2*patience {
		t.Errorf("it took %v only", took)
	}
	silent := get()
	defer silent.Close()
	if err := <-cut; err == nil {
		t.Error("who takes nothing is waited for")
	}
	return true
}
