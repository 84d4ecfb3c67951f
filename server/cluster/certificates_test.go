//go:build linux

package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// authority is a folder with the machines' certificates, as docs/cluster/README.md makes
// them, and who signs these.
type authority struct {
	t   testing.TB
	dir string
}

func newAuthority(t testing.TB) *authority { return &authority{t, t.TempDir()} }

// certify makes certificates for the machine with a name, or for all.
func (ca *authority) certify(name string) {
	ca.t.Helper()
	var machines []string
	for _, machine := range strings.Fields(section(ca.t, "./certificates.sh ", "```"))[1:] {
		if name == "" || strings.HasPrefix(machine, name+"=") {
			machines = append(machines, machine)
		}
	}
	if out, err := ca.run(machines...); err != nil {
		ca.t.Fatalf("%v\n%s", err, out)
	}
}

// run runs certificates.sh.
func (ca *authority) run(machines ...string) (out []byte, err error) {
	ca.t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "docs", "cluster", "certificates.sh"))
	if err != nil {
		ca.t.Fatal(err)
	}
	cmd := exec.Command(script, machines...)
	cmd.Dir = ca.dir
	return cmd.CombinedOutput()
}

// TestCertificatesBrokenOff has certificates.sh fail, for the authority and for a machine:
// it can be run again, and what was there before is still whole.
func TestCertificatesBrokenOff(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	if err := os.Mkdir(ca.file(), 0o700); err != nil { // where it is to write
		t.Fatal(err)
	}
	if out, err := ca.run("a=10.0.0.11"); err == nil {
		t.Errorf("without a place for its certificate there is an authority: %s", out)
	}
	if err := os.Remove(ca.file()); err != nil {
		t.Fatal(err)
	}
	ca.certify("a")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(ca.file(), ca.file()+".away")
	if out, err := ca.run("a=10.0.0.11"); err == nil {
		t.Errorf("there is a certificate of no authority: %s", out)
	}
	move(ca.file()+".away", ca.file())
	if out, err := ca.run("a=nowhere"); err == nil {
		t.Errorf("a machine may have any address: %s", out)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(ca.dir, "a.crt"), filepath.Join(ca.dir, "a.key")); err != nil {
		t.Error(err)
	}
}

// hand copies what a machine needs of it into the folder where the machine is set up.
func (ca *authority) hand(m *machine) {
	ca.t.Helper()
	m.must("", "cd "+ca.dir+" && cp ca.crt "+m.name+".crt "+m.name+".key /var/lib/cluster")
}

// file has the authority's own certificate.
func (ca *authority) file() string { return filepath.Join(ca.dir, "ca.crt") }

func (ca *authority) trusts() *tls.Config {
	ca.t.Helper()
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(ca.file()); err != nil || !pool.AppendCertsFromPEM(pem) {
		ca.t.Fatalf("%s has no certificate: %v", ca.file(), err)
	}
	return &tls.Config{RootCAs: pool}
}

// asks is a client of what runs on the machine, without a certificate of its own.
func (m *machine) asks() *http.Client {
	return &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: (&net.Dialer{Timeout: dialFor}).DialContext, TLSClientConfig: m.ca.trusts()}}
}

// lookForPlain looks whether anything goes over the network unencrypted, and whether
// somebody without a certificate can change anything.
func (w *world) lookForPlain() {
	w.t.Helper()
	const query = "SELECT count(*) FILTER (WHERE NOT ssl) || ' of ' || count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL"
	const all = "host=10.0.0.11,10.0.0.12,10.0.0.13 user=postgres dbname=postgres target_session_attrs=read-write"
	if said := w.run("CHANGE-ME-1", `psql -qXAtc "`+query+`" "`+all+`"`); !strings.HasPrefix(said, "0 of ") {
		w.t.Errorf("not encrypted are connections to the database: %s", said)
	}
	if said := w.run("CHANGE-ME-1", `psql -qXc SELECT "`+all+` sslmode=disable" 2>&1 || true`); !strings.Contains(said, "no encryption") {
		w.t.Errorf("the database says without TLS: %s", said)
	}
	for _, m := range w.machines {
		client := m.asks()
		client.Timeout = tooLong
		resp, err := client.Get("https://" + m.address + ":2379/v2/keys/")
		if err == nil {
			resp.Body.Close()
			w.t.Errorf("etcd on %s answers somebody without a certificate: %s", m.name, resp.Status)
		} else if !strings.Contains(err.Error(), "certificate") {
			w.t.Errorf("etcd on %s: %v", m.name, err)
		}
		resp, err = client.Post("https://"+m.address+":8008/restart", "application/json", strings.NewReader("{}"))
		if err != nil {
			w.t.Errorf("Patroni on %s: %v", m.name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			w.t.Errorf("Patroni on %s lets somebody without a certificate restart the database: %s", m.name, resp.Status)
		}
	}
}

// renew gives a machine a new certificate while people talk.
func (w *world) renew(m *machine) {
	w.t.Helper()
	ports := []string{"2379", "2380", "5432", "8008"}
	old := make(map[string]string)
	for _, port := range ports {
		w.await("it shows a certificate at "+port, func() bool {
			old[port] = m.shows(port)
			return old[port] != ""
		})
	}
	m.ca.certify(m.name)
	m.ca.hand(m)
	m.must("", "set -e\ncd /var/lib/cluster\n"+section(w.t, "install -m 644 b.crt", "systemctl reload patroni"))
	m.signal(syscall.SIGHUP, isPatroni) // as the unit reloads it
	for _, port := range ports {
		w.await("it shows the new certificate at "+port, func() bool {
			now := m.shows(port)
			return now != "" && now != old[port]
		})
	}
	w.flow(20)
}

// shows is the number of the certificate that the machine shows at a port, or "".
func (m *machine) shows(port string) (number string) {
	conn, err := net.DialTimeout("tcp", m.address+":"+port, dialFor)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return ""
	}
	if port == "5432" { // PostgreSQL is asked for TLS
		ask := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, 80877103)
		if _, err := conn.Write(ask); err != nil {
			return ""
		}
		if _, err := conn.Read(ask[:1]); err != nil || ask[0] != 'S' {
			return ""
		}
	}
	trusts := m.ca.trusts()
	trusts.ServerName = m.address
	c := tls.Client(conn, trusts)
	_ = c.Handshake() // etcd may refuse, after it has shown its certificate
	if shown := c.ConnectionState().PeerCertificates; len(shown) > 0 {
		return shown[0].SerialNumber.String()
	}
	return ""
}
