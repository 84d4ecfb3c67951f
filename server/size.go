package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is a flag's number of bytes, written as 4096, 500MB or 10GB.
type size struct {
	bytes int64
	set   bool // on the command line or by the environment

	least int64 // of what is not 0
}

// leastKept is the least that bounds the messages that are kept. What is less was
// given without its unit, and would delete nearly everything.
const leastKept = 100e3

// units are powers of ten, as disks are sold by.
var units = []struct {
	name  string
	bytes int64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}}

// String implements flag.Value.
func (s *size) String() string {
	for _, u := range units {
		if s.bytes > 0 && s.bytes%u.bytes == 0 {
			return strconv.FormatInt(s.bytes/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(s.bytes, 10)
}

// Set implements flag.Value.
func (s *size) Set(text string) error {
	number, factor := strings.ToUpper(strings.ReplaceAll(text, " ", "")), int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return errors.New("it takes a number of bytes like 500000000, 500MB or 10GB; 0 removes the limit")
	}
	if n > 0 && n*factor < s.least {
		return fmt.Errorf("it takes at least %s, or 0, which removes the limit. Give the unit, too, as in 500MB or 10GB", &size{bytes: s.least})
	}
	s.bytes, s.set = n*factor, true
	return nil
}
