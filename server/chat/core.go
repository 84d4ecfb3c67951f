package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"parley/server/chat/keyring"
	"parley/shared"
)

// core is what the rooms and the sessions of a hub share. They know it and not the
// hub, so that calls run one way: from the hub to them.
type core struct {
	cfg      Config
	metrics  *metrics
	keys     *keyring.Keyring
	memory   *memory
	meters   *meters // of sources; nil if there is no limit per address
	sources  kept[*source]
	paces    kept[*pace] // how fast each device and address may send
	spending *spending   // what the other servers of a cluster are told; nil if there are none
	removals removals
	visitors visitors
	appends  gate                          // in all rooms
	alike    func(room shared.Name) string // the hub's alikeRoom
	seat     func(*session) bool           // gives a known one that knocks a stranger's place
	searches chan struct{}                 // holds one for each that is under way
	work     sync.WaitGroup                // connections, and every goroutine that the hub has started
}

// background is what the log and the library are called with. A context for each
// session would bound nothing that is not bounded already, and takes memory.
var background = context.Background()

// personName is shared.PersonName under this server's own limit.
func (c *core) personName(s string) (shared.Name, error) {
	name, err := shared.PersonName(s)
	if err == nil && utf8.RuneCountInString(name.Text) > c.cfg.MaxName {
		err = &shared.NameError{Reason: fmt.Sprintf("The name is over %d characters.", c.cfg.MaxName)}
	}
	if err != nil {
		c.metrics.limit("name")
	}
	return name, err
}

// reserved reports whether a room is one that nobody may lock.
func (c *core) reserved(key string) bool {
	return slices.ContainsFunc(c.cfg.Rooms, func(n shared.Name) bool { return n.Key == key })
}
