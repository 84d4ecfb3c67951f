package sqlitelog

import (
	"encoding/hex"
	"fmt"

	"github.com/oklog/ulid/v2"
)

// Ids and devices mostly have a form that fits into 16 bytes. These are stored as
// a blob, which makes rows and index smaller; anything else is stored as its text.
// What comes back is always the text that was stored.

// messageID is a column of ids. A ULID in its canonical form, in upper case, is
// stored as its bytes.
type messageID string

func (id messageID) pack() any {
	if u, err := ulid.ParseStrict(string(id)); err == nil && u.String() == string(id) {
		return u[:]
	}
	return string(id)
}

// Scan implements sql.Scanner.
func (id *messageID) Scan(column any) error {
	switch v := column.(type) {
	case []byte:
		var u ulid.ULID
		if err := u.UnmarshalBinary(v); err != nil {
			return fmt.Errorf("an id of %d bytes is no ULID", len(v))
		}
		*id = messageID(u.String())
	case string:
		*id = messageID(v)
	default:
		return fmt.Errorf("an id can't be a %T", column)
	}
	return nil
}

// deviceID is a column of devices. The 32 hexadecimal digits that stand for a
// client's secret, in lower case, are stored as their bytes.
type deviceID string

func (d deviceID) pack() any {
	if len(d) != 2*len(ulid.ULID{}) {
		return string(d)
	}
	b := make([]byte, 0, len(d)/2)
	b, err := hex.AppendDecode(b, []byte(d))
	if err != nil || hex.EncodeToString(b) != string(d) {
		return string(d)
	}
	return b
}

// Scan implements sql.Scanner.
func (d *deviceID) Scan(column any) error {
	switch v := column.(type) {
	case []byte:
		*d = deviceID(hex.EncodeToString(v))
	case string:
		*d = deviceID(v)
	default:
		return fmt.Errorf("a device can't be a %T", column)
	}
	return nil
}
