package pglog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

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
			var err error
			done, err = c.Take(ctx, owners{tx}, rules)
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

const (
	claimQuery = "SELECT name, device, seen, spoken, COALESCE(look, '') FROM names WHERE room = $1 AND "
	ownerQuery = claimQuery + "name = $2"
	lookQuery  = claimQuery + "look = $2"
)

// owners are the chat.Owners of a transaction.
type owners struct{ tx pgx.Tx }

func (o owners) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	return scanClaim(o.tx.QueryRow(ctx, ownerQuery, room, name), room)
}

func (o owners) LookOwner(ctx context.Context, room, look string) (chat.Claim, error) {
	return scanClaim(o.tx.QueryRow(ctx, lookQuery, room, look), room)
}

func (o owners) SetOwner(ctx context.Context, c chat.Claim) error {
	_, err := o.tx.Exec(ctx, "INSERT INTO names (room, name, device, seen, spoken, address, look) VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, '')) "+
		"ON CONFLICT (room, name) DO UPDATE SET device = $3, seen = $4, spoken = $5, address = $6, look = NULLIF($7, '')",
		c.Room, c.Name, c.Device, c.Seen.UnixMilli(), c.Spoken, addressNumber(c.Address), c.Look)
	return err
}

func (o owners) DropLook(ctx context.Context, room, name string) error {
	_, err := o.tx.Exec(ctx, "UPDATE names SET look = NULL WHERE room = $1 AND name = $2", room, name)
	return err
}

func (o owners) Count(ctx context.Context, c chat.Claim, silent, spoken time.Time) (ofDevice, ofAddress int, err error) {
	const lapsed = "seen <= $2 AND (seen <= $1 OR NOT spoken)"
	address := addressNumber(c.Address)
	if _, err := o.tx.Exec(ctx, "DELETE FROM names WHERE room = $3 AND device = $4 AND "+lapsed, spoken.UnixMilli(), silent.UnixMilli(), c.Room, c.Device); err != nil {
		return 0, 0, err
	}
	if _, err := o.tx.Exec(ctx, "DELETE FROM names WHERE address = $3 AND "+lapsed, spoken.UnixMilli(), silent.UnixMilli(), address); err != nil {
		return 0, 0, err
	}
	err = o.tx.QueryRow(ctx, "SELECT (SELECT count(*) FROM names WHERE room = $1 AND device = $2), (SELECT count(*) FROM names WHERE address = $3)",
		c.Room, c.Device, address).Scan(&ofDevice, &ofAddress)
	return ofDevice, ofAddress, err
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
	c, err := scanClaim(l.row(ctx, ownerQuery, room, name), room)
	return c, wrap(err)
}

// LookOwner implements chat.Registry.
func (l *Log) LookOwner(ctx context.Context, room, look string) (chat.Claim, error) {
	c, err := scanClaim(l.row(ctx, lookQuery, room, look), room)
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
