package chat

import (
	"log/slog"
	"net/netip"
	"os"
	"time"

	"parley/shared"
)

// Config is what a Hub needs. Log is required; the zero value of the others
// means the default, except for Rate and MaxPerAddress, where it means no limit.
type Config struct {
	Log    Log
	Logger *slog.Logger

	Name    string // the server's, the host's by default
	Version string

	Rate          float64        // messages a second that a member may send, sustained
	Burst         int            // messages that it may send at once
	MaxPerAddress int            // connections from one address; 0 also lifts the limit on upgrades
	AllowOrigin   []string       // origins of other hosts whose pages may connect
	AllowHost     []string       // names of this server beside those of a local network
	TrustedProxy  []netip.Prefix // whose X-Forwarded-For is believed

	MaxMembers  int           // in one room
	TailBytes   int           // memory for the newest frames of a room, in each dialect
	ResumeLimit int           // entries that a member may be behind
	NameHold    time.Duration // how long a name stays its device's

	HelloTimeout time.Duration // from the upgrade to a valid hello
	PingEvery    time.Duration
	SilenceLimit time.Duration // a peer that sends nothing for so long is gone
	StallLimit   time.Duration // a peer that takes no byte for so long is closed
	LeaveDelay   time.Duration // from a person's last connection to the leave that others see

	Now func() time.Time // stamps entries
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Name == "" {
		c.Name, _ = os.Hostname()
	}
	def(&c.Burst, 10)
	def(&c.MaxMembers, 10000)
	def(&c.TailBytes, 512<<10)
	def(&c.ResumeLimit, 10000)
	def(&c.NameHold, 12*time.Hour)
	def(&c.HelloTimeout, 10*time.Second)
	def(&c.PingEvery, 25*time.Second)
	def(&c.SilenceLimit, 60*time.Second)
	def(&c.StallLimit, 30*time.Second)
	def(&c.LeaveDelay, 5*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

func (c Config) limits() shared.Limits {
	return shared.Limits{Message: shared.MaxText, Rate: c.Rate, Burst: c.Burst, Resume: c.ResumeLimit}
}
