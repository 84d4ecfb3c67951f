// Command bench measures Parley's server and others on this machine in one run. See README.md.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) >= 4 && os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, serve(os.Args[2], os.Args[3], strings.Join(os.Args[4:], "")))
		os.Exit(1)
	}
	if len(os.Args) == 5 && os.Args[1] == "attack" {
		n, err := strconv.Atoi(os.Args[4])
		if err == nil {
			err = attackFrom(context.Background(), os.Args[2], os.Args[3], n)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	quick := flag.Bool("quick", false, "one minute: fewer peers, shorter runs")
	binary := flag.String("server", "../bin/parley-server", "the `program` to measure")
	extra := flag.String("extra", "../build/bench", "the `folder` with Node's modules")
	only := flag.String("only", "", "a `pattern`: scenarios whose names match")
	names := flag.String("peers", "", "a `pattern`: servers whose names match")
	write := flag.String("write", "", "a `folder` to write results.md and deliveries.svg to")
	doc := flag.String("doc", "", "a `file` whose tables cluster replaces: ../docs/scale.md")
	soakFor := flag.Duration("soak", 0, "work steadily for so long instead; -write writes soak.svg")
	flag.Parse()
	if *soakFor > 0 {
		if err := soak(*binary, *write, *soakFor); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*binary, *extra, *only, *names, *write, *doc, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints. It fails where any server lost a message.
func run(binary, extra, only, names, write, doc string, quick bool) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if extra, err = filepath.Abs(extra); err != nil {
		return err
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	among, err := regexp.Compile(names)
	if err != nil {
		return err
	}
	b := &bench{long: 3 * time.Second, wanted: wanted, binary: binary, tables: make(map[string]string), reach: make(map[int]float64)}
	b.limit = plain("limit", "a bare write(2) loop")
	for i, p := range peers(binary, extra) {
		if among.MatchString(p.name) && (!quick || i < 3) {
			b.peers = append(b.peers, p)
		}
	}
	if quick {
		b.long, b.quick = 2*time.Second, true
	}
	var out bytes.Buffer
	b.report(&out)
	if write != "" {
		if err := os.WriteFile(filepath.Join(write, "results.md"), out.Bytes(), 0o644); err != nil {
			return err
		}
		if len(b.curves) > 0 {
			if err := os.WriteFile(filepath.Join(write, "deliveries.svg"), plot(b.curves), 0o644); err != nil {
				return err
			}
		}
	}
	if doc != "" {
		if err := quote(doc, b.tables); err != nil {
			return err
		}
	}
	if b.failed {
		return errors.New("a run failed or lost messages, see above")
	}
	return nil
}
