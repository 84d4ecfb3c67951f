//go:build chaos

package main

import (
	"os"
	"time"
)

// now is the system's clock, moved by what the file named in PARLEY_CHAOS_CLOCK
// says.
func now() time.Time {
	data, err := os.ReadFile(os.Getenv("PARLEY_CHAOS_CLOCK"))
	if err != nil {
		return time.Now()
	}
	shift, err := time.ParseDuration(string(data))
	if err != nil {
		panic(err)
	}
	return time.Now().Round(0).Add(shift)
}
