package chat

import "errors"

// sayUnavailable is what a person is told whose message the log did not take.
func sayUnavailable(err error) string {
	switch {
	case errors.Is(err, ErrMoved):
		return "The server can't find its data folder. Whoever runs it has to put it back."
	case errors.Is(err, ErrNoSpace):
		return "The server's disk is almost full. Whoever runs it has to make room."
	}
	return "The server can't write its log right now. The message may have been kept."
}

// notStored logs what became of a message, unless the log says by itself in which
// state it is: then there would be a line for each message.
func (c *core) notStored(err error) {
	if !errors.Is(err, ErrMoved) && !errors.Is(err, ErrNoSpace) {
		c.cfg.Logger.Error("message not stored", "error", err)
	}
}
