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

// takeName carries out a Claim of chat.Registry.
func (w *writer) takeName(ctx context.Context, c *claim) (standing chat.Standing, err error) {
	before, err := scanClaim(w.stmt.owner.QueryRowContext(ctx, c.Room, c.Name), c.Room)
	if err != nil {
		return standing, err
	}
	held := c.rules.Held(before, c.Seen)
	if held && before.Device != c.Device {
		return chat.Standing{Taken: true}, nil
	}
	if !held {
		before = chat.Claim{}
		if standing.Owned, err = w.mayOwn(ctx, c); err != nil {
			return standing, err
		}
	}
	standing.Owned = standing.Owned || held
	standing.Spoken = standing.Owned && (c.Spoken || before.Spoken)
	look, like, err := w.takeLook(ctx, c, before.Look, standing.Owned)
	if err != nil {
		return standing, err
	}
	standing.First, standing.Like = look != "" && look == c.Look, like
	if standing.Owned {
		_, err = w.stmt.claim.ExecContext(ctx, c.Room, c.Name, c.Device, c.Seen.UnixMilli(), standing.Spoken, addressNumber(c.Address), look)
	}
	return standing, err
}

// mayOwn reports whether a device may own another name. What has lapsed of its names
// makes room.
func (w *writer) mayOwn(ctx context.Context, c *claim) (bool, error) {
	if c.Device == chat.APIDevice {
		return true, nil
	}
	address := addressNumber(c.Address)
	by := func(spoken bool) int64 { return c.Seen.Add(-c.rules.HoldOf(spoken)).UnixMilli() }
	if _, err := w.stmt.forgetDevice.ExecContext(ctx, by(true), by(false), c.Room, c.Device); err != nil {
		return false, err
	}
	if _, err := w.stmt.forgetAddress.ExecContext(ctx, by(true), by(false), address); err != nil {
		return false, err
	}
	var ofDevice, ofAddress int
	if err := w.stmt.countNames.QueryRowContext(ctx, c.Room, c.Device, address).Scan(&ofDevice, &ofAddress); err != nil {
		return false, err
	}
	below := func(n, limit int) bool { return limit == 0 || n < limit }
	return below(ofDevice, c.rules.PerDevice) && below(ofAddress, c.rules.PerAddress), nil
}

// takeLook returns the look that a claim's name has from now on, and the other name
// that has c.Look. The name had the look before, or "".
func (w *writer) takeLook(ctx context.Context, c *claim, before string, owned bool) (look, like string, err error) {
	if c.Look == "" || c.Look == before {
		return before, "", nil
	}
	other, err := scanClaim(w.stmt.lookOwner.QueryRowContext(ctx, c.Room, c.Look), c.Room)
	switch {
	case err != nil:
		return "", "", err
	case other.Name != c.Name && c.rules.Held(other, c.Seen):
		return "", other.Name, nil
	case c.Shy, !owned:
		return "", "", nil
	case other.Name != "":
		if _, err := w.stmt.setLook.ExecContext(ctx, c.Room, other.Name, nil); err != nil {
			return "", "", err
		}
	}
	return c.Look, "", nil
}

// addressNumber stands for an address, which the database does not keep: nil for none.
func addressNumber(address string) any {
	if address == "" {
		return nil
	}
	sum := sha256.Sum256([]byte("address " + address))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
