package pglog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/server/pglog/pgtest"
	"parley/shared"
)

// TestUpdate runs this version next to one to come, which adds to every table, as servers
// do that are updated one after the other.
func TestUpdate(t *testing.T) {
	t.Parallel()
	address := pgtest.Address(server.Create(t), server)
	next := slices.Clone(migrations)
	add := "CREATE TABLE next (n int);"
	for _, table := range []string{"meta", "rooms", "ends", "entries", "servers", "people", "marks", "names", "locks", "files"} {
		add += fmt.Sprintf("ALTER TABLE %s ADD COLUMN next text, ADD COLUMN next_n bigint NOT NULL DEFAULT 7;", table)
	}
	next = append(next, add)
	open := func(migrations []string) *Log {
		t.Helper()
		l, err := Open(t.Context(), address, Options{migrations: migrations, patience: time.Minute, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := open(nil)
	defer func() {
		if before != nil {
			before.Close()
		}
	}()
	mustAppend(t, before, "before")
	f := followed(t, before, hall)
	after := open(next)
	defer after.Close()
	g := followed(t, after, hall)
	work := func(l *Log, id string) {
		t.Helper()
		mustAppend(t, l, id)
		if _, err := l.Claim(t.Context(), chat.Claim{Room: hall.Key, Name: id, Device: id, Seen: time.Now()}, chat.NameRules{}); err != nil {
			t.Error(err)
		}
		if _, err := l.SetLock(t.Context(), "locked by "+id, chat.Lock{Hash: "h", Made: time.Now()}); err != nil {
			t.Error(err)
		}
		row := chat.FileRow{File: chat.File{ID: "file of " + id, Name: "f", Size: 1}, Room: hall.Key, Device: id, Made: time.Now()}
		if _, err := l.BeginFile(t.Context(), row); err != nil {
			t.Error(err)
		}
		here := &crowd{l: l, in: make(map[string]int)}
		here.set("room of "+id, 1)
		if _, err := l.sweepNow(t.Context(), 0, forgetAfter); err != nil {
			t.Error(err)
		}
	}
	work(before, "old")
	work(after, "new")
	f.await(t, 2)
	g.await(t, 2)
	sees(t, before, map[string]int{"room of new": 1})
	sees(t, after, map[string]int{"room of old": 1})
	f.stop()
	g.stop()
	if err := before.Rename(t.Context(), hall.Key, shared.Name{Text: "Other", Key: "other"}); err != nil {
		t.Error(err)
	}
	if err := after.Delete(t.Context(), "other"); err != nil {
		t.Error(err)
	}

	// It starts again, unless the newer one says that it can't.
	if err := before.Close(); err != nil {
		t.Error(err)
	}
	before = nil
	before = open(nil)
	mustAppend(t, before, "again")
	server.SQLAt(t, address, fmt.Sprintf("UPDATE parley.versions SET oldest = %d WHERE version = %d", len(next), len(next)))
	refused(t, address, fmt.Sprintf("it was written by a newer Parley (schema %d, this one knows %d): start that version", len(next), len(migrations)), Options{})
}

// TestMigrationsAdd looks whether a program of before can run next to one of any later
// schema: what it knows is still there, and what it does not know may be left out.
func TestMigrationsAdd(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.Address(server.Create(t), server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	run(t, conn, "SET search_path = public")
	columns := func() map[string]string { // and whether each may be left out
		t.Helper()
		rows, err := conn.Query(t.Context(), "SELECT table_name || '.' || column_name, data_type, is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES' "+
			"FROM information_schema.columns WHERE table_schema = 'public'")
		if err != nil {
			t.Fatal(err)
		}
		all := make(map[string]string)
		var column, kind string
		var free bool
		if _, err := pgx.ForEachRow(rows, []any{&column, &kind, &free}, func() error {
			all[column] = fmt.Sprint(kind, ", may be left out: ", free)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	run(t, conn, migrations[0])
	known := columns()
	tables := make(map[string]bool)
	table := func(column string) string { name, _, _ := strings.Cut(column, "."); return name }
	for n, migration := range migrations[1:] {
		for column := range known {
			tables[table(column)] = true
		}
		run(t, conn, migration)
		now := columns()
		for column, was := range known {
			if now[column] != was {
				t.Errorf("migration %d makes %q of %s, which was %q", n+2, now[column], column, was)
			}
		}
		for column, is := range now {
			if known[column] == "" && tables[table(column)] && !strings.HasSuffix(is, "true") {
				t.Errorf("migration %d adds %s, which a program of before leaves out", n+2, column)
			}
		}
		known = now
	}
}
