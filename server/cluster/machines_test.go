//go:build linux

package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"parley/shared/servertest"
)

// The machines of docs/cluster, as network namespaces on one bridge. Each has a disk of
// its own, in memory, over the folders that are written to, and is set up by the commands
// of docs/cluster/README.md, with the files next to it. What runs on a machine is in a
// namespace of processes: when its first process ends, all of it does, also if the test
// is killed.

// machine is one of them.
type machine struct {
	t             testing.TB
	name, address string
	host          *servertest.Host
	cable         string             // the test's end of it
	server        *servertest.Server // asks the Parley on it
	on            *exec.Cmd          // nil while it is off
	power         io.Closer          // its end turns the machine off
	processesAre  string             // their namespace
	ca            *authority         // of all machines
}

// disk covers the folders that are written to.
const disk = `set -e
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
cp -a /etc /var/lib/etc
mount --bind /var/lib/etc /etc
mkdir -p /var/lib/cluster /etc/patroni
install -d -o etcd /var/lib/etcd
install -d -o postgres /var/lib/postgresql
install -d -o nobody -m 700 /var/lib/parley`

// services is a machine's first process. It runs the services as their units do, and
// ends with its input.
const services = `run() { # NAME USER ENVIRONMENT COMMAND…
	local name=$1 user=$2 environment=$3
	shift 3
	install -d -o "$user" "/run/$name"
	while :; do
		(set -a; . "$environment"; HOME=/run/$name; exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@")
		sleep 1
	done >>"/var/log/$name" 2>&1 &
}
run etcd etcd /etc/default/etcd etcd
run postgresql postgres /dev/null patroni /etc/patroni/config.yml
run parley nobody /etc/parley-server.env "$0" --addr :8000 --data /var/lib/parley
echo "ready $(readlink /proc/self/ns/pid)"
while read -r; do :; done`

// maxResume is so little that those who keep away miss more.
const maxResume = 100

// newMachines sets machines up, without turning them on. The test is another one on
// their network: the proxy.
func newMachines(t *testing.T) []*machine {
	t.Helper()
	for _, program := range []string{"etcd", "etcdctl", "patroni", "psql", "openssl", "setpriv", "nsenter", "bash", "sysctl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("there is no %s: `make test` installs it", program)
		}
	}
	servertest.IP(t, "link set lo up")
	servertest.IP(t, "link add bridge type bridge")
	servertest.IP(t, "addr add 10.0.0.10/24 dev bridge")
	servertest.IP(t, "link set bridge up")
	ca := newAuthority(t)
	ca.certify("")
	var machines []*machine
	for i, name := range []string{"a", "b", "c"} {
		m := &machine{t: t, name: name, address: fmt.Sprint("10.0.0.", 11+i), cable: "to-" + name,
			host: servertest.NewHost(t), server: servertest.New(t), ca: ca}
		m.server.Listen(m.address + ":8000")
		m.host.Cable(m.cable, m.address+"/24")
		servertest.IP(t, "link set "+m.cable+" master bridge")
		m.must("", disk)
		for _, file := range []string{"etcd.env", "patroni.yml", "restart.conf", "sysctl.conf", "parley.env"} {
			m.must(documented(t, file), "cat >/var/lib/cluster/"+file)
		}
		ca.hand(m)
		set := section(t, "name=b address=10.0.0.12", "systemctl ")
		m.must("", "set -e\ncd /var/lib/cluster\n"+replace(t, set, "name=b address=10.0.0.12", "name="+name+" address="+m.address)+
			section(t, "install -m 600 parley.env", "./parley-server install")+
			fmt.Sprintf("echo PARLEY_MAX_RESUME=%d >> /etc/parley-server.env\n", maxResume))
		machines = append(machines, m)
		t.Cleanup(m.off)
	}
	return machines
}

// documented is a file of docs/cluster.
func documented(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cluster", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is the commands of README.md from a line up to another one.
func section(t testing.TB, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut(documented(t, "README.md"), "\n"+from)
	commands, _, ends := strings.Cut(rest, "\n"+to)
	if !found || !ends {
		t.Fatalf("docs/cluster/README.md has no commands from %q to %q", from, to)
	}
	return from + commands + "\n"
}

// must runs a script on the machine, also if that is off.
func (m *machine) must(input, script string) (out string) {
	m.t.Helper()
	cmd := m.host.Command("bash", "-c", script)
	cmd.Stdin = strings.NewReader(input)
	text, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("on machine %s: %v\n%s\n%s", m.name, err, script, text)
	}
	return string(text)
}

// boot turns the machine on, with all its services.
func (m *machine) boot() {
	m.t.Helper()
	m.link("up")
	cmd := m.host.Command("env", "-i", "PATH="+os.Getenv("PATH"), "unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
		"bash", "-c", services, servertest.Binary(m.t))
	power, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	said := servertest.NewOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.on, m.power = cmd, power
	m.processesAre = strings.TrimPrefix(said.Wait(m.t, `ready \S+`), "ready ")
}

// off turns the machine off at once, and then its cable is dead: nobody is told.
func (m *machine) off() {
	if m.on == nil {
		return
	}
	m.link("down")
	for _, pid := range m.processes(func(process) bool { return true }) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	m.power.Close()
	_ = m.on.Wait()
	m.on = nil
}

// process is what can be told of one.
type process struct {
	pid  int
	user uint32
	args []string
}

// processes are the machine's, as the test's system numbers them.
func (m *machine) processes(which func(process) bool) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/ns/pid")
	for _, link := range links {
		if there, err := os.Readlink(link); err != nil || there != m.processesAre {
			continue
		}
		var p process
		dir := filepath.Dir(filepath.Dir(link))
		_, _ = fmt.Sscan(filepath.Base(dir), &p.pid)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		p.args = strings.Split(string(line), "\x00")
		var status syscall.Stat_t
		if syscall.Stat(dir, &status) != nil {
			continue
		}
		p.user = status.Uid
		if which(p) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// signal sends a signal to some of the machine's processes, once there is one: to each once,
// as a second one may mean something else.
func (m *machine) signal(signal syscall.Signal, which func(process) bool) {
	m.t.Helper()
	until(m.t, "there is such a process", func() bool { return len(m.processes(which)) > 0 })
	sent := make(map[int]bool)
	for range 2 { // there may be new ones meanwhile
		for _, pid := range m.processes(which) {
			switch {
			case sent[pid]:
			case signal == syscall.SIGSTOP:
				servertest.Freeze(pid)
			default:
				_ = syscall.Kill(pid, signal) // it may have ended
			}
			sent[pid] = true
		}
	}
}

// isParley is the server.
func isParley(p process) bool {
	return strings.HasSuffix(p.args[0], "/parley-server") && slices.Contains(p.args, "--addr")
}

// isPostmaster is the PostgreSQL that starts the others.
func isPostmaster(p process) bool {
	return strings.HasSuffix(p.args[0], "/postgres") && slices.Contains(p.args, "-D")
}

// isPatroni is the one that looks after PostgreSQL.
func isPatroni(p process) bool {
	return slices.ContainsFunc(p.args, func(arg string) bool { return strings.HasSuffix(arg, "/patroni") })
}

// isDatabase is Patroni and PostgreSQL with all its processes.
func isDatabase(p process) bool { return p.user == postgres() }

var postgres = sync.OnceValue(func() uint32 {
	u, err := user.Lookup("postgres")
	if err != nil {
		panic(err)
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		panic(err)
	}
	return uint32(id)
})

// link has the machine's cable in or out.
func (m *machine) link(state string) {
	m.t.Helper()
	if out, err := exec.Command("ip", "link", "set", m.cable, state).CombinedOutput(); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
}

// member is what Patroni says of a machine's PostgreSQL.
type member struct {
	Name, Role, State string
	Timeline          int
}

func (m member) runs() bool { return m.State == "running" || m.State == "streaming" }

// members is what each Patroni says, if they agree, and else nil: one that was
// cut off says for some time what was true before.
func members(machines []*machine) (all []member) {
	for _, m := range machines {
		var said struct{ Members []member }
		resp, err := m.asks().Get("https://" + m.address + ":8008/cluster")
		if err != nil {
			return nil
		}
		err = json.NewDecoder(resp.Body).Decode(&said)
		resp.Body.Close()
		if err != nil || len(said.Members) == 0 || all != nil && !slices.Equal(all, said.Members) {
			return nil
		}
		all = said.Members
	}
	return all
}

func named(machines []*machine, name string) *machine {
	return machines[slices.IndexFunc(machines, func(m *machine) bool { return m.name == name })]
}

// withRole returns the machine whose PostgreSQL is said to have a role, or nil.
func withRole(machines []*machine, said []member, role string) *machine {
	for _, is := range said {
		if is.Role == role {
			return named(machines, is.Name)
		}
	}
	return nil
}

// whole reports whether there are a primary, a synchronous standby and another one, and
// each goes with the primary.
func whole(all []member) bool {
	var roles []string
	for _, m := range all {
		if m.Timeline != all[0].Timeline || !m.runs() {
			return false
		}
		roles = append(roles, m.Role)
	}
	slices.Sort(roles)
	return slices.Equal(roles, []string{"leader", "replica", "sync_standby"})
}
