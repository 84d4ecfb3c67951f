package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/sqlitelog"
	"parley/shared"
)

// fileFlags say which files the server takes, and how much of the disk they may have.
func (o *options) fileFlags(f *flag.FlagSet) {
	o.maxFile.least, o.allFiles.least = leastKept, leastKept
	o.maxFile.bytes, o.allFiles.bytes, o.filesFree.bytes = 100e6, 10e9, 2*sqlitelog.DefaultDiskFree
	f.Var(&o.maxFile, "max-file", "maximum `bytes` of one picture or file; 0 takes none")
	f.Var(&o.allFiles, "files-bytes", "`bytes` of disk for all pictures and files; the oldest of whoever has most go first, and their messages stay; 0 removes the limit")
	f.Var(&o.filesFree, "files-free", "`bytes` of the disk that pictures and files leave free; without this flag, 10 % of it if that is less; "+
		"always a tenth more than --disk-free, so that texts are still stored")
	f.StringVar(&o.files, "files", "", "with --log: `folder` that all servers share, for pictures and files; without it, they take none")
	f.StringVar(&o.url, "url", "", "`address` of the server in links to files, and on /join if no other device reaches --addr; for example https://chat.example.org (default: the first one that the server prints)")
}

func (o *options) checkFiles() error {
	switch {
	case o.maxFile.bytes > shared.MaxFile:
		return fmt.Errorf("--max-file takes at most %d", shared.MaxFile)
	case o.allFiles.bytes > 0 && o.allFiles.bytes < o.maxFile.bytes:
		return errors.New("--files-bytes takes at least as much as --max-file, or a file would go as soon as it is there")
	}
	var err error
	o.url, err = parseURL(o.url)
	return err
}

// parseURL returns a --url without a slash at its end.
func parseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return "", nil
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return "", fmt.Errorf("--url takes an address like https://chat.example.org, or with a base path https://example.org/parley, not %q", s)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// openFiles opens the files of a data folder. What hub returns is asked for a request. The hub takes none if --max-file is 0;
// those that are there are served all the same.
func openFiles(ctx context.Context, o *options, rows chat.FileRows, id string, hub func() *chat.Hub, logger *slog.Logger) (*files.Store, error) {
	free, err := o.freeOfFiles()
	if err != nil {
		return nil, err
	}
	opt := files.Options{Max: o.maxFile.bytes, Bytes: o.allFiles.bytes, Free: free, Logger: logger, Now: now}
	if o.chat.MaxPerAddress > 0 {
		opt.PerSource, opt.Charge = filesAtOnce, chat.ChargeSyncs
		opt.Source = func(r *http.Request) string { return hub().SourceOf(r) }
		opt.Renew = func(r *http.Request, id string) bool { return hub().RenewUpload(r, id) }
	}
	dir := o.data
	if o.log != "" {
		if o.files == "" { // a file that was sent to one server is nowhere else
			o.maxFile.bytes, opt.Max = 0, 0
		} else if dir, err = sharedFiles(o.files, id); err != nil {
			return nil, err
		}
	}
	if s, ok := rows.(interface{ FileSecret() []byte }); ok {
		opt.Secret = s.FileSecret()
	}
	store, err := files.Open(ctx, dir, rows, opt)
	if err == nil && o.maxFile.bytes > 0 {
		o.chat.Files = store
	}
	return store, err
}

// filesAtOnce is how many requests for files one address may have under way.
const filesAtOnce = 8

// freeOfFiles is how much of the disk files leave free: more than messages do, whatever
// the flags say. What messages leave is a twentieth more after the disk was full.
func (o *options) freeOfFiles() (int64, error) {
	_, kept, err := sqlitelog.Space(o.data)
	if err != nil {
		return 0, fmt.Errorf("the disk of %s can't be looked at: %w", o.data, err)
	}
	messages, free := o.diskFree.bytes, o.filesFree.bytes
	if !o.diskFree.set {
		messages = int64(kept) // at most DefaultDiskFree
	}
	if !o.filesFree.set {
		free = min(free, 2*int64(kept))
	}
	return max(free, messages+messages/10), nil
}

// filesURL is what links to files begin with.
func (i *invitation) filesURL() string {
	if i.url != "" {
		return i.url
	}
	links, _ := i.at(i.listening, shared.Link{TLS: i.tls, Path: i.path})
	return links[0].Base()
}

// sharedFiles is the folder of the files that the servers of a log share. A marker in it
// says whose it is: without it, a folder that is not mounted would be taken for an empty
// one, and every file be missed.
func sharedFiles(dir, id string) (string, error) {
	marker := filepath.Join(dir, markerName)
	text, err := os.ReadFile(marker)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the folder %s is not the one of this log's files, or not mounted: to use it, write %s to the file %s", dir, id, marker)
	}
	if err != nil {
		return "", fmt.Errorf("the folder %s can't be read: %w", dir, err)
	}
	if strings.TrimSpace(string(text)) != id {
		return "", fmt.Errorf("the folder %s has the files of another log: the file %s does not say %s", dir, marker, id)
	}
	return dir, nil
}

const markerName = "parley-log"

// markShared has a folder say whose files it has.
func markShared(dir, id string) error {
	if _, err := sharedFiles(dir, id); err == nil {
		return nil // it does
	}
	marker := filepath.Join(dir, markerName)
	f, err := os.Create(marker)
	if err == nil {
		_, err = f.WriteString(id + "\n")
		err = errors.Join(err, f.Sync(), f.Close(), sqlitelog.GiveToOwner(marker))
	}
	if err != nil {
		return fmt.Errorf("the folder %s can't be written: %w", dir, err)
	}
	return nil
}
