//go:build !unix

package sqlitelog

// GiveToOwner does nothing: on this system, no root makes files for others.
func GiveToOwner(string) error { return nil }
