package cluster

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
	"parley/shared/servertest"
)

// TestDeadMachine cuts the network of a server that has people behind the proxy of
// docs/cluster: those who wait and those who write are let go long before the tunnel's
// time is over, so that they come back to another server.
func TestDeadMachine(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	machine := servertest.NewHost(t)
	machine.Cable("eth7", "10.0.0.11/24")
	servertest.IP(t, "addr add 10.0.0.10/24 dev eth7")
	said := servertest.NewOutput()
	machine.Serve(said, "--addr", "10.0.0.11:8000", "--data", t.TempDir(), "--trusted-proxy", "10.0.0.10", "--allow-host", "chat.example.org", "--no-announce")
	said.Wait(t, "Parley is open")

	b := balancers[0]
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cluster", b.file))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	for _, faster := range [][2]string{{"srvtcpka-idle 5s", "srvtcpka-idle 1s"}, {"srvtcpka-intvl 2s", "srvtcpka-intvl 1s"}} {
		config = replace(t, config, faster[0], faster[1])
	}
	dir, port := t.TempDir(), servertest.FreePort(t)
	writeCertificate(t, dir)
	run(t, b.command(t, config, dir, port))
	client := visitors(t, port)
	until(t, "the server is in use", func() bool {
		resp, err := client.Get("https://chat.example.org/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	cut := make(chan struct{})
	var in sync.WaitGroup
	for name, writes := range map[string]bool{"Ann": false, "Bob": true} {
		conn, _, err := websocket.Dial(ctx, "wss://chat.example.org/ws/chat/Hall", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{shared.Protocol}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		if err := conn.Write(ctx, websocket.MessageText, shared.Encode(shared.Message{Type: shared.TypeHello, User: name, Device: servertest.NewDevice()})); err != nil {
			t.Fatal(err)
		}
		in.Add(1)
		all.Go(func() {
			welcomed := sync.OnceFunc(in.Done)
			defer welcomed()
			for {
				if _, _, err := conn.Read(ctx); err != nil {
					select {
					case <-cut:
					default:
						t.Errorf("%s was let go before: %v", name, err)
					}
					if ctx.Err() != nil {
						t.Errorf("%s is kept; that one writes: %v", name, writes)
					}
					return
				}
				welcomed()
			}
		})
		if writes {
			all.Go(func() {
				<-cut
				_ = conn.Write(ctx, websocket.MessageText, shared.Encode(shared.Message{Type: shared.TypeChat, ID: "a", Text: "anybody there?"}))
			})
		}
	}
	in.Wait()
	machine.Firewall("table inet dead { chain in { type filter hook input priority 0; policy drop; }; chain out { type filter hook output priority 0; policy drop; }; }")
	late := time.AfterFunc(time.Minute, cancel) // a tunnel has 90 s
	defer late.Stop()
	close(cut)
	all.Wait()
}
