package chat

import (
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"parley/shared"
)

// Config is what a Hub needs. Log and Registry are required; the zero value of
// the others means the value of Defaults, except for Rate, MaxPerAddress,
// MaxUpgrades and MaxMemory: there it means no limit. EditFor 0 allows no edits.
type Config struct {
	Log      Log
	Registry Registry
	Logger   *slog.Logger

	Files   Files         // takes the members' files; nil takes none
	FileURL func() string // what is in front of /files/ in the link that stands for a file, as http://192.168.1.7:8080; nil for nothing. It must not block

	Name    string // the server's, the host's by default
	Version string
	ID      string // of the log, by which clients know the server again; "" tells none

	Rate           float64                // messages a second that a device may send, sustained; an address 20 times as many
	Burst          int                    // messages that it may send at once
	MaxPerAddress  int                    // connections from one address; 0 is no limit, and meters nothing
	MaxUpgrades    int                    // connections that one address may begin in a second; 0 is no limit
	MaxConnections int                    // WebSockets in all
	AllowOrigin    []string               // origins of other hosts whose pages may connect
	AllowHost      []string               // names of this server, in addition to its addresses and its host's name
	IsHost         func(name string) bool // other names of this host; nil for none
	Hostname       string                 // this host's own name; "" is the system's
	WrongHost      http.Handler           // tells a person that the Host is not the server's; nil leaves it at a problem document
	TrustedProxy   []netip.Prefix         // whose X-Forwarded-For is believed
	Token          string                 // lets programs post, and read metrics; "" lets none
	Profiles       bool                   // Go's profiles are served next to the metrics

	MaxFrame    int   // bytes of a client's frame, and of a post
	MaxText     int   // code points of a message, up to shared.MaxText
	MaxName     int   // code points of a person's name, up to shared.MaxName
	MaxRooms    int   // with somebody in them
	MaxMembers  int   // in one room
	MaxMemory   int64 // bytes that are held for clients before those that hold most are closed; 0 is no limit
	TailBytes   int   // memory for the newest frames of a room, in each dialect
	ResumeLimit int   // entries that a member may be behind
	RetainBytes int64 // Retention.Bytes of the log: a device may hold half of it

	EditFor time.Duration // how long whoever wrote a message may correct or delete it; 0 lets nobody

	NameHold       time.Duration // how long a name stays its device's
	NameHoldSpoken time.Duration // the same if something was said under it

	Rooms []shared.Name // that nobody may lock, and that are always listed

	HelloTimeout time.Duration // from the upgrade to a valid hello
	PingEvery    time.Duration
	SilenceLimit time.Duration // a peer that sends nothing for so long is gone
	StallLimit   time.Duration // a peer that takes no byte for so long is closed
	CloseLimit   time.Duration // from a close frame to the end of a peer that does not answer it
	LeaveDelay   time.Duration // from a person's last connection to the leave that others see

	Now   func() time.Time    // stamps entries
	Pause func(time.Duration) // makes a peer wait that sends too much
}

// Defaults returns the values that the server uses unless it is told otherwise.
func Defaults() Config {
	return Config{
		Rate: 5, Burst: 10,
		MaxPerAddress: 4096, MaxUpgrades: 400, MaxConnections: 20000,
		MaxFrame: shared.MaxClientFrame, MaxText: shared.MaxText, MaxName: shared.MaxName,
		MaxRooms: 1000, MaxMembers: 10000, MaxMemory: 1 << 30,
		TailBytes: 512 << 10, ResumeLimit: 10000,
		EditFor:  24 * time.Hour,
		NameHold: 12 * time.Hour, NameHoldSpoken: 30 * 24 * time.Hour, HelloTimeout: 10 * time.Second, PingEvery: 25 * time.Second,
		SilenceLimit: 60 * time.Second, StallLimit: 30 * time.Second, CloseLimit: 5 * time.Second,
		LeaveDelay: 5 * time.Second,
		Logger:     slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name, _ = os.Hostname()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Pause == nil {
		c.Pause = time.Sleep
	}
	d := Defaults()
	def(&c.Logger, d.Logger)
	def(&c.Burst, d.Burst)
	def(&c.MaxConnections, d.MaxConnections)
	def(&c.MaxFrame, d.MaxFrame)
	def(&c.MaxText, d.MaxText)
	def(&c.MaxName, d.MaxName)
	def(&c.MaxRooms, d.MaxRooms)
	def(&c.MaxMembers, d.MaxMembers)
	def(&c.TailBytes, d.TailBytes)
	def(&c.ResumeLimit, d.ResumeLimit)
	def(&c.NameHold, d.NameHold)
	def(&c.NameHoldSpoken, d.NameHoldSpoken)
	def(&c.HelloTimeout, d.HelloTimeout)
	def(&c.PingEvery, d.PingEvery)
	def(&c.SilenceLimit, d.SilenceLimit)
	def(&c.StallLimit, d.StallLimit)
	def(&c.CloseLimit, d.CloseLimit)
	def(&c.LeaveDelay, d.LeaveDelay)
	return c
}

func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

func (c Config) limits() shared.Limits {
	l := shared.Limits{Message: c.MaxText, Rate: c.Rate, Burst: c.Burst, Resume: c.ResumeLimit}
	if c.Files != nil {
		l.File = c.Files.Max()
	}
	return l
}

// How many names belong to whom. Further ones can be used, but belong to nobody.
const (
	namesPerDevice  = 5    // in one room
	namesPerAddress = 1024 // in all
)

func (c *Config) nameRules() NameRules {
	r := NameRules{Hold: c.NameHold, HoldSpoken: c.NameHoldSpoken, PerDevice: namesPerDevice}
	if c.MaxPerAddress > 0 {
		r.PerAddress = namesPerAddress
	}
	return r
}

// hostname is this host's own name, or "" if it has none.
func (c *Config) hostname() string {
	if c.Hostname != "" {
		return c.Hostname
	}
	own, _ := os.Hostname()
	return own
}

// can is what a welcome says that the server can.
func (c *Config) can() []string {
	can := []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanHost}
	if c.Files != nil {
		can = append(can, shared.CanFiles)
	}
	return can
}
