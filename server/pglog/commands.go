package pglog

import (
	"cmp"
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// commands are the messages of several commands, which go to the database in one trip.
// After one that fails, it answers those of the same transaction with errors of their own,
// and passes over the data of a COPY.
type commands struct {
	conn    *pgx.Conn
	out     []byte
	answers int  // how often the database will say that it is ready
	execs   int  // statements with arguments
	open    bool // the last command is one of them
	binds   pgx.ExtendedQueryBuilder
}

// mostKept is how many bytes are kept of a buffer for the next transaction.
const mostKept = 1 << 20

func (c *commands) begin(conn *pgx.Conn) {
	c.conn, c.out, c.answers, c.execs, c.open = conn, c.out[:0], 0, 0, false
	if cap(c.out) > mostKept {
		c.out = nil
	}
}

// exec adds a statement without a result. It is prepared, when it is new, in a trip of its own.
func (c *commands) exec(ctx context.Context, query string, args ...any) error {
	prepared, err := c.conn.Prepare(ctx, query, query)
	if err != nil {
		return err
	}
	if err := c.binds.Build(c.conn.TypeMap(), prepared, args); err != nil {
		return err
	}
	return c.bind(prepared.Name, c.binds.ParamFormats, c.binds.ParamValues)
}

// bind adds a statement that is prepared, with arguments that are encoded.
func (c *commands) bind(prepared string, formats []int16, args [][]byte) error {
	c.execs++
	c.open = true
	return c.add(&pgproto3.Bind{PreparedStatement: prepared, ParameterFormatCodes: formats, Parameters: args}, &pgproto3.Execute{})
}

// query adds a command without arguments.
func (c *commands) query(query string) error {
	if err := c.sync(); err != nil {
		return err
	}
	c.answers++
	return c.add(&pgproto3.Query{String: query})
}

func (c *commands) sync() error {
	if !c.open {
		return nil
	}
	c.open = false
	c.answers++
	return c.add(&pgproto3.Sync{})
}

// copyIn adds a COPY in binary, of what rows append to out.
func (c *commands) copyIn(query string, rows func(out []byte) []byte) error {
	if err := c.query(query); err != nil {
		return err
	}
	at := len(c.out) + 1
	c.out = append(c.out, 'd', 0, 0, 0, 0)
	c.out = append(c.out, "PGCOPY\n\xff\r\n\x00"...)
	c.out = append(c.out, 0, 0, 0, 0, 0, 0, 0, 0) // no flags, no more header
	c.out = rows(c.out)
	c.out = binary.BigEndian.AppendUint16(c.out, 0xffff) // the end
	binary.BigEndian.PutUint32(c.out[at:], uint32(len(c.out)-at))
	return c.add(&pgproto3.CopyDone{})
}

func (c *commands) add(messages ...pgproto3.FrontendMessage) (err error) {
	for _, m := range messages {
		if c.out, err = m.Encode(c.out); err != nil {
			return err
		}
	}
	return nil
}

// fewExecs have answers that no socket is too small for.
const fewExecs = 64

// carryOut sends the commands. It returns the tag of the last one, or the error of the
// first one that failed.
func (c *commands) carryOut(ctx context.Context) (tag string, err error) {
	if err := c.sync(); err != nil {
		return "", err
	}
	pg := c.conn.PgConn()
	send := func() error {
		_, err := pg.Conn().Write(c.out)
		return err
	}
	if c.execs <= fewExecs {
		if err := send(); err != nil {
			return "", err
		}
	} else { // the database reads no further if nobody reads what it answers
		sent := make(chan error, 1)
		go func() {
			err := send()
			if err != nil {
				_ = pg.Conn().Close() // so that nobody waits for an answer
			}
			sent <- err
		}()
		defer func() {
			if failed := <-sent; failed != nil {
				tag, err = "", failed
			}
		}()
	}
	for ready := 0; ready < c.answers; {
		message, lost := pg.ReceiveMessage(ctx)
		if lost != nil {
			_ = pg.Conn().Close() // so that nobody goes on sending
			return "", cmp.Or(err, lost)
		}
		switch m := message.(type) {
		case *pgproto3.ErrorResponse:
			if err == nil {
				err = pgconn.ErrorResponseToPgError(m)
			}
		case *pgproto3.CommandComplete:
			tag = string(m.CommandTag)
		case *pgproto3.ReadyForQuery:
			ready++
		}
	}
	return tag, err
}
