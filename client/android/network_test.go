//go:build linux && amd64

package main

import (
	"encoding/json"
	"fmt"
	"image"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The packaged app on a phone whose Wi-Fi has no Internet, so that Android gives
// sockets to mobile data: each of the app's is put on Wi-Fi, also after Wi-Fi was
// lost and has come back as another network. Its person has set large text, and
// is asked once whether the app may notify.
func TestAppNetwork(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	const scale, home, garden = 2, 101, 205
	r := newRig(t, *apk)
	r.settings = settings{fontScale: 1.3}
	server := startServer(t)
	_, port, err := net.SplitHostPort(server.address)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	p := r.start(t, folder, scale)

	// The app looks for servers at once, on the Wi-Fi network alone.
	for _, line := range []string{"multicast on", "send 224[.]0[.]0[.]251 5353 by wifi 101", "send 192[.]168[.]77[.]255 5353 by wifi 101", "multicast off"} {
		eventually(t, "the phone to say "+line, func() bool { return len(p.all(line)) > 0 })
	}

	// The server has a name that only the Wi-Fi network knows.
	p.find("the landing page", still(mainButton)) // the bars' insets move it
	entries := p.screen().boxes(paper, image.Pt(200, 40))
	if len(entries) != 2 {
		t.Fatalf("the landing page has the entries %v", entries)
	}
	p.save("large.png")
	p.tap(entries[0])
	p.wait("keyboard shown")
	p.do("type Ann")
	p.do("done")
	p.wait("keyboard hidden")
	p.wait("keyboard shown")
	p.do("type server.home.arpa:%s", port)
	p.wait("connect 127[.]0[.]0[.]1 " + port + " by wifi 101") // to ask who is there
	p.do("done")
	p.wait("keyboard hidden")
	p.tap(p.find("the rooms", roomEntry))
	p.wait("keyboard shown")
	p.do("type Garden")
	p.do("done")
	server.people(t, "Garden", 1)
	if size := textSize(t, folder); size != 125 {
		t.Errorf("text has %d %% of its size on a phone with 130 %%", size)
	}

	// The first message brings the question, and then Android's.
	p.find("the room", isRoom)
	p.write()
	p.do("type hello")
	p.send()
	p.wait("keyboard hidden") // to make room for the question, which then moves down
	server.said(t, "Ann: hello")
	yes := p.find("the question", still(question))
	p.save("question.png")
	p.tap(yes)
	p.wait(`asks android\.permission\.POST_NOTIFICATIONS`)
	p.do("allow 1")
	p.find("the room without the question", func(s screen) (image.Rectangle, bool) {
		_, asked := question(s)
		return image.Rectangle{}, !asked
	})

	// In the background two messages are one notification, which goes when the
	// room is looked at.
	bob := server.join(t, "Garden", "Bob")
	p.do("hide")
	bob.say(t, "hello Ann 🎉")
	p.wait("a tap opens http://.*/r/Garden$")
	first := p.wait("notification .*: Bob in Garden: hello Ann 🎉")
	bob.say(t, "are you there?")
	second := p.wait("notification .*: Bob in Garden: are you there[?]")
	tag := func(line string) string { return strings.SplitN(line, ":", 2)[0] }
	if tag(first) != tag(second) {
		t.Errorf("%q and %q are two notifications", first, second)
	}
	p.do("show")
	p.wait(strings.Replace(tag(first), "notification", "withdrawn", 1))

	// Wi-Fi goes, and comes back as another network.
	onWifi := p.connections(port)
	p.do("wifi 0")
	server.people(t, "Garden", 1)
	p.wait(`connect .* by mobile data|lookup .* by mobile data`)
	lost := len(p.connections(port))
	p.do("wifi %d", garden)
	server.people(t, "Garden", 2)
	all := p.connections(port)
	for name, want := range map[string]struct {
		connections []string
		network     string
	}{
		"at home":       {onWifi, fmt.Sprintf("wifi %d", home)},
		"in the garden": {afterLoss(all[lost:]), fmt.Sprintf("wifi %d", garden)},
	} {
		if len(want.connections) == 0 || slices.ContainsFunc(want.connections, func(n string) bool { return n != want.network }) {
			t.Errorf("%s the app connects by %q, not by %s alone", name, want.connections, want.network)
		}
	}
	// Those of the landing page, of the list of rooms, and of the room, twice.
	byWifi := len(slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == "mobile data" }))
	server.mu.Lock()
	if server.accepted < 4 || byWifi < server.accepted {
		t.Errorf("the server has taken %d connections, of which %d are known to have come by Wi-Fi", server.accepted, byWifi)
	}
	server.mu.Unlock()
	if elsewhere := p.elsewhere(port); slices.ContainsFunc(elsewhere, func(n string) bool { return !strings.HasPrefix(n, "10.0.2.2 8000 ") }) {
		t.Errorf("the app connects to %q", elsewhere)
	}

	for _, sent := range p.all("send .*") {
		if !strings.HasSuffix(sent, fmt.Sprintf(" by wifi %d", home)) {
			t.Errorf("the search: %s", sent)
		}
	}

	// A person who has been asked is not asked again.
	p.kill()
	r.settings.mayNotify = -1
	p = r.start(t, folder, scale)
	p.openFirst(t, server)
	p.write()
	p.do("type again")
	p.do("done")
	server.said(t, "Ann: again")
	p.find("the message", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(mine(s)) >= 1 })
	if _, asked := question(p.screen()); asked || len(p.all("asks .*")) > 0 {
		t.Error("the person is asked again")
	}
}

// Android 17 keeps apps that are made for it from local networks. They ask, once, when they
// first look for a server; others do not.
func TestAppAsksForTheNetwork(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	r := newRig(t, *apk)
	for _, target := range []int{29, 37} {
		r.settings = settings{fontScale: 1, version: 37, target: target}
		p := r.start(t, t.TempDir(), 1)
		p.wait("send 224[.]0[.]0[.]251 5353 by wifi 101")
		p.do("hide")
		p.do("show")
		eventually(t, "another search", func() bool { return len(p.all("multicast on")) >= 2 })
		if asks := len(p.all(`asks android[.]permission[.]ACCESS_LOCAL_NETWORK`)); asks != map[int]int{29: 0, 37: 1}[target] || len(p.all("asks .*")) != asks {
			t.Errorf("made for Android %d, it asks %d times", target, asks)
		}
		p.kill()
	}
}

// still finds what has kept its place since the last picture.
func still(in func(screen) (image.Rectangle, bool)) func(screen) (image.Rectangle, bool) {
	var before image.Rectangle
	return func(s screen) (image.Rectangle, bool) {
		at, found := in(s)
		rests := found && at == before
		before = at
		return at, rests
	}
}

// question is the button that goes on from the sentence on notifications, with
// the page darker around it.
func question(s screen) (image.Rectangle, bool) {
	b := s.boxes(fill, image.Pt(150, 40))
	above, _ := s.bars()
	return one(b), len(b) == 1 && above != earth && above != paper
}

// openFirst waits for the room, which the app opens by itself or by a tap.
func (p *phone) openFirst(t *testing.T, server *testServer) {
	t.Helper()
	eventually(t, "the room to be opened", func() bool {
		if card, ok := firstRoom(p.screen()); ok {
			p.tap(card)
		}
		_, room := isRoom(p.screen())
		return room
	})
	server.people(t, "Garden", 2)
}

// afterLoss leaves out what was tried before the app knew of the new network.
func afterLoss(networks []string) []string {
	i := slices.IndexFunc(networks, func(n string) bool { return n != "mobile data" })
	return networks[max(i, 0):]
}

// all are the lines that the phone has said so far and that are a match.
func (p *phone) all(pattern string) (lines []string) {
	match := regexp.MustCompile("^(" + pattern + ")$")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.lines {
		if match.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// connections are the networks by which the app has connected to a port of this
// machine.
func (p *phone) connections(port string) (networks []string) {
	for _, line := range p.all("connect 127[.]0[.]0[.]1 " + port + " by .*") {
		_, network, _ := strings.Cut(line, " by ")
		networks = append(networks, network)
	}
	return networks
}

// elsewhere are the other connections that it has tried.
func (p *phone) elsewhere(port string) (addresses []string) {
	for _, line := range p.all("connect .*") {
		if !strings.HasPrefix(line, "connect 127.0.0.1 "+port+" ") {
			addresses = append(addresses, strings.TrimPrefix(line, "connect "))
		}
	}
	return addresses
}

// textSize is what the app has kept of its settings, in percent.
func textSize(t *testing.T, folder string) (percent int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "preferences.json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var kept struct{ Text int }
		err = json.Unmarshal(data, &kept)
		percent = kept.Text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return percent
}
