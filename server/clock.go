//go:build !chaos

package main

import "time"

// now is the clock that messages are stamped by. The build for the tests in
// chaos has another.
var now = time.Now
