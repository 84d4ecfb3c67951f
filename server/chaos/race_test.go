//go:build linux && race

package chaos

// The server is looked at for races where the tests are.
func init() { buildFlags = []string{"-race"} }
