package sqlitelog

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
)

type statements struct {
	begin, commit, rollback                 *sql.Stmt
	room, end, newRoom, setHead             *sql.Stmt
	insert, insertAll, insertAbout          *sql.Stmt
	find, missed, row, lock                 *sql.Stmt
	target, edit, erase, react, wrote       *sql.Stmt
	file, takeFile, deleteFile              *sql.Stmt
	claim, owner, lookOwner, dropLook       *sql.Stmt
	forgetDevice, forgetAddress, countNames *sql.Stmt
}

// connect opens the connection and prepares its statements, if there is none.
func (w *writer) connect(ctx context.Context) (err error) {
	if w.conn != nil {
		return nil
	}
	if w.conn, err = w.db.Conn(ctx); err != nil {
		w.conn = nil
		return err
	}
	if _, err := w.conn.ExecContext(ctx, pendingTable); err != nil {
		w.fail()
		return err
	}
	for stmt, query := range map[**sql.Stmt]string{
		&w.stmt.begin:       "BEGIN IMMEDIATE",
		&w.stmt.commit:      "COMMIT",
		&w.stmt.rollback:    "ROLLBACK",
		&w.stmt.room:        "SELECT id, name, head, last FROM rooms WHERE key = ?",
		&w.stmt.end:         "SELECT head FROM ends WHERE key = ?",
		&w.stmt.newRoom:     "INSERT INTO rooms (key, name, head, last) VALUES (?, ?, 0, 0) RETURNING id",
		&w.stmt.setHead:     "UPDATE rooms SET head = ?, last = ?, bytes = bytes + ? WHERE id = ?",
		&w.stmt.insert:      "INSERT INTO entries (" + entryColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, device, room) DO NOTHING",
		&w.stmt.insertAll:   "INSERT OR IGNORE INTO entries (" + entryColumns + ") SELECT " + entryColumns + " FROM temp.pending",
		&w.stmt.insertAbout: "INSERT INTO entries (" + entryColumns + ", kind, target, reply, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&w.stmt.find:        "SELECT offset FROM entries WHERE id = ? AND device = ? AND room = ?",
		&w.stmt.missed:      "SELECT " + columns + " FROM entries WHERE at > ? AND at < ? AND " + shown + " ORDER BY at",
		&w.stmt.row:         rowQuery,
		&w.stmt.target:      targetQuery,
		&w.stmt.edit:        "UPDATE entries SET text = ?2, state = 1, changed = ?3 WHERE at = ?1",
		&w.stmt.erase:       "UPDATE entries SET text = '', state = 2, reply = 0, reactions = NULL, file = NULL, changed = ?2 WHERE at = ?1",
		&w.stmt.file:        fileQuery,
		&w.stmt.takeFile:    "UPDATE files SET off = ?2 WHERE id = ?1",
		&w.stmt.deleteFile:  "DELETE FROM files WHERE id = ?",
		&w.stmt.react:       "UPDATE entries SET reactions = ?2, changed = ?3 WHERE at = ?1",
		&w.stmt.wrote:       "SELECT octet_length(text), COALESCE(file, '') FROM entries WHERE at = ? AND device = ? AND " + kept,
		&w.stmt.lock: "INSERT INTO locks (room, hash, hidden, made) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE key = ?1) " +
			"ON CONFLICT (room) DO NOTHING",
		&w.stmt.claim:         claimStatement,
		&w.stmt.owner:         ownerQuery,
		&w.stmt.lookOwner:     lookQuery,
		&w.stmt.dropLook:      "UPDATE names SET look = NULL WHERE room = ?1 AND name = ?2",
		&w.stmt.forgetDevice:  forgetDevice,
		&w.stmt.forgetAddress: forgetAddress,
		&w.stmt.countNames:    countQuery,
	} {
		if *stmt, err = w.conn.PrepareContext(ctx, query); err != nil {
			w.fail()
			return err
		}
		w.opened = append(w.opened, *stmt)
	}
	err = w.conn.QueryRowContext(ctx, "SELECT COALESCE(SUM(bytes), 0) FROM rooms").Scan(&w.volume.bytes)
	if err = cmp.Or(err, w.place.connected()); err != nil {
		w.fail()
	}
	return err
}

// fail gives up a transaction together with its connection.
func (w *writer) fail() {
	w.rollBack(context.Background())
	w.closeStatements()
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // so that it is not used again
	w.conn = nil
}

// closeStatements lets go of the connection's statements. SQLite keeps a
// connection and its files open while it has one.
func (w *writer) closeStatements() {
	for _, s := range w.opened {
		_ = s.Close() // what it did last, it has said already
	}
	w.stmt, w.opened = statements{}, nil
}
