package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// roomState is what the writer knows of a room that is open or being written.
type roomState struct {
	key    string
	loaded bool // what follows is what the database says
	id     int64
	name   string
	head   int64
	last   time.Time
	rules  chat.Rules

	touched   bool         // by the transaction under way
	fresh     []chat.Entry // of the transaction under way
	usual     int          // how many the last one had
	gone      int64        // bytes of texts that the transaction under way takes away
	about     bool         // something in fresh is about another entry
	followers []*follower  // guarded by writer.mu
}

type follower struct {
	chat.Follower
	handed int64 // the last offset that it was told of
}

func (w *writer) unfollow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.rooms[room]
	if r == nil {
		return
	}
	r.followers = slices.DeleteFunc(slices.Clone(r.followers), func(g *follower) bool { return g == f })
	if len(r.followers) == 0 {
		w.abandoned = append(w.abandoned, room)
	}
}

// followers are those of a room.
func (w *writer) followers(room string) []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.rooms[room]; r != nil {
		return r.followers // replaced, never changed
	}
	return nil
}

// state returns a room's state, from the database if need be.
func (w *writer) state(ctx context.Context, room shared.Name) (*roomState, error) {
	w.mu.Lock()
	r := w.rooms[room.Key]
	if r == nil {
		r = &roomState{key: room.Key}
		w.rooms[room.Key] = r
		w.abandoned = append(w.abandoned, room.Key) // until somebody follows it
	}
	w.mu.Unlock()
	if r.loaded {
		return r, nil
	}
	var last int64
	r.rules = chat.Rules{}
	switch err := w.stmt.room.QueryRowContext(ctx, room.Key).Scan(&r.id, &r.name, &r.head, &last); {
	case errors.Is(err, sql.ErrNoRows):
		r.id, r.name, r.head, r.last = 0, "", 0, time.Time{}
		if err := w.stmt.end.QueryRowContext(ctx, room.Key).Scan(&r.head); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		r.last = time.UnixMilli(last).UTC()
		if r.rules, err = loadRules(ctx, w.conn, room.Key); err != nil {
			return nil, err
		}
	}
	r.loaded = true
	return r, nil
}

// stateToOpen returns also where the room's log begins.
func (w *writer) stateToOpen(ctx context.Context, room shared.Name) (r *roomState, first int64, err error) {
	if r, err = w.state(ctx, room); err != nil {
		return nil, 0, err
	}
	err = w.conn.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? ORDER BY at LIMIT 1", rowOf(r.id, 0), rowOf(r.id+1, 0)).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return r, r.head + 1, nil
	}
	return r, first, err
}

func (w *writer) forgetAbandoned() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range w.abandoned {
		if r := w.rooms[key]; r != nil && len(r.followers) == 0 {
			delete(w.rooms, key)
		}
	}
	w.abandoned = w.abandoned[:0]
}

// added notes an entry of the transaction under way.
func (r *roomState) added(e chat.Entry) {
	r.head, r.last = e.Offset, e.Time
	if e.Extra != nil {
		own := e.Own()
		own.Of, own.Since = "", time.Time{}
	}
	if r.fresh == nil {
		r.fresh = make([]chat.Entry, 0, max(r.usual, 1))
	}
	r.fresh = append(r.fresh, e)
}

func (w *writer) newRoom(ctx context.Context, r *roomState, room shared.Name) error {
	var id int64
	if err := w.stmt.newRoom.QueryRowContext(ctx, room.Key, room.Text).Scan(&id); err != nil {
		return err
	}
	if id > maxRoom {
		if _, err := w.conn.ExecContext(ctx, "DELETE FROM rooms WHERE id = ?", id); err != nil {
			return err
		}
		return errRooms
	}
	r.id, r.name = id, room.Text
	return nil
}
