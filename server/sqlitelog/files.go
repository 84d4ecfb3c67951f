package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// fileColumns are those of a file, as scanFile has them.
const fileColumns = "id, room, device, off, name, type, size, width, height, thumb, state, made, source"

const fileQuery = "SELECT " + fileColumns + " FROM files WHERE id = ?"

func scanFile(row interface{ Scan(...any) error }) (r chat.FileRow, err error) {
	var ms int64
	err = row.Scan(&r.ID, &r.Room, (*deviceID)(&r.Device), &r.Offset, &r.Name, &r.Type, &r.Size, &r.Width, &r.Height, &r.Thumb, &r.State, &ms, &r.Source)
	if errors.Is(err, sql.ErrNoRows) {
		return r, chat.ErrNoFile
	}
	r.Made = time.UnixMilli(ms).UTC()
	r.Gone = r.State == chat.FileGone
	return r, err
}

// fileRequest is something to do with rows of files, in a transaction with others.
type fileRequest struct {
	do    func(context.Context, *writer) error // an error gives up the transaction
	grows bool                                 // it adds something
}

// editFiles carries out a change of rows of files.
func (l *Log) editFiles(ctx context.Context, grows bool, change func(context.Context, *writer) error) error {
	return l.writer.do(ctx, request{file: &fileRequest{change, grows}})
}

// BeginFile implements chat.FileRows.
func (l *Log) BeginFile(ctx context.Context, row chat.FileRow) (stands chat.FileRow, err error) {
	var refused error
	row.Made = row.Made.UTC().Truncate(time.Millisecond)
	err = l.editFiles(ctx, true, func(ctx context.Context, w *writer) (err error) {
		stands, err = scanFile(w.stmt.file.QueryRowContext(ctx, row.ID))
		switch {
		case errors.Is(err, chat.ErrNoFile):
			refused, err = w.beginFile(ctx, row)
			stands = chat.FileRow{File: row.File, Room: row.Room, Device: row.Device, Source: row.Source, Made: row.Made}
			stands.Type, stands.Thumb, stands.Gone = "", false, false
		case err != nil:
		case stands.Room != row.Room || stands.Device != row.Device || stands.Name != row.Name || stands.Size != row.Size:
			refused = &chat.Refusal{Code: shared.CodeNotAllowed, Reason: "This file was begun as another one. Send it again."}
		case stands.Offset == 0:
			stands.Made = row.Made
			_, err = w.conn.ExecContext(ctx, "UPDATE files SET made = ? WHERE id = ?", row.Made.UnixMilli(), row.ID)
		}
		return err
	})
	if err = errors.Join(err, refused); err != nil {
		return chat.FileRow{}, err
	}
	return stands, nil
}

// beginFile adds a row, if there are not too many that no message has.
func (w *writer) beginFile(ctx context.Context, row chat.FileRow) (refused, err error) {
	device := deviceID(row.Device).pack()
	_, err = w.makePlace(ctx, row.Made, chat.MaxUnfinished,
		fmt.Sprintf("You are sending %d files already. The next one has to wait.", chat.MaxUnfinished), "off = 0 AND device = ?", device)
	if err == nil && w.places == 0 {
		w.places, err = w.makePlace(ctx, row.Made, chat.MaxAllUnfinished,
			"Too many files are being sent to this server. The next one has to wait.", "off = 0")
		w.places = min(w.places, 256) // until they are counted again, which takes as long as there are many
	}
	if errors.Is(err, chat.ErrRefused) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	w.places--
	_, err = w.conn.ExecContext(ctx, "INSERT INTO files ("+fileColumns+") VALUES (?, ?, ?, 0, ?, '', ?, ?, ?, 0, 0, ?, ?)",
		row.ID, row.Room, device, row.Name, row.Size, row.Width, row.Height, row.Made.UnixMilli(), row.Source)
	return nil, err
}

// makePlace returns how many rows may be added to those that no message has and for
// which a condition holds, of which there are most at most. It is one at least, for
// which the oldest row goes if need be, or a *chat.Refusal with the reason.
func (w *writer) makePlace(ctx context.Context, now time.Time, most int, reason, where string, args ...any) (places int, err error) {
	var n int
	err = w.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM files INDEXED BY files_loose WHERE "+where, args...).Scan(&n)
	if err != nil || n < most {
		return most - n, err
	}
	oldest, err := scanFile(w.conn.QueryRowContext(ctx, "SELECT "+fileColumns+" FROM files WHERE "+where+" ORDER BY made, id LIMIT 1", args...))
	if err != nil {
		return 0, err
	}
	// One that is far ahead was made by a clock that was wrong.
	if age := now.Sub(oldest.Made); age.Abs() < chat.UnfinishedHold {
		return 0, &chat.Refusal{Code: shared.CodeRateLimited, Retry: 5 * time.Second, Reason: reason}
	}
	return 1, w.deleteFile(ctx, oldest.ID)
}

// WholeFile implements chat.FileRows.
func (l *Log) WholeFile(ctx context.Context, id, contentType string) error {
	return l.changeFile(ctx, "UPDATE files SET type = iif(state = 0, ?2, type), state = 1 WHERE id = ?1 AND state < 2", id, contentType)
}

// SizeFile implements chat.FileRows.
func (l *Log) SizeFile(ctx context.Context, f chat.File) error {
	return l.editFiles(ctx, false, func(ctx context.Context, w *writer) error {
		_, err := w.conn.ExecContext(ctx, "UPDATE files SET size = ?, width = ?, height = ? WHERE id = ? AND state = 0", f.Size, f.Width, f.Height, f.ID)
		return err
	})
}

// ThumbFile implements chat.FileRows.
func (l *Log) ThumbFile(ctx context.Context, id string) error {
	return l.changeFile(ctx, "UPDATE files SET thumb = 1 WHERE id = ? AND state < 2", id)
}

// changeFile carries out a statement that changes one row, or returns chat.ErrNoFile.
func (l *Log) changeFile(ctx context.Context, statement string, args ...any) error {
	var n int64
	if err := l.editFiles(ctx, false, func(ctx context.Context, w *writer) error {
		result, err := w.conn.ExecContext(ctx, statement, args...)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	}); err != nil {
		return err
	}
	if n == 0 {
		return chat.ErrNoFile
	}
	return nil
}

// DropFile implements chat.FileRows.
func (l *Log) DropFile(ctx context.Context, id string) error {
	return l.editFiles(ctx, false, func(ctx context.Context, w *writer) error {
		switch row, err := scanFile(w.stmt.file.QueryRowContext(ctx, id)); {
		case errors.Is(err, chat.ErrNoFile):
			return nil
		case err != nil || row.Offset != 0:
			return err
		}
		return w.deleteFile(ctx, id)
	})
}

// File implements chat.FileRows.
func (l *Log) File(ctx context.Context, id string) (chat.FileRow, error) {
	row, err := scanFile(l.readFile.QueryRowContext(ctx, id))
	if err != nil && !errors.Is(err, chat.ErrNoFile) {
		return row, unavailable(err)
	}
	return row, err
}

// Files implements chat.FileRows.
func (l *Log) Files(ctx context.Context, after string, most int) ([]chat.FileRow, error) {
	rows, err := scanFiles(l.readFiles.QueryContext(ctx, after, most))
	return rows, wrap(err)
}

func scanFiles(rows *sql.Rows, err error) (all []chat.FileRow, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanFile(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// fileBatch is how many rows change in one transaction, which members' messages wait for.
const fileBatch = 1000

// ForgetFiles implements chat.FileRows.
func (l *Log) ForgetFiles(ctx context.Context, before time.Time) (all []string, err error) {
	for {
		var some []string
		if err := l.editFiles(ctx, false, func(ctx context.Context, w *writer) (err error) {
			some, err = ids(w.conn.QueryContext(ctx, "DELETE FROM files WHERE id IN (SELECT id FROM files WHERE off = 0 AND made < ? LIMIT ?) RETURNING id",
				before.UnixMilli(), fileBatch))
			w.erases = w.erases || len(some) > 0
			return err
		}); err != nil {
			return all, err
		}
		if all = append(all, some...); len(some) < fileBatch {
			return all, nil
		}
	}
}

// ExpireFiles implements chat.FileRows.
func (l *Log) ExpireFiles(ctx context.Context, keep int64) (all []string, err error) {
	for {
		var some []string
		if err := l.editFiles(ctx, false, func(ctx context.Context, w *writer) (err error) {
			some, err = w.expireFiles(ctx, keep)
			return err
		}); err != nil {
			return all, err
		}
		if all = append(all, some...); len(some) < fileBatch {
			return all, nil
		}
	}
}

func (w *writer) expireFiles(ctx context.Context, keep int64) (expired []string, err error) {
	var over int64
	if err := w.conn.QueryRowContext(ctx, "SELECT COALESCE(SUM(size + ?), 0) - ? FROM files WHERE state = 1", chat.FileOverhead, keep).Scan(&over); err != nil || over <= 0 {
		return nil, err
	}
	shares, err := fileShares(w.conn.QueryContext(ctx, "SELECT source, device, SUM(size + ?) FROM files WHERE state = 1 GROUP BY source, device", chat.FileOverhead))
	if err != nil {
		return nil, err
	}
	rows, err := chat.Expiring(shares, over, fileBatch, func(s chat.FileShare, skip int) ([]chat.FileRow, error) {
		return scanFiles(w.conn.QueryContext(ctx, "SELECT "+fileColumns+" FROM files WHERE state = 1 AND source = ? AND device = ? ORDER BY made, id LIMIT 100 OFFSET ?",
			s.Source, deviceID(s.Device).pack(), skip))
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		statement := "UPDATE files SET state = 2, thumb = 0, source = 0 WHERE id = ?"
		if row.Offset == 0 {
			statement, w.erases = "DELETE FROM files WHERE id = ?", true
		}
		if _, err := w.conn.ExecContext(ctx, statement, row.ID); err != nil {
			return nil, err
		}
		expired = append(expired, row.ID)
	}
	return expired, nil
}

func fileShares(rows *sql.Rows, err error) (all []chat.FileShare, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s chat.FileShare
		if err := rows.Scan(&s.Source, (*deviceID)(&s.Device), &s.Bytes); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// Filed implements chat.FileRows.
func (l *Log) Filed(ctx context.Context) (n int, bytes int64, err error) {
	err = l.read.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(size + ?), 0) FROM files WHERE state = 1", chat.FileOverhead).Scan(&n, &bytes)
	return n, bytes, wrap(err)
}

// OnFilesGone implements chat.FileRows.
func (l *Log) OnFilesGone(f func(ids []string)) { l.writer.filesGone.Store(&f) }

// mayTake looks at the file of a message: a *chat.Refusal says why the message can't
// have it.
func (w *writer) mayTake(ctx context.Context, e *chat.Entry) error {
	row, err := scanFile(w.stmt.file.QueryRowContext(ctx, e.Extra.File.ID))
	switch {
	case errors.Is(err, chat.ErrNoFile):
		return e.MayTake(nil)
	case err != nil:
		return err
	}
	return e.MayTake(&row)
}

// deleteFile deletes the row of a file; "" is none.
func (w *writer) deleteFile(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	w.erases = true
	w.gone = append(w.gone, id)
	_, err := w.stmt.deleteFile.ExecContext(ctx, id)
	return err
}

// tellGone tells whoever keeps the bytes that rows are gone.
func (w *writer) tellGone(ids []string) {
	if f := w.filesGone.Load(); f != nil && len(ids) > 0 {
		(*f)(ids)
	}
}

// ids reads a column of ids.
func ids(rows *sql.Rows, err error) (all []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// FilesIn calls each with the row of every file of a database, which is a log's or a
// backup's, in order of id. A server may be running on it. A log of an earlier version
// has none.
func FilesIn(ctx context.Context, path string, each func(chat.FileRow) error) error {
	unreadable := func(err error) error {
		if isDamage(err) {
			return damaged(path, err.Error())
		}
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	}
	db, err := openExisting(path)
	if err != nil {
		return err
	}
	defer db.Close()
	columns := fileColumns
	switch version, err := schemaOf(ctx, path); {
	case err != nil:
		return unreadable(err)
	case version < withFiles:
		return nil
	case version < withSources:
		columns = strings.Replace(columns, "source", "0", 1)
	}
	for after := ""; ; {
		rows, err := scanFiles(db.QueryContext(ctx, "SELECT "+columns+" FROM files WHERE id > ? ORDER BY id LIMIT ?", after, fileBatch))
		if err != nil {
			return unreadable(err)
		}
		for _, row := range rows {
			if err := each(row); err != nil {
				return err
			}
			after = row.ID
		}
		if len(rows) < fileBatch {
			return nil
		}
	}
}
