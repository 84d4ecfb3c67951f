package pglog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// A context that has ended is noticed without a deadline: reading another message may
// have taken that away.
func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &stream{r: bufio.NewReader(iotest.ErrReader(io.ErrNoProgress))}
	if _, _, err := s.next(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
