package pglog

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// sharing tells the other servers what was spent here, and hears it from them: one
// statement a second, which writes one row if there is something to tell. The table is
// unlogged, so nothing waits for the disk or a standby.
type sharing struct {
	log   *Log
	run   string // this server, from its start to its end
	n     int64  // rows that were written
	heard map[string]heardOf
	begun bool // the rows of before this server began are known, and not taken
}

// heardOf is up to which row another server was heard, and when.
type heardOf struct {
	n  int64
	at time.Time
}

const (
	shareEvery = time.Second
	spentHolds = "10 seconds" // after which nobody takes a row any more
	forgetRun  = time.Minute  // a server that tells nothing: its rows are gone long before
)

// Mask implements chat.Cluster.
func (l *Log) Mask(text string) string {
	mac := hmac.New(sha256.New, l.secret)
	mac.Write([]byte("spent\x00" + text))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil)[:9])
}

// Share implements chat.Cluster.
func (l *Log) Share(spent func() []chat.Spent, untold, take func([]chat.Spent)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sharing{log: l, run: rand.Text(), heard: make(map[string]heardOf)}
	var work sync.WaitGroup
	work.Go(func() {
		ticker := time.NewTicker(l.opt.shareEvery)
		defer ticker.Stop()
		for {
			own := spent()
			switch told, err := s.share(ctx, own); {
			case err != nil:
				untold(own)
			case len(told) > 0:
				take(told)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	return func() {
		cancel()
		work.Wait()
	}
}

// share tells what was spent here, and returns what the others have told since.
func (s *sharing) share(ctx context.Context, own []chat.Spent) (told []chat.Spent, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.log.opt.patience) // nothing is lost if it is cancelled
	defer cancel()
	accounts, amounts := make([]string, len(own)), make([]int32, len(own))
	for i, spent := range own {
		accounts[i], amounts[i] = spent.Of, int32(min(spent.Amount, 1<<30))
	}
	if len(own) > 0 {
		s.n++
	}
	runs, upTo := make([]string, 0, len(s.heard)), make([]int64, 0, len(s.heard))
	for run, h := range s.heard {
		runs, upTo = append(runs, run), append(upTo, h.n)
	}
	rows, err := s.log.pool.Query(ctx, "WITH told AS (INSERT INTO spent (run, n, accounts, amounts) SELECT $1, $2, $3, $4 WHERE cardinality($3::text[]) > 0), "+
		"gone AS (DELETE FROM spent WHERE (run, n) IN (SELECT run, n FROM spent WHERE at < now() - interval '"+spentHolds+"' FOR UPDATE SKIP LOCKED)) "+
		"SELECT s.run, s.n, s.accounts, s.amounts FROM spent s LEFT JOIN unnest($5::text[], $6::bigint[]) AS h (run, n) ON h.run = s.run "+
		"WHERE s.run <> $1 AND s.n > COALESCE(h.n, 0) AND s.at > now() - interval '"+spentHolds+"' ORDER BY s.n", s.run, s.n, accounts, amounts, runs, upTo)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	heard := maps.Clone(s.heard)
	var run string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&run, &n, &accounts, &amounts}, func() error {
		heard[run] = heardOf{n, now}
		for i, account := range accounts[:min(len(accounts), len(amounts))] {
			told = append(told, chat.Spent{Of: account, Amount: int(amounts[i])})
		}
		return nil
	}); err != nil {
		return nil, err
	}
	maps.DeleteFunc(heard, func(_ string, h heardOf) bool { return now.Sub(h.at) > forgetRun })
	s.heard = heard
	if !s.begun {
		s.begun = true
		return nil, nil
	}
	return slices.Clip(told), nil
}
