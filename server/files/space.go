package files

import (
	"context"
	"time"

	"parley/server/chat"
)

// hasRoom reports whether n more bytes leave free on the disk what is to stay free, and
// whether unfinished files have no more than their part of --files-bytes. If not, those
// give way that nobody has asked about for a while, and then those of whoever has more
// of them than the row's holder will have when that file has left more bytes.
func (s *Store) hasRoom(ctx context.Context, row chat.FileRow, left, n int64) bool {
	if s.fits(n) {
		return true
	}
	s.forget(ctx, chat.UnfinishedHold)
	for !s.fits(n) {
		id, ok := s.parts.heaviest(row.Holder(), left)
		if !ok || !s.drop(ctx, id) {
			return false
		}
	}
	return true
}

// drop removes an unfinished file and reports whether it is gone. Whoever sends it begins
// again.
func (s *Store) drop(ctx context.Context, id string) bool {
	if err := s.rows.DropFile(ctx, id); err != nil {
		s.opt.Logger.Warn("an unfinished file does not make room now", "error", err)
		return false
	}
	s.metrics.dropped.Inc()
	s.unlink([]string{id})
	return !s.parts.has(id) // or it was begun again
}

func (s *Store) fits(n int64) bool {
	if s.opt.Bytes > 0 && s.parts.bytes()+s.pending.Load()+n > max(s.opt.Bytes/2, s.opt.Max+chat.FileOverhead) {
		return false
	}
	if s.opt.Free == 0 {
		return true
	}
	free, err := s.opt.Space(s.disk.dir)
	return err != nil || int64(min(free, 1<<62))-s.pending.Load()-n >= s.opt.Free // if nobody knows, the write will tell
}

// reserve is hasRoom for bytes that are about to come for a file that has left bytes to
// come in all; done is called when they are on the disk.
func (s *Store) reserve(ctx context.Context, row chat.FileRow, left, n int64) (done func(), ok bool) {
	s.pending.Add(n)
	if !s.hasRoom(ctx, row, left, 0) {
		s.pending.Add(-n)
		return nil, false
	}
	return func() { s.pending.Add(-n) }, true
}

// forget removes the uploads that nobody has asked about for so long.
func (s *Store) forget(ctx context.Context, held time.Duration) {
	ids, err := s.rows.ForgetFiles(ctx, s.opt.Now().Add(-held))
	if err != nil {
		s.opt.Logger.Warn("unfinished files are not removed now", "error", err)
	}
	s.unlink(ids)
}

// expire removes files until the others have their bounds: see chat.Expiring. The log adds
// up all files for that, while messages wait; so it is asked only if there are too many
// bytes, and a little more goes then than has to.
func (s *Store) expire(ctx context.Context) {
	if s.opt.Bytes == 0 {
		return
	}
	if _, bytes, err := s.rows.Filed(ctx); err == nil && bytes <= s.opt.Bytes {
		return
	}
	ids, err := s.rows.ExpireFiles(ctx, max(s.opt.Bytes-s.opt.Bytes/32, s.opt.Max+chat.FileOverhead))
	if err != nil {
		s.opt.Logger.Warn("files are not removed now that others need the room of", "error", err)
	}
	s.metrics.expired.Add(float64(len(ids)))
	s.unlink(ids)
}

// Unlink removes the bytes of files that no row refers to, in the background.
func (s *Store) Unlink(ids []string) {
	s.mu.Lock()
	s.gone = append(s.gone, ids...)
	s.mu.Unlock()
	s.rouse()
}

// rouse has work look for what there is to do.
func (s *Store) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look
	}
}

// unlink removes the bytes of files, now. One that was begun again since its row went
// keeps what has come.
func (s *Store) unlink(ids []string) {
	for _, id := range ids {
		turn := s.turns.take(id, nil)
		if row, err := s.rows.File(context.Background(), id); err == nil && row.State != chat.FileGone {
			turn.end()
			continue
		}
		err := s.disk.remove(id)
		s.parts.remove(id)
		turn.end()
		if err != nil {
			s.opt.Logger.Warn("a deleted file is not removed before the next start", "file", id, "error", err)
		}
	}
}

// lookEvery is how often uploads are forgotten that no message has.
const lookEvery = 15 * time.Minute

// work does what nobody waits for.
func (s *Store) work(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			s.unlinkGone()
			return
		case <-s.wake:
			s.unlinkGone()
			s.expire(ctx)
		case <-ticker.C:
			s.forget(ctx, Hold)
		}
	}
}

func (s *Store) unlinkGone() {
	s.mu.Lock()
	ids := s.gone
	s.gone = nil
	s.mu.Unlock()
	s.unlink(ids)
}
