//go:build !unix

package sqlitelog

// GiveToOwner has nothing to do where folders' owners are no concern of root's.
func GiveToOwner(string) error { return nil }
