package session

// loop is the one goroutine of a Room that decides.
type loop struct{ room *Room }

func newLoop(r *Room) *loop { return &loop{room: r} }

func (l *loop) run()              {}
func (l *loop) send(item Item)    {}
func (l *loop) retry(id string)   {}
func (l *loop) discard(id string) {}
func (l *loop) typing()           {}
func (l *loop) loadOlder()        {}
func (l *loop) loadGap(id string) {}
func (l *loop) markRead()         {}
func (l *loop) reconnect()        {}
func (l *loop) rename(u string)   {}
func (l *loop) pause()            {}
func (l *loop) resume()           {}
func (l *loop) setDraft(t string) {}
func (l *loop) close()            { close(l.room.done) }

// OpenStore opens the file at path or makes it.
func OpenStore(path string) (*Store, error) { return &Store{}, nil }

// SetAside is the new path of a damaged file that OpenStore found and renamed; "" when it found none.
func (s *Store) SetAside() string { return "" }

// Device is this installation's secret, made at the first call.
func (s *Store) Device() (string, error) { return NewDevice(), nil }

// Recent lists the rooms, last seen first.
func (s *Store) Recent() []RecentRoom { return nil }

// Forget removes all that is kept of a room.
func (s *Store) Forget(server, room string) error { return nil }

// Draft is what was written and not sent in a room.
func (s *Store) Draft(server, room string) string { return "" }

// Close closes the file. Close the Rooms first.
func (s *Store) Close() error { return nil }
