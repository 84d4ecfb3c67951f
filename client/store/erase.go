package store

import (
	"bytes"
	"time"
)

// eraseEvery is how often the file is looked through at most while others edit and delete:
// that takes time, in which nobody reads.
const eraseEvery = 5 * time.Second

// eraseSoon erases, or if it has lately, puts that off, at the latest until Close. If the
// app ends before, or what was put off fails, the next start erases.
func (s *Store) eraseSoon() error {
	s.mu.Lock()
	wait := eraseEvery - time.Since(s.erased)
	if wait <= 0 {
		s.erased = time.Now()
	} else if s.later == nil {
		s.later = time.AfterFunc(wait, s.eraseLater)
	}
	s.mu.Unlock()
	if wait > 0 {
		return nil
	}
	return s.erase()
}

func (s *Store) eraseLater() {
	s.mu.Lock()
	due := s.later != nil // Close has not
	s.later, s.erased = nil, time.Now()
	s.mu.Unlock()
	if due {
		_ = s.erase()
	}
}

// erase overwrites what the file still has of earlier transactions, so that a deleted
// text is not in it any more. bbolt never overwrites a page that is in use: it writes a
// new one, and keeps the old one, with all that is on it, until it needs the place.
//
// The pages that a reader still sees are free as well. So nobody reads meanwhile.
func (s *Store) erase() error { return s.guarded(&s.erasing, s.overwrite) }

func (s *Store) overwrite() error {
	tx, err := s.db.Begin(true) // nobody writes; and what no reader sees is free from now on
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has changed nothing that could fail
	size := int64(s.db.Info().PageSize)
	zeros, page := make([]byte, size), make([]byte, size)
	written := false
	for id := int64(2); ; id++ { // after the two that say where the others are
		p, err := tx.Page(int(id))
		if err != nil {
			return err
		}
		if p == nil {
			break
		}
		if p.Type != "free" {
			id += int64(p.OverflowCount)
			continue
		}
		if _, err := s.file.ReadAt(page, id*size); err != nil {
			return err
		}
		if bytes.Equal(page, zeros) {
			continue
		}
		if _, err := s.file.WriteAt(zeros, id*size); err != nil {
			return err
		}
		written = true
	}
	if !written || s.db.NoSync {
		return nil
	}
	return s.file.Sync()
}
