package sqlitelog

import "time"

// RoomsQuery is what the list of rooms is read with.
const RoomsQuery = roomsQuery

// Newest is the schema of a log.
var Newest = newest

// MaxRoom is the last room that a log can have.
const MaxRoom = maxRoom

// WithFree has free asked for the space that a disk has left.
func (o Options) WithFree(free func(dir string) (uint64, error)) Options {
	o.free = free
	return o
}

// WithIdle has the write-ahead log truncated when nobody has written for so long.
func (o Options) WithIdle(idle time.Duration) Options {
	o.idle = idle
	return o
}

// WithWAL keeps the write-ahead log as it grows.
func (o Options) WithWAL() Options { return o.WithIdle(time.Hour).WithErase(time.Hour) }

// WithErase has the write-ahead log truncated so long after a text went.
func (o Options) WithErase(erase time.Duration) Options {
	o.erase = erase
	return o
}

// What was changed in a room, and how far a page of that goes.
const (
	ChangesQuery = changesQuery
	ChangedQuery = changedQuery
)

// WithStage has stage told how far a rebuild is.
func (o Options) WithStage(stage func(name string)) Options {
	o.stage = stage
	return o
}

// FreeSpace is what a disk has left.
var FreeSpace = freeSpace

// NamesQueries are what a claim of a name takes.
var NamesQueries = []string{ownerQuery, lookQuery, forgetDevice, forgetAddress, countQuery}

// EraseNow makes the write-ahead log empty.
func (l *Log) EraseNow() error { return l.eraseNow() }
