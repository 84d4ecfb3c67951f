package sqlitelog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"parley/server/chat"
)

const (
	ownerQuery = "SELECT name, device, seen, spoken, coalesce(look, '') FROM names WHERE room = ?1 AND name = ?2"
	lookQuery  = "SELECT name, device, seen, spoken, look FROM names WHERE room = ?1 AND look = ?2"

	claimStatement = "INSERT INTO names (room, name, device, seen, spoken, address, look) VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, '')) " +
		"ON CONFLICT (room, name) DO UPDATE SET device = ?3, seen = ?4, spoken = ?5, address = ?6, look = nullif(?7, '')"

	// These delete names of a device in a room, or of an address, that lapsed by ?1, or
	// by ?2, which is no earlier, if nothing was said under them. SQLite would go through the room instead.
	forgetDevice  = "DELETE FROM names INDEXED BY names_device WHERE room = ?3 AND device = ?4 AND " + lapsed
	forgetAddress = "DELETE FROM names WHERE address = ?3 AND " + lapsed
	lapsed        = "seen <= ?2 AND (seen <= ?1 OR NOT spoken)"

	countQuery = "SELECT (SELECT count(*) FROM names WHERE room = ?1 AND device = ?2), (SELECT count(*) FROM names WHERE address = ?3)"
)

// scanClaim reads a name; the zero Claim if there is none.
func scanClaim(row *sql.Row, room string) (chat.Claim, error) {
	c := chat.Claim{Room: room}
	var ms int64
	switch err := row.Scan(&c.Name, &c.Device, &ms, &c.Spoken, &c.Look); {
	case errors.Is(err, sql.ErrNoRows):
		return chat.Claim{}, nil
	case err != nil:
		return chat.Claim{}, err
	}
	c.Seen = time.UnixMilli(ms).UTC()
	return c, nil
}

// owners are the chat.Owners of the writer's transaction.
type owners struct{ w *writer }

func (o owners) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	return scanClaim(o.w.stmt.owner.QueryRowContext(ctx, room, name), room)
}

func (o owners) LookOwner(ctx context.Context, room, look string) (chat.Claim, error) {
	return scanClaim(o.w.stmt.lookOwner.QueryRowContext(ctx, room, look), room)
}

func (o owners) SetOwner(ctx context.Context, c chat.Claim) error {
	_, err := o.w.stmt.claim.ExecContext(ctx, c.Room, c.Name, c.Device, c.Seen.UnixMilli(), c.Spoken, addressNumber(c.Address), c.Look)
	return err
}

func (o owners) DropLook(ctx context.Context, room, name string) error {
	_, err := o.w.stmt.dropLook.ExecContext(ctx, room, name)
	return err
}

func (o owners) Count(ctx context.Context, c chat.Claim, silent, spoken time.Time) (ofDevice, ofAddress int, err error) {
	address := addressNumber(c.Address)
	if _, err := o.w.stmt.forgetDevice.ExecContext(ctx, spoken.UnixMilli(), silent.UnixMilli(), c.Room, c.Device); err != nil {
		return 0, 0, err
	}
	if _, err := o.w.stmt.forgetAddress.ExecContext(ctx, spoken.UnixMilli(), silent.UnixMilli(), address); err != nil {
		return 0, 0, err
	}
	err = o.w.stmt.countNames.QueryRowContext(ctx, c.Room, c.Device, address).Scan(&ofDevice, &ofAddress)
	return ofDevice, ofAddress, err
}

// addressNumber stands for an address, which the database does not keep: nil for none.
func addressNumber(address string) any {
	if address == "" {
		return nil
	}
	sum := sha256.Sum256([]byte("address " + address))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
