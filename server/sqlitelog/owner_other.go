//go:build !unix

package sqlitelog

// giveToOwner has nothing to do where folders' owners are no concern of root's.
func giveToOwner(string) error { return nil }
