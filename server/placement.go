package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// placement is a file that is put in place. What was there can come back.
type placement struct {
	path string
	data []byte
	mode fs.FileMode

	there, differs bool // what look found
	placed         bool
}

func (p *placement) look() error {
	before, err := os.ReadFile(p.path)
	switch {
	case err == nil:
		p.there, p.differs = true, !bytes.Equal(before, p.data)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// place writes the file whole or not at all, and sets aside what was there.
func (p *placement) place() error {
	if p.there && !p.differs {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o755); err != nil { //nolint:gosec // the system's folders, which all may read
		return err
	}
	if err := p.write(p.path + ".new"); err != nil {
		return errors.Join(err, removed(p.path+".new"))
	}
	if p.there {
		// A second name, so that the file is never missing.
		if err := errors.Join(removed(p.path+".before"), os.Link(p.path, p.path+".before")); err != nil {
			return errors.Join(err, removed(p.path+".new"))
		}
	}
	p.placed = true
	return os.Rename(p.path+".new", p.path)
}

func (p *placement) write(path string) error {
	if err := removed(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, p.mode)
	if err != nil {
		return err
	}
	_, err = f.Write(p.data)
	return errors.Join(err, f.Chmod(p.mode), f.Sync(), f.Close()) // the mode whatever the umask is
}

// keep forgets what was there before.
func (p *placement) keep() error {
	if !p.placed || !p.there {
		return nil
	}
	return removed(p.path + ".before")
}

// undo brings back what was there before.
func (p *placement) undo() error {
	if !p.placed {
		return nil
	}
	if !p.there {
		return errors.Join(removed(p.path), removed(p.path+".new"))
	}
	err := os.Rename(p.path+".before", p.path)
	// Both are still there if they are one file, because place could not rename.
	return errors.Join(err, removed(p.path+".before"), removed(p.path+".new"))
}

// removed removes a file, if it is there.
func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
