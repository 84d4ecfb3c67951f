package chat

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// pair returns a sock over one end of a TCP connection, and the other end.
func pair(t *testing.T) (*sock, *net.TCPConn) {
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
	s := newSock()
	s.use(c)
	t.Cleanup(func() { s.Close(); peer.Close() })
	return s, peer.(*net.TCPConn)
}

// A frame that was begun is finished before a control frame goes out, and
// nothing goes out after a close frame.
func TestControlFrameWaitsForTheRest(t *testing.T) {
	s, peer := pair(t)
	big := frame(opText, bytes.Repeat([]byte("x"), 8<<20)) // more than the kernel takes at once
	s.mu.Lock()
	n, err := s.tryWrite(big)
	if err != nil || n == 0 || n == len(big) {
		t.Fatalf("%d of %d bytes were taken: %v", n, len(big), err)
	}
	s.rest = big[n:]
	s.mu.Unlock()

	closing := frame(opClose, []byte{3, 232})
	wrote := make(chan error, 2)
	go func() {
		_, err := s.Write(closing)
		wrote <- err
		_, err = s.Write(pingFrame)
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, err := s.tryWrite([]byte("hello")); n != 5 || err != nil {
		t.Fatalf("%d bytes were taken: %v", n, err)
	}
	s.Close()
	if n, err := s.tryWrite([]byte("you")); n != 0 || err == nil {
		t.Errorf("%d bytes were taken: %v", n, err)
	}
}

// Pongs are taken while waiting; what else comes is there to be read, and then
// no buffer is held.
func TestAwait(t *testing.T) {
	s, peer := pair(t)
	s.reader = bufio.NewReaderSize(s, readBuffer)
	ponged := make(chan bool, 2)
	s.onPong = func() { ponged <- true }
	pong := []byte{finalBit | opPong, maskBit, 1, 2, 3, 4}
	go func() {
		_, _ = peer.Write(pong)
		<-ponged // so that they come one by one
		_, _ = peer.Write(pong)
		<-ponged
		_, _ = peer.Write([]byte("a text longer than the library's buffer"))
	}()
	s.await()
	got := make([]byte, 39)
	if _, err := io.ReadFull(s.reader, got); err != nil || string(got) != "a text longer than the library's buffer" {
		t.Errorf("got %q, %v", got, err)
	}
	if s.buf != nil || s.early != nil {
		t.Error("a buffer is held")
	}
	peer.Close()
	s.await()
	if _, err := s.reader.ReadByte(); err != io.ErrUnexpectedEOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestStalledPeer(t *testing.T) {
	s, peer := pair(t)
	big := bytes.Repeat([]byte("x"), 16<<20)
	s.mu.Lock()
	err := s.writeAll(big, 50*time.Millisecond)
	s.mu.Unlock()
	if err == nil {
		t.Fatal("a peer that reads nothing took 16 MB")
	}
	// What was not written is known, so that it could still be.
	sent := len(big) - len(s.rest)
	s.Close()
	if got, _ := io.Copy(io.Discard, peer); got != int64(sent) {
		t.Errorf("%d bytes came, %d were counted", got, sent)
	}
}

func TestTail(t *testing.T) {
	tail := newTail(100) // two chunks of 50
	var frames []byte
	var marks []mark
	for i := range 10 {
		f := fmt.Appendf(nil, "frame %02d|", i) // nine bytes
		frames = append(frames, f...)
		marks = append(marks, mark{end: uint64(len(f)), offset: int64(i + 1), device: fmt.Sprint(i % 2)})
	}
	read := func(cursor uint64, skip string) (text string, offset int64) {
		v := tail.view.Load()
		if !v.holds(cursor) {
			return "gone", 0
		}
		for {
			p, end, _ := v.next(cursor, skip)
			if end == nil {
				return text, offset
			}
			text += string(p)
			cursor, offset = end.end, end.offset
		}
	}
	tail.append(frames[:36], marks[:4])
	if text, offset := read(9, ""); text != "frame 01|frame 02|frame 03|" || offset != 4 {
		t.Errorf("got %q up to %d", text, offset)
	}
	if text, offset := read(0, "1"); text != "frame 00|frame 02|" || offset != 4 {
		t.Errorf("without a device's own: %q up to %d", text, offset)
	}
	end, n := tail.view.Load().frameEnd(9, 20)
	if end.end != 27 || n != 2 {
		t.Errorf("byte 20 lies in the frame that ends at %d, the %dth", end.end, n)
	}
	cursor := uint64(1 << 40)
	since := func(from int64, skip string) (string, int, bool) {
		runs, n, ok := tail.view.Load().since(from, cursor, skip)
		return string(bytes.Join(runs, nil)), n, ok
	}
	if p, n, ok := since(2, ""); p != "frame 02|frame 03|" || n != 2 || !ok {
		t.Errorf("after the second: %q, %d, %v", p, n, ok)
	}
	if p, n, ok := since(0, "1"); p != "frame 00|frame 02|" || n != 2 || !ok {
		t.Errorf("after the beginning, without a device's own: %q, %d, %v", p, n, ok)
	}
	last := func(head int64, n int) string {
		offset, ok := tail.view.Load().beforeLast(head, n)
		return fmt.Sprint(offset, ok)
	}
	if got := []string{last(4, 2), last(3, 2), last(4, 9)}; !slices.Equal(got, []string{"2 true", "1 true", "0 true"}) {
		t.Errorf("before the last: %q", got)
	}
	before := tail.view.Load()
	tail.append(frames[36:], marks[4:]) // 90 bytes: two chunks hold them
	if text, _ := read(0, ""); text != string(frames) {
		t.Errorf("after the first chunk: %q", text)
	}
	tail.append(frames[:18], []mark{{end: 9, offset: 11, device: "0"}, {end: 9, offset: 12, device: "1"}})
	if text, _ := read(44, ""); text != "gone" {
		t.Errorf("what was dropped is still there: %q", text)
	}
	if _, _, ok := since(4, ""); ok {
		t.Error("entries after the fourth are said to be there, of which the fifth was dropped")
	}
	tail.append([]byte("here|"), []mark{{end: 5, offset: 12}}) // no entry
	cursor = 100                                               // what is no entry and was not sent is sent, too
	if p, n, ok := since(11, ""); p != string(frames[9:18])+"here|" || n != 2 || !ok {
		t.Errorf("after the eleventh, and what comes with it: %q, %d, %v", p, n, ok)
	}
	if p, n, ok := since(12, ""); p != "here|" || n != 1 || !ok {
		t.Errorf("after the last entry: %q, %d, %v", p, n, ok)
	}
	cursor = 1 << 40
	if got := []string{last(12, 2), last(12, 50)}; !slices.Equal(got, []string{"10 true", "0 false"}) {
		t.Errorf("before the last of those that are here: %q", got)
	}
	if p, n, ok := since(10, ""); p != string(frames[:18]) || n != 2 || !ok {
		t.Errorf("after the tenth: %q, %d, %v", p, n, ok)
	}
	if text, _ := read(45, ""); text != string(frames[45:])+string(frames[:18])+"here|" {
		t.Errorf("after the older chunk went: %q", text)
	}
	if p, _, _ := before.next(0, ""); string(p) != string(frames[:36]) {
		t.Errorf("an earlier view changed to %q", p)
	}
	tail.append(bytes.Repeat([]byte("y"), 80), []mark{{end: 80, offset: 13}}) // larger than a chunk
	if text, offset := read(113, ""); len(text) != 80 || offset != 13 {
		t.Errorf("a large frame: %q up to %d", text, offset)
	}
}
