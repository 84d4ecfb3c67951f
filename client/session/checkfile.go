package session

// checkFile.
func checkFile(path string) error { return nil }
