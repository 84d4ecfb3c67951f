//go:build nosearch

package ui

import (
	"context"

	"parley/client/session"
)

var searchNearby func(context.Context, session.Discovery, func(session.Nearby)) session.Trace
