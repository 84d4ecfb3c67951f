package chat

import (
	"context"
	"time"
)

// Owners are a registry's names inside of the transaction that carries out a Claim.
// Nobody else changes the names of its room, or of its address, meanwhile.
type Owners interface {
	// Owner and LookOwner are those of Registry.
	Owner(ctx context.Context, room, name string) (Claim, error)
	LookOwner(ctx context.Context, room, look string) (Claim, error)

	// SetOwner gives c.Name and c.Look to c.Device, with Seen, Spoken and Address as they
	// are in c. An empty Look is none.
	SetOwner(ctx context.Context, c Claim) error

	// DropLook leaves a name without its look.
	DropLook(ctx context.Context, room, name string) error

	// Count counts the names of c.Device in c.Room, and those of c.Address in all rooms.
	// First it deletes those of them that lapsed: whose Seen is not after silent or, if
	// something was said under them, not after spoken, which is no later.
	Count(ctx context.Context, c Claim, silent, spoken time.Time) (ofDevice, ofAddress int, err error)
}

// Take carries out Registry.Claim. Its errors are those of owners.
func (c Claim) Take(ctx context.Context, owners Owners, rules NameRules) (s Standing, err error) {
	before, err := owners.Owner(ctx, c.Room, c.Name)
	if err != nil {
		return Standing{}, err
	}
	held := rules.Held(before, c.Seen)
	if held && before.Device != c.Device {
		return Standing{Taken: true}, nil
	}
	if s.Owned = held; !held {
		before = Claim{}
		if s.Owned, err = c.mayOwn(ctx, owners, rules); err != nil {
			return Standing{}, err
		}
	}
	s.Spoken = s.Owned && (c.Spoken || before.Spoken)
	look, like, err := c.takeLook(ctx, owners, rules, before.Look, s.Owned)
	if err != nil {
		return Standing{}, err
	}
	s.First, s.Like = look != "" && look == c.Look, like
	if s.Owned {
		c.Spoken, c.Look = s.Spoken, look
		err = owners.SetOwner(ctx, c)
	}
	return s, err
}

// mayOwn reports whether the device may own another name. What has lapsed of its names
// makes room.
func (c Claim) mayOwn(ctx context.Context, owners Owners, rules NameRules) (bool, error) {
	if c.Device == APIDevice {
		return true, nil
	}
	ofDevice, ofAddress, err := owners.Count(ctx, c, c.Seen.Add(-rules.HoldOf(false)), c.Seen.Add(-rules.HoldOf(true)))
	if err != nil {
		return false, err
	}
	below := func(n, limit int) bool { return limit == 0 || n < limit }
	return below(ofDevice, rules.PerDevice) && below(ofAddress, rules.PerAddress), nil
}

// takeLook returns the look that the name has from now on, and the other name that has
// c.Look. The name had the look before, or "".
func (c Claim) takeLook(ctx context.Context, owners Owners, rules NameRules, before string, owned bool) (look, like string, err error) {
	if c.Look == "" || c.Look == before {
		return before, "", nil
	}
	other, err := owners.LookOwner(ctx, c.Room, c.Look)
	switch {
	case err != nil:
		return "", "", err
	case other.Name != c.Name && rules.Held(other, c.Seen):
		return "", other.Name, nil
	case c.Shy, !owned:
		return "", "", nil
	case other.Name != "":
		if err := owners.DropLook(ctx, c.Room, other.Name); err != nil {
			return "", "", err
		}
	}
	return c.Look, "", nil
}
