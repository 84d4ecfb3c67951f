package servertest

import (
	"fmt"
	"net"
	"os"
	"testing"
)

// A port that was given out is there for whoever asks for it, again and again, and for nobody
// who takes any.
func TestFreePort(t *testing.T) {
	if !InNamespace(t) {
		return
	}
	IP(t, "link set lo up")
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40009"), 0o600); err != nil {
		t.Fatal(err)
	}
	port := FreePort(t)
	address := fmt.Sprint("127.0.0.1:", port)
	for range 2 {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("somebody listens there")
	}
	for n := range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			if n != 9 {
				t.Errorf("of nine other ports, there are %d: %v", n, err)
			}
			break
		}
		defer l.Close()
		if l.Addr().(*net.TCPAddr).Port == port {
			t.Error("it was given out again")
		}
	}
}
