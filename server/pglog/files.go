package pglog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

// filesGone is told which files' rows went.
type filesGone struct {
	f atomic.Pointer[func([]string)]
}

func (g *filesGone) tell(ids []string) {
	if f := g.f.Load(); f != nil && len(ids) > 0 {
		(*f)(ids)
	}
}

// OnFilesGone implements chat.FileRows.
func (l *Log) OnFilesGone(f func(ids []string)) { l.filesGone.f.Store(&f) }

const fileColumns = "id, room, device, off, name, type, size, width, height, thumb, state, made, source"

func scanFile(row pgx.Row) (r chat.FileRow, err error) {
	var ms int64
	err = row.Scan(&r.ID, &r.Room, &r.Device, &r.Offset, &r.Name, &r.Type, &r.Size, &r.Width, &r.Height, &r.Thumb, &r.State, &ms, &r.Source)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, chat.ErrNoFile
	}
	r.Made = time.UnixMilli(ms).UTC()
	r.Gone = r.State == chat.FileGone
	return r, err
}

func scanFiles(rows pgx.Rows, err error) ([]chat.FileRow, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (chat.FileRow, error) { return scanFile(row) })
}

// BeginFile implements chat.FileRows. The files of a device come one after the other.
func (l *Log) BeginFile(ctx context.Context, row chat.FileRow) (stands chat.FileRow, err error) {
	row.Made = row.Made.UTC().Truncate(time.Millisecond)
	type outcome struct {
		stands chat.FileRow
		gone   []string
	}
	var o outcome
	if err := l.patiently(ctx, func(ctx context.Context) error {
		stands, gone, err := l.beginFile(ctx, row)
		o = outcome{stands, gone}
		return err
	}); err != nil {
		return chat.FileRow{}, wrap(err)
	}
	l.filesGone.tell(o.gone)
	return o.stands, nil
}

func (l *Log) beginFile(ctx context.Context, row chat.FileRow) (stands chat.FileRow, gone []string, err error) {
	err = l.inTransaction(ctx, func(tx pgx.Tx) error {
		gone = nil
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", number("files "+row.Device)); err != nil {
			return err
		}
		stands, err = scanFile(tx.QueryRow(ctx, "SELECT "+fileColumns+" FROM files WHERE id = $1 FOR UPDATE", row.ID))
		switch {
		case errors.Is(err, chat.ErrNoFile):
			stands = chat.FileRow{File: row.File, Room: row.Room, Device: row.Device, Source: row.Source, Made: row.Made}
			stands.Type, stands.Thumb, stands.Gone = "", false, false
			gone, err = addFile(ctx, tx, row)
			return err
		case err != nil:
			return err
		case stands.Room != row.Room || stands.Device != row.Device || stands.Name != row.Name || stands.Size != row.Size:
			return &chat.Refusal{Code: shared.CodeNotAllowed, Reason: "This file was begun as another one. Send it again."}
		case stands.Offset == 0:
			stands.Made = row.Made
			_, err = tx.Exec(ctx, "UPDATE files SET made = $2 WHERE id = $1", row.ID, row.Made.UnixMilli())
		}
		return err
	})
	return stands, gone, err
}

// addFile adds a row of a device that has not too many.
func addFile(ctx context.Context, tx pgx.Tx, row chat.FileRow) (gone []string, err error) {
	if gone, err = makePlace(ctx, tx, row.Made, chat.MaxUnfinished,
		fmt.Sprintf("You are sending %d files already. The next one has to wait.", chat.MaxUnfinished), "off = 0 AND device = $1", row.Device); err != nil {
		return nil, err
	}
	more, err := makePlace(ctx, tx, row.Made, chat.MaxAllUnfinished, "Too many files are being sent to this server. The next one has to wait.", "off = 0")
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO files ("+fileColumns+") VALUES ($1, $2, $3, 0, $4, '', $5, $6, $7, false, 0, $8, $9)",
		row.ID, row.Room, row.Device, row.Name, row.Size, row.Width, row.Height, row.Made.UnixMilli(), row.Source)
	return append(gone, more...), err
}

// makePlace makes sure that there is a place for a row among those that no message has
// and for which a condition holds, of which there are most at most: the oldest goes if
// need be. Otherwise the error is a *chat.Refusal with the reason.
func makePlace(ctx context.Context, tx pgx.Tx, now time.Time, most int, reason, where string, args ...any) (gone []string, err error) {
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM files WHERE "+where, args...).Scan(&n); err != nil || n < most {
		return nil, err
	}
	oldest, err := scanFile(tx.QueryRow(ctx, "SELECT "+fileColumns+" FROM files WHERE "+where+" ORDER BY made, id LIMIT 1 FOR UPDATE", args...))
	if err != nil {
		return nil, err
	}
	// One that is far ahead was made by a clock that was wrong.
	if age := now.Sub(oldest.Made); age.Abs() < chat.UnfinishedHold {
		return nil, &chat.Refusal{Code: shared.CodeRateLimited, Retry: 5 * time.Second, Reason: reason}
	}
	_, err = tx.Exec(ctx, "DELETE FROM files WHERE id = $1", oldest.ID)
	return []string{oldest.ID}, err
}

// WholeFile implements chat.FileRows.
func (l *Log) WholeFile(ctx context.Context, id, contentType string) error {
	return l.changeFile(ctx, "UPDATE files SET type = CASE WHEN state = 0 THEN $2 ELSE type END, state = 1 WHERE id = $1 AND state < 2", id, contentType)
}

// SizeFile implements chat.FileRows.
func (l *Log) SizeFile(ctx context.Context, f chat.File) error {
	_, err := l.exec(ctx, "UPDATE files SET size = $2, width = $3, height = $4 WHERE id = $1 AND state = 0", f.ID, f.Size, f.Width, f.Height)
	return wrap(err)
}

// ThumbFile implements chat.FileRows.
func (l *Log) ThumbFile(ctx context.Context, id string) error {
	return l.changeFile(ctx, "UPDATE files SET thumb = true WHERE id = $1 AND state < 2", id)
}

func (l *Log) changeFile(ctx context.Context, query string, args ...any) error {
	n, err := l.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = chat.ErrNoFile
	}
	return wrap(err)
}

// DropFile implements chat.FileRows.
func (l *Log) DropFile(ctx context.Context, id string) error {
	n, err := l.exec(ctx, "DELETE FROM files WHERE id = $1 AND off = 0", id)
	if err == nil && n > 0 {
		l.filesGone.tell([]string{id})
	}
	return wrap(err)
}

// File implements chat.FileRows.
func (l *Log) File(ctx context.Context, id string) (chat.FileRow, error) {
	row, err := scanFile(l.row(ctx, "SELECT "+fileColumns+" FROM files WHERE id = $1", id))
	return row, wrap(err)
}

// Files implements chat.FileRows.
func (l *Log) Files(ctx context.Context, after string, most int) ([]chat.FileRow, error) {
	var rows []chat.FileRow
	err := l.reading(ctx, func(ctx context.Context) (err error) {
		rows, err = scanFiles(l.pool.Query(ctx, "SELECT "+fileColumns+" FROM files WHERE id > $1 ORDER BY id LIMIT $2", after, most))
		return err
	})
	return rows, wrap(err)
}

// ForgetFiles implements chat.FileRows.
func (l *Log) ForgetFiles(ctx context.Context, before time.Time) ([]string, error) {
	return l.goingFiles(ctx, func(ctx context.Context, tx pgx.Tx) ([]string, error) {
		rows, err := tx.Query(ctx, "DELETE FROM files WHERE off = 0 AND made < $1 RETURNING id", before.UnixMilli())
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[string])
	})
}

// goingFiles has files' rows go in a transaction, and returns which. If it is durable only
// after nobody waits any more, whoever removes files is told of them then.
func (l *Log) goingFiles(ctx context.Context, do func(context.Context, pgx.Tx) ([]string, error)) ([]string, error) {
	var settled atomic.Bool // who hands them on is
	var ids []string
	err := l.patiently(ctx, func(ctx context.Context) error {
		var gone []string
		if err := l.inTransaction(ctx, func(tx pgx.Tx) (err error) {
			gone, err = do(ctx, tx)
			return err
		}); err != nil {
			return err
		}
		if ids = gone; !settled.CompareAndSwap(false, true) {
			l.filesGone.tell(gone)
		}
		return nil
	})
	if err != nil && settled.CompareAndSwap(false, true) {
		return nil, wrap(err)
	}
	return ids, nil
}

// ExpireFiles implements chat.FileRows.
func (l *Log) ExpireFiles(ctx context.Context, keep int64) ([]string, error) {
	return l.goingFiles(ctx, func(ctx context.Context, tx pgx.Tx) (expired []string, err error) {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", number("files of all")); err != nil {
			return nil, err
		}
		rows, err := tx.Query(ctx, "SELECT source, device, SUM(size + $1)::bigint FROM files WHERE state = 1 GROUP BY source, device ORDER BY source, device", chat.FileOverhead)
		if err != nil {
			return nil, err
		}
		var over int64
		shares, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s chat.FileShare, err error) {
			err = row.Scan(&s.Source, &s.Device, &s.Bytes)
			over += s.Bytes
			return s, err
		})
		if err != nil {
			return nil, err
		}
		going, err := chat.Expiring(shares, over-keep, math.MaxInt, func(s chat.FileShare, skip int) ([]chat.FileRow, error) {
			return scanFiles(tx.Query(ctx, "SELECT "+fileColumns+" FROM files WHERE state = 1 AND source = $1 AND device = $2 ORDER BY made, id LIMIT 1000 OFFSET $3",
				s.Source, s.Device, skip))
		})
		if err != nil {
			return nil, err
		}
		var loose, taken []string
		for _, row := range going {
			if expired = append(expired, row.ID); row.Offset == 0 {
				loose = append(loose, row.ID)
			} else {
				taken = append(taken, row.ID)
			}
		}
		return expired, each(ctx, tx,
			statement{"DELETE FROM files WHERE id = ANY ($1) AND off = 0", []any{loose}},
			statement{"UPDATE files SET state = 2, thumb = false, source = 0 WHERE id = ANY ($1)", []any{taken}},
		)
	})
}

// Filed implements chat.FileRows.
func (l *Log) Filed(ctx context.Context) (n int, bytes int64, err error) {
	err = l.row(ctx, "SELECT COUNT(*), COALESCE(SUM(size + $1), 0)::bigint FROM files WHERE state = 1", chat.FileOverhead).Scan(&n, &bytes)
	return n, bytes, wrap(err)
}
