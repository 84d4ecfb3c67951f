//go:build !nosearch

package ui

import (
	"context"

	handset "parley/client/phone"
	"parley/client/session"
)

// searchNearby searches on the networks that the device is in now. An app that is built with
// the tag nosearch never does, as those that tests start.
var searchNearby = func(ctx context.Context, s session.Discovery, tell func(session.Nearby)) session.Trace {
	s.Dial, s.Networks = handset.Dial, handset.Networks()
	return s.Run(ctx, tell)
}
