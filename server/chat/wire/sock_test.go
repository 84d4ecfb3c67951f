package wire

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// pair returns a Sock over one end of a TCP connection, and the other end.
func pair(t *testing.T) (*Sock, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := NewSock()
	s.use(c)
	t.Cleanup(func() { s.Close(); peer.Close() })
	return s, peer.(*net.TCPConn)
}

// A frame that was begun is finished before a control frame goes out, and
// nothing goes out after a close frame.
func TestControlFrameWaitsForTheRest(t *testing.T) {
	s, peer := pair(t)
	big := frame(opText, bytes.Repeat([]byte("x"), 8<<20)) // more than the kernel takes at once
	s.Mu.Lock()
	n, err := s.TryWrite(big)
	if err != nil || n == 0 || n == len(big) {
		t.Fatalf("%d of %d bytes were taken: %v", n, len(big), err)
	}
	s.Rest = big[n:]
	s.Mu.Unlock()

	closing := frame(opClose, []byte{3, 232})
	wrote := make(chan error, 2)
	go func() {
		_, err := s.Write(closing)
		wrote <- err
		_, err = s.Write(Ping)
		wrote <- err
		s.Close()
	}()
	got, err := io.ReadAll(peer)
	if err != nil {
		t.Fatal(err)
	}
	if want := append(bytes.Clone(big), closing...); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, not the %d of the frame and the close frame", len(got), len(want))
	}
	if err := <-wrote; err != nil {
		t.Errorf("the close frame: %v", err)
	}
	if err := <-wrote; err == nil {
		t.Error("a ping went out after the close frame")
	}
}

// A connection that ends inside a frame has not sent that frame.
func TestEndInsideAFrame(t *testing.T) {
	s, peer := pair(t)
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

// A socket that was closed between two writes took nothing of the second.
func TestWriteAfterClose(t *testing.T) {
	s, _ := pair(t)
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if n, err := s.TryWrite([]byte("hello")); n != 5 || err != nil {
		t.Fatalf("%d bytes were taken: %v", n, err)
	}
	s.Close()
	if n, err := s.TryWrite([]byte("you")); n != 0 || err == nil {
		t.Errorf("%d bytes were taken: %v", n, err)
	}
}

// Pongs are taken while waiting; what else comes is there to be read, and then
// no buffer is held.
func TestAwait(t *testing.T) {
	s, peer := pair(t)
	s.reader = bufio.NewReaderSize(s, readBuffer)
	ponged := make(chan bool, 2)
	s.OnPong = func() { ponged <- true }
	pong := []byte{finalBit | opPong, maskBit, 1, 2, 3, 4}
	go func() {
		_, _ = peer.Write(pong)
		<-ponged // so that they come one by one
		_, _ = peer.Write(pong)
		<-ponged
		_, _ = peer.Write([]byte("a text longer than the library's buffer"))
	}()
	s.Await()
	got := make([]byte, 39)
	if _, err := io.ReadFull(s.reader, got); err != nil || string(got) != "a text longer than the library's buffer" {
		t.Errorf("got %q, %v", got, err)
	}
	if s.buf != nil || s.early != nil {
		t.Error("a buffer is held")
	}
	peer.Close()
	s.Await()
	if _, err := s.reader.ReadByte(); err != io.ErrUnexpectedEOF {
		t.Errorf("at the end: %v", err)
	}
}

// After a close frame the peer's answer is still to come; it is over when its time is
// up, or at once with Close.
func TestOver(t *testing.T) {
	s, peer := pair(t)
	go io.Copy(io.Discard, peer)
	s.End(time.Now().Add(time.Hour))
	if _, err := s.Write(Close(1000, "bye")); err != nil {
		t.Fatal(err)
	}
	if !s.Closed() || s.Over() {
		t.Errorf("after the close frame: closed %v, over %v", s.Closed(), s.Over())
	}
	s.End(time.Now().Add(-time.Second))
	if !s.Over() {
		t.Error("it is not over when its time is up")
	}
	other, _ := pair(t)
	other.Close()
	if !other.Over() {
		t.Error("it is not over after Close")
	}
}

func TestStalledPeer(t *testing.T) {
	s, peer := pair(t)
	big := bytes.Repeat([]byte("x"), 16<<20)
	s.Mu.Lock()
	err := s.WriteAll(big, 50*time.Millisecond)
	s.Mu.Unlock()
	if err == nil {
		t.Fatal("a peer that reads nothing took 16 MB")
	}
	// What was not written is known, so that it could still be.
	sent := len(big) - len(s.Rest)
	s.Close()
	if got, _ := io.Copy(io.Discard, peer); got != int64(sent) {
		t.Errorf("%d bytes came, %d were counted", got, sent)
	}
}
