package main

import (
	"flag"
	"fmt"
	"math"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// limitFlags bound what one client, and all of them, can make the server hold.
func (o *options) limitFlags(f *flag.FlagSet, d chat.Config) {
	f.IntVar(&o.chat.MaxUpgrades, "max-upgrades", d.MaxUpgrades, "maximum new WebSocket `connections` per second and address; 0 removes the limit")
	f.IntVar(&o.chat.MaxConnections, "max-connections", d.MaxConnections, "maximum WebSocket `connections`; as many other connections may be open")
	f.IntVar(&o.chat.MaxFrame, "max-frame", d.MaxFrame, "maximum `bytes` of one frame from a client")
	f.IntVar(&o.chat.MaxText, "max-text", d.MaxText, "maximum `characters` of one message")
	f.IntVar(&o.chat.MaxName, "max-name", d.MaxName, "maximum `characters` of a person's name")
	f.IntVar(&o.chat.MaxRooms, "max-rooms", d.MaxRooms, "maximum `rooms` with someone in them")
	f.IntVar(&o.chat.MaxMembers, "max-members", d.MaxMembers, "maximum `connections` in one room")
	f.IntVar(&o.chat.ResumeLimit, "max-resume", d.ResumeLimit, "maximum `entries` that a client may have missed and still gets in full; one that missed more gets the newest messages and a gap")
	f.IntVar(&o.maxMemory, "max-memory", int(d.MaxMemory>>20), "`MiB` that the server holds for its clients; above that, it disconnects those that hold most; 0 removes the limit")
	f.DurationVar(&o.chat.HelloTimeout, "hello-timeout", d.HelloTimeout, "how long a new connection may take to say who it is")
}

func (o *options) checkLimits() error {
	for _, l := range []struct {
		name             string
		value, low, high int
	}{
		{"max-upgrades", o.chat.MaxUpgrades, 0, 1 << 30},
		{"max-connections", o.chat.MaxConnections, 1, 1 << 30},
		{"max-frame", o.chat.MaxFrame, 1024, shared.MaxClientFrame},
		{"max-text", o.chat.MaxText, 1, shared.MaxText},
		{"max-name", o.chat.MaxName, 8, shared.MaxName},
		{"max-rooms", o.chat.MaxRooms, 1, 1 << 30},
		{"max-members", o.chat.MaxMembers, 1, 1 << 30},
		{"max-resume", o.chat.ResumeLimit, 100, shared.MaxCount},
		{"max-memory", o.maxMemory, 0, 1 << 30},
	} {
		if l.value < l.low || l.value > l.high {
			return fmt.Errorf("--%s takes a number from %d to %d", l.name, l.low, l.high)
		}
	}
	if math.IsNaN(o.chat.Rate) || o.chat.Rate > shared.MaxCount || o.chat.Burst > shared.MaxCount {
		return fmt.Errorf("--rate and --burst take numbers up to %d", shared.MaxCount)
	}
	if o.chat.HelloTimeout < time.Second {
		return fmt.Errorf("--hello-timeout takes at least 1s")
	}
	o.chat.MaxMemory = int64(o.maxMemory) << 20
	return nil
}
