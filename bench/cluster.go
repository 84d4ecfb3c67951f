package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// logAppends runs the benchmark of both logs, in the module above: what each case is
// called, and what it measured.
func logAppends() (rows [][]string, err error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkAppend$", "-benchtime", "30000x", "./server/pglog")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(line, "\t")
		if name, ok = strings.CutPrefix(strings.TrimSpace(name), "BenchmarkAppend/"); !ok {
			continue
		}
		row := []string{strings.ReplaceAll(strings.TrimSuffix(regexp.MustCompile(`-\d+$`).ReplaceAllString(name, ""), "\n"), "_", " ")}
		for _, unit := range []string{"appends/s", "p50-ms", "p99-ms", "cpu-µs/op", "database-cpu-µs/op"} {
			m := regexp.MustCompile(`\s([0-9.e+]+) ` + unit + `\b`).FindStringSubmatch(rest)
			if m == nil {
				return nil, fmt.Errorf("the benchmark has no %s: %s", unit, line)
			}
			row = append(row, m[1])
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// spread has one member of a room send rate messages a second, while the others are at
// several servers that share a log. It returns what a delivery costs each of them.
func spread(p peer, servers, size int, rate float64, duration time.Duration) (each []measure, err error) {
	log, stop, err := postgres()
	if err != nil {
		return nil, err
	}
	defer stop()
	command := p.command
	p.command = func(addr string) (*exec.Cmd, error) {
		cmd, err := command(addr)
		if err == nil {
			cmd.Args = append(cmd.Args, "--log", log)
		}
		return cmd, err
	}
	crowds := make([]*crowd, servers)
	for i := range crowds {
		s, err := start(p)
		if err != nil {
			return nil, err
		}
		defer s.stop()
		q := p
		q.greet = func(room string, n int) []byte { return p.greet(room, i*size+n) } // somebody else than at the others
		if crowds[i], err = gather(q, s, 1, size, nil); err != nil {
			return nil, err
		}
		defer crowds[i].disperse()
	}
	settle()
	before := make([]float64, servers)
	for i, c := range crowds {
		before[i] = c.server.cpu()
	}
	n := int(rate * duration.Seconds())
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for seq := 1; seq <= n; seq++ {
		<-ticker.C
		if err := crowds[0].members[0].send(p.message("room0", seq, text(seq, now()))); err != nil {
			return nil, err
		}
	}
	want := int64(n * size)
	for i, c := range crowds {
		c.wait(want)
		each = append(each, measure{cpu: (c.server.cpu() - before[i]) / float64(max(1, c.count.Load())), lost: c.check(want)})
	}
	return each, nil
}
