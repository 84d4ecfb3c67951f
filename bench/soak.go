package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The soak's load: what a busy house has, day in, day out.
const (
	soakRooms  = 10
	soakSize   = 20  // members of a room
	soakRate   = 100 // messages a second, in all rooms together, where the machine has time
	soakRetain = 500_000
	soakEvery  = 250 // samples in a run, about
)

// sample is the server at one moment.
type sample struct {
	at                                        time.Duration
	memory, goroutines, descriptors, database float64
}

// soak has the server work steadily for some time, while one more person a
// second comes and goes, and writes what it takes over the time as soak.svg.
func soak(binary, write string, duration time.Duration) error {
	p := parley(binary)
	plain := p.command
	var data string
	p.command = func(addr string) (*exec.Cmd, error) {
		cmd, err := plain(addr)
		if err != nil {
			return nil, err
		}
		for i, arg := range cmd.Args {
			if arg == "--data" {
				data = cmd.Args[i+1]
			}
		}
		cmd.Args = append(cmd.Args, "--retain-bytes", fmt.Sprint(soakRetain))
		return cmd, nil
	}
	s, err := start(p)
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := gather(p, s, soakRooms, soakSize, nil)
	if err != nil {
		return err
	}
	defer c.disperse()

	stop := make(chan struct{})
	visits := make(chan error, 1)
	go func() { visits <- visit(c, stop) }()
	ticker := time.NewTicker(time.Second / soakRate)
	defer ticker.Stop()
	var samples []sample
	begun, sent := time.Now(), 0
	for ; time.Since(begun) < duration; sent++ {
		if at := time.Since(begun); at >= time.Duration(len(samples))*duration/soakEvery {
			samples = append(samples, s.sample(at, data))
		}
		<-ticker.C
		room, seq := sent%soakRooms, sent/soakRooms+1
		if err := c.members[room*soakSize].send(p.message(fmt.Sprint("room", room), seq, text(seq, now()))); err != nil {
			return err
		}
	}
	close(stop)
	c.wait(int64(sent * soakSize))
	samples = append(samples, s.sample(time.Since(begun), data))
	lost := c.check(int64(sent * soakSize))
	if err := <-visits; err != nil {
		return err
	}
	title := fmt.Sprintf("%d members in %d rooms, %.0f messages a second for %s: %d sent, %d delivered. %s.",
		soakRooms*soakSize, soakRooms, float64(sent)/duration.Seconds(), duration, sent, c.count.Load(), time.Now().UTC().Format("2006-01-02"))
	fmt.Println(title, lost)
	for _, i := range []int{0, len(samples) / 4, len(samples) / 2, 3 * len(samples) / 4, len(samples) - 1} {
		v := samples[i]
		fmt.Printf("  after %-8s %5.1f MB, %4.0f goroutines, %4.0f descriptors, database %5.1f MB\n",
			v.at.Round(time.Second), v.memory/1e6, v.goroutines, v.descriptors, v.database/1e6)
	}
	if lost != "" {
		return errors.New(lost)
	}
	if write == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(write, "soak.svg"), plotSoak(title, samples), 0o644)
}

// visit has one more person a second come to a room, and leave the one before.
func visit(c *crowd, stop <-chan struct{}) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		case <-ticker.C:
		}
		guest, err := dial(c.server.addr, c.peer.path(fmt.Sprint("room", i%soakRooms)), c.peer.protocol)
		if err != nil {
			return err
		}
		if err := guest.listen(); err != nil {
			return err
		}
		if err := guest.send(c.peer.greet("visit", 1000+i%50)); err != nil {
			return err
		}
		time.AfterFunc(900*time.Millisecond, guest.close)
	}
}

func (s *process) sample(at time.Duration, data string) sample {
	v := sample{at: at, memory: s.memory("VmRSS"), goroutines: s.metric("go_goroutines"), descriptors: s.metric("process_open_fds")}
	files, _ := filepath.Glob(filepath.Join(data, "parley.db*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			v.database += float64(info.Size())
		}
	}
	return v
}

// plotSoak draws each figure over the time, from zero.
func plotSoak(title string, samples []sample) []byte {
	const width, panel, left, right, top = 720, 110, 80, 20, 40
	panels := []struct {
		name string
		of   func(sample) float64
		unit float64
	}{
		{"memory, MB", func(v sample) float64 { return v.memory }, 1e6},
		{"goroutines", func(v sample) float64 { return v.goroutines }, 1},
		{"descriptors", func(v sample) float64 { return v.descriptors }, 1},
		{"database, MB", func(v sample) float64 { return v.database }, 1e6},
	}
	end := samples[len(samples)-1].at
	x := func(at time.Duration) float64 { return left + (width-left-right)*at.Seconds()/end.Seconds() }
	var b bytes.Buffer
	height := top + len(panels)*(panel+30)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><text x="10" y="20" font-size="12" fill="#475569">%s</text>`+"\n", width, height, title)
	for i, p := range panels {
		base := float64(top + i*(panel+30) + panel)
		most := 0.0
		for _, v := range samples {
			most = max(most, p.of(v)/p.unit)
		}
		limit := ceiling(most)
		path := ""
		for j, v := range samples {
			command := "L"
			if j == 0 {
				command = "M"
			}
			path += fmt.Sprintf("%s%.1f %.1f", command, x(v.at), base-(panel-15)*p.of(v)/p.unit/limit)
		}
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d M%d %.1fH%d" stroke="#e2e8f0"/>`+"\n", left, base, width-right, left, base-(panel-15), width-right)
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end" fill="#475569">%g</text><text x="%d" y="%.1f" text-anchor="end" fill="#475569">0</text>`+"\n",
			left-8, base-(panel-15)+4, limit, left-8, base+4)
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" fill="#475569">%s</text><text x="%d" y="%.1f" text-anchor="end" fill="#475569">%s</text>`+"\n",
			left, base+18, p.name, width-right, base+18, end.Round(time.Second))
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path, colours[i])
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// ceiling is the next number of the kind 1, 2, 5, 10, 20, 50, …
func ceiling(v float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v <= step*unit {
				return step * unit
			}
		}
	}
}
