package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// hostKeyName is the file with the operator's key in the data folder.
const hostKeyName = "host.key"

// keepHostKey makes the operator's key, if there is none, and tells the registry its
// hash. If several servers share the log, one has it. The server never prints it: its terminal may be on the wall.
func keepHostKey(ctx context.Context, dir string, registry chat.Registry, several bool, logger *slog.Logger) error {
	kept, err := registry.HostKey(ctx)
	key, missing := readHostKey(dir)
	if errors.Is(missing, fs.ErrNotExist) {
		if several && len(kept) > 0 {
			logger.Info("another server has the operator's key: for parley-server host, copy its file to this one", "file", hostKeyName)
			return nil
		}
		key, missing = makeHostKey(dir)
	}
	if missing != nil {
		return missing
	}
	hash := chat.HashHostKey(key)
	if err == nil && !bytes.Equal(kept, hash) {
		err = registry.SetHostKey(ctx, hash)
	}
	if err != nil {
		logger.Warn("links of parley-server host make nobody a host until the next start", "error", err)
	}
	return nil
}

// readHostKey reads the operator's key, which nobody else is to read.
func readHostKey(dir string) (string, error) {
	path := filepath.Join(dir, hostKeyName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("the file %s belongs to another user: run this as that user, or as root", path)
	}
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(data))
	if !shared.IsHostKey(key) {
		return "", fmt.Errorf("the file %s has no host's key: delete it, and start the server again, which makes another", path)
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&0o077 != 0 {
		_ = os.Chmod(path, 0o600) // where that is not possible, the folder keeps others out
	}
	return key, nil
}

// makeHostKey writes a new key, whole or not at all.
func makeHostKey(dir string) (string, error) {
	key, path := rand.Text(), filepath.Join(dir, hostKeyName)
	fresh := path + ".new"
	err := os.WriteFile(fresh, []byte(key+"\n"), 0o600)
	if err == nil {
		err = sqlitelog.GiveToOwner(fresh) // a server that root starts once leaves it to the next one
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return "", fmt.Errorf("the host's key can't be kept: %w", err)
	}
	return key, nil
}
