package main

import (
	"fmt"
	"os/exec"
	"regexp"
)

// appendCPU runs the log's own benchmark, in the module above, and returns the
// number of rooms and the microseconds of each case.
func appendCPU() (rows [][2]string, err error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkAppend$", "-benchtime", "300000x", "./server/sqlitelog")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkAppend/(\d+)_rooms.* ([0-9.]+) cpu-µs/op`).FindAllSubmatch(out, -1) {
		rows = append(rows, [2]string{string(m[1]), string(m[2])})
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the benchmark tells no CPU: %s", out)
	}
	return rows, nil
}
