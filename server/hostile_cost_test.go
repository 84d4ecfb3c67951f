package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/shared"
	"parley/shared/servertest"
)

// TestHostileCost has an attacker pour in what is cheap to send, without a pause. The
// server gives it no more processor time than the quarter of the machine that strangers
// have together, and the bystander is heard about as often as at the idle twin.
func TestHostileCost(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs further addresses of this host")
	}
	calm := func() (*servertest.Server, *bystander) {
		s := servertest.Start(t, "--rate", "100")
		b := &bystander{pace: 10 * time.Millisecond, conn: dial(t, s.URL("/ws/chat/hall"), shared.Protocol)}
		write(t, b.conn, string(shared.Encode(shared.Message{Type: shared.TypeHello, User: "Ann", Device: device})))
		readUntil(t, b.conn, shared.TypeWelcome)
		return s, b
	}
	here, ann := calm()
	there, twin := calm()
	h := &hostile{addr: strings.TrimPrefix(here.URL(""), "http://")}
	get := func(path string) []byte { return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, h.addr) }
	history := `{"type":"history","limit":100}`
	for _, a := range []struct {
		name         string
		first, frame []byte // of the tutorial's dialect, or a request
		parley       bool   // first there is a hello
	}{
		{name: "pings", frame: frameOf(ping, "x")},
		{name: "pongs", frame: frameOf(pong, "")},
		{name: "empty fragments", first: frameOf(unfinished, ""), frame: frameOf(continuation, "")},
		{name: "typing", frame: frameOf(text, `{"type":"typing"}`)},
		{name: "messages", frame: frameOf(text, `{"message":"x"}`)},
		{name: "history", frame: frameOf(text, history), parley: true},
		{name: "GET /api/server", frame: get("/api/server")},
		{name: "GET /readyz", frame: get("/readyz")},
	} {
		t.Run(a.name, func(t *testing.T) {
			h.t = t
			burst := bytes.Repeat(a.frame, max(1, 20000/len(a.frame)))
			inPeace(t, func() bool {
				var answers counter
				read := bytesRead(t, here) - int(ann.sent.Load())
				began, used := time.Now(), processorTime(t, here)-processorTime(t, there)
				talking := talkOn(t, ann, twin, 100)
				for talking.goesOn() {
					h.attackers++ // one that was thrown out comes back from elsewhere
					var c net.Conn
					switch {
					case bytes.HasPrefix(a.frame, []byte("GET")):
						c = h.connect()
					case a.parley:
						c, _, _ = h.upgrade("/ws/chat/hall", "Sec-WebSocket-Protocol: "+shared.Protocol+"\r\n")
						c.Write(frameOf(text, fmt.Sprintf(`{"type":"hello","user":"Eve%d","device":"%s"}`, h.attackers, servertest.NewDevice())))
					default:
						c, _ = h.enter()
					}
					go io.Copy(&answers, c)
					go func() { <-talking.enough; c.Close() }()
					c.Write(a.first)
					for err := error(nil); err == nil; {
						_, err = c.Write(burst)
					}
				}
				took := time.Since(began)
				used = processorTime(t, here) - processorTime(t, there) - used
				peace := talking.over(t)
				read = bytesRead(t, here) - int(ann.sent.Load()) - read
				budget := took.Seconds()*float64(runtime.GOMAXPROCS(0))/4 + 0.1 // what may be used at once
				t.Logf("%d bytes were read, %d answers came, %.2f s of processor time of %.2f s", read, answers.n.Load(), used, budget)
				if used > budget && !servertest.Race() {
					t.Errorf("the attack of %.1f s costs %.2f s of processor time, more than %.2f s", took.Seconds(), used, budget)
				}
				if request := bytes.HasPrefix(a.frame, []byte("GET")); request && answers.n.Load() < 100 || !request && read < len(burst) {
					t.Errorf("the attack was never made: %d bytes were read, %d answers came", read, answers.n.Load())
				}
				return peace
			})
		})
	}
}

// counter counts the answers to requests in what comes.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(bytes.Count(p, []byte("HTTP/1.1 200 ")))) // but for those that two reads share
	return len(p), nil
}

// bytesRead is how many bytes a server has read from WebSockets.
func bytesRead(t *testing.T, s *servertest.Server) int {
	t.Helper()
	n, err := strconv.ParseFloat(s.Metric("parley_read_bytes_total"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// processorTime is what a server's process has used, in seconds.
func processorTime(t *testing.T, s *servertest.Server) float64 {
	t.Helper()
	used, err := strconv.ParseFloat(s.Metric("process_cpu_seconds_total"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return used
}
