package pglog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

const claimColumns = "name, device, seen, spoken, COALESCE(look, '')"

// scanClaim reads a name; the zero Claim if there is none.
func scanClaim(row pgx.Row, room string) (chat.Claim, error) {
	c := chat.Claim{Room: room}
	var ms int64
	if err := row.Scan(&c.Name, &c.Device, &ms, &c.Spoken, &c.Look); err != nil {
		return chat.Claim{}, ignoreNone(err)
	}
	c.Seen = time.UnixMilli(ms).UTC()
	return c, nil
}

// claiming is a claim under way.
type claiming struct {
	chat.Claim
	rules chat.NameRules
	tx    pgx.Tx
}

// Claim implements chat.Registry. The claims of a room come one after the other, and so
// do those of an address: both are locked, in this order.
func (l *Log) Claim(ctx context.Context, c chat.Claim, rules chat.NameRules) (standing chat.Standing, err error) {
	var done chat.Standing
	err = l.patiently(ctx, func(ctx context.Context) error {
		return l.inTransaction(ctx, func(tx pgx.Tx) error {
			for _, what := range []string{"room " + c.Room, "address " + c.Address} {
				if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", number(what)); err != nil {
					return err
				}
			}
			v := claiming{c, rules, tx}
			var err error
			done, err = v.take(ctx)
			return err
		})
	})
	if err == nil {
		standing = done
	}
	if err == nil && !standing.Owned {
		err = l.proof.wait(ctx) // what was only read has to be what is
	}
	return standing, wrap(err)
}

func (c *claiming) take(ctx context.Context) (standing chat.Standing, err error) {
	before, err := scanClaim(c.tx.QueryRow(ctx, "SELECT "+claimColumns+" FROM names WHERE room = $1 AND name = $2", c.Room, c.Name), c.Room)
	if err != nil {
		return standing, err
	}
	held := c.rules.Held(before, c.Seen)
	if held && before.Device != c.Device {
		return chat.Standing{Taken: true}, nil
	}
	if !held {
		before = chat.Claim{}
		if standing.Owned, err = c.mayOwn(ctx); err != nil {
			return standing, err
		}
	}
	standing.Owned = standing.Owned || held
	standing.Spoken = standing.Owned && (c.Spoken || before.Spoken)
	look, like, err := c.takeLook(ctx, before.Look, standing.Owned)
	if err != nil {
		return standing, err
	}
	standing.First, standing.Like = look != "" && look == c.Look, like
	if standing.Owned {
		_, err = c.tx.Exec(ctx, "INSERT INTO names (room, name, device, seen, spoken, address, look) VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, '')) "+
			"ON CONFLICT (room, name) DO UPDATE SET device = $3, seen = $4, spoken = $5, address = $6, look = NULLIF($7, '')",
			c.Room, c.Name, c.Device, c.Seen.UnixMilli(), standing.Spoken, addressNumber(c.Address), look)
	}
	return standing, err
}

// mayOwn reports whether a device may own another name. What has lapsed of its names
// makes room.
func (c *claiming) mayOwn(ctx context.Context) (bool, error) {
	if c.Device == chat.APIDevice {
		return true, nil
	}
	address := addressNumber(c.Address)
	by := func(spoken bool) int64 { return c.Seen.Add(-c.rules.HoldOf(spoken)).UnixMilli() }
	const lapsed = "seen <= $2 AND (seen <= $1 OR NOT spoken)"
	if _, err := c.tx.Exec(ctx, "DELETE FROM names WHERE room = $3 AND device = $4 AND "+lapsed, by(true), by(false), c.Room, c.Device); err != nil {
		return false, err
	}
	if _, err := c.tx.Exec(ctx, "DELETE FROM names WHERE address = $3 AND "+lapsed, by(true), by(false), address); err != nil {
		return false, err
	}
	var ofDevice, ofAddress int
	if err := c.tx.QueryRow(ctx, "SELECT (SELECT count(*) FROM names WHERE room = $1 AND device = $2), (SELECT count(*) FROM names WHERE address = $3)",
		c.Room, c.Device, address).Scan(&ofDevice, &ofAddress); err != nil {
		return false, err
	}
	below := func(n, limit int) bool { return limit == 0 || n < limit }
	return below(ofDevice, c.rules.PerDevice) && below(ofAddress, c.rules.PerAddress), nil
}

// takeLook returns the look that a claim's name has from now on, and the other name
// that has c.Look. The name had the look before, or "".
func (c *claiming) takeLook(ctx context.Context, before string, owned bool) (look, like string, err error) {
	if c.Look == "" || c.Look == before {
		return before, "", nil
	}
	other, err := scanClaim(c.tx.QueryRow(ctx, "SELECT "+claimColumns+" FROM names WHERE room = $1 AND look = $2", c.Room, c.Look), c.Room)
	switch {
	case err != nil:
		return "", "", err
	case other.Name != c.Name && c.rules.Held(other, c.Seen):
		return "", other.Name, nil
	case c.Shy, !owned:
		return "", "", nil
	case other.Name != "":
		if _, err := c.tx.Exec(ctx, "UPDATE names SET look = NULL WHERE room = $1 AND name = $2", c.Room, other.Name); err != nil {
			return "", "", err
		}
	}
	return c.Look, "", nil
}

// addressNumber stands for an address, which the database does not keep: nil for none.
func addressNumber(address string) *int64 {
	if address == "" {
		return nil
	}
	return new(number("address " + address))
}

func number(of string) int64 {
	sum := sha256.Sum256([]byte(of))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Owner implements chat.Registry.
func (l *Log) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	c, err := scanClaim(l.row(ctx, "SELECT "+claimColumns+" FROM names WHERE room = $1 AND name = $2", room, name), room)
	return c, wrap(err)
}

// LookOwner implements chat.Registry.
func (l *Log) LookOwner(ctx context.Context, room, look string) (chat.Claim, error) {
	c, err := scanClaim(l.row(ctx, "SELECT "+claimColumns+" FROM names WHERE room = $1 AND look = $2", room, look), room)
	return c, wrap(err)
}

// Knows implements chat.Registry.
func (l *Log) Knows(ctx context.Context, room, device string) (knows bool, err error) {
	err = l.row(ctx, "SELECT EXISTS (SELECT 1 FROM names WHERE room = $1 AND device = $2)", room, device).Scan(&knows)
	return knows, wrap(err)
}

// RemovedFrom implements chat.Registry.
func (l *Log) RemovedFrom(ctx context.Context, room, address string, after time.Time) (removed bool, err error) {
	var r roomState
	if err := scanRoom(l.row(ctx, "SELECT "+roomColumns+" FROM rooms WHERE key = $1", room), &r); err != nil {
		return false, wrap(ignoreNone(err))
	}
	var devices []string
	for device, bar := range r.rules.Barred {
		if bar.Removed.At.After(after) {
			devices = append(devices, device)
		}
	}
	if len(devices) == 0 {
		return false, nil
	}
	err = l.row(ctx, "SELECT EXISTS (SELECT 1 FROM names WHERE room = $1 AND device = ANY ($2) AND address = $3)", room, devices, addressNumber(address)).Scan(&removed)
	return removed, wrap(err)
}
