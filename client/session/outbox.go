package session

import (
	"time"

	"golang.org/x/time/rate"

	"parley/shared"
)

const (
	echoWait     = 30 * time.Second // for an echo; then the connection is taken for dead
	longestPause = time.Minute      // that a server can ask for
)

// outbox decides when the next message of the queue goes out, which is the
// timeline's waiting rows. One is on its way at a time.
type outbox struct {
	limiter   *rate.Limiter // to the server's limits
	onWay     string        // the id of the message that was sent last and not answered
	since     time.Time     // when it was sent
	notBefore time.Time     // nothing is sent before
	slowed    time.Time     // no message is sent before, in slow mode; what is no message overtakes
	refusals  int           // times in a row that the server could not keep a message
}

// welcome begins a connection.
func (o *outbox) welcome(limits shared.Limits) {
	every := rate.Limit(limits.Rate)
	if limits.Rate <= 0 {
		every = rate.Inf
	}
	*o = outbox{limiter: rate.NewLimiter(every, max(1, limits.Burst)), slowed: o.slowed}
}

// ready is when the next message can go out; zero when one is on its way.
func (o *outbox) ready(now time.Time) time.Time {
	if o.onWay != "" {
		return time.Time{}
	}
	if o.notBefore.After(now) {
		return o.paced(o.notBefore)
	}
	return o.paced(now)
}

// paced is when, from a time on, the server's rate lets another frame come that counts as
// a message.
func (o *outbox) paced(at time.Time) time.Time {
	if missing := 1 - o.limiter.TokensAt(at); missing > 0 && o.limiter.Limit() != rate.Inf {
		at = at.Add(time.Duration(missing/float64(o.limiter.Limit())*float64(time.Second)) + time.Millisecond)
	}
	return at
}

// sent notes that a message goes out.
func (o *outbox) sent(id string, now time.Time) {
	o.limiter.AllowN(now, 1)
	o.onWay, o.since = id, now
}

// answered notes an echo, an acknowledgement or a refusal for good.
func (o *outbox) answered(id string) {
	if id == o.onWay {
		o.onWay, o.refusals = "", 0
	}
}

// refused notes that a message has to wait: it goes out again, as the next.
func (o *outbox) refused(id string, now time.Time, pause time.Duration) {
	if id == o.onWay {
		o.onWay = ""
		o.refusals++
		o.notBefore = now.Add(min(max(pause, 0), longestPause))
	}
}

// slowDown makes the next message wait, for at most as long as slow mode can ask for.
func (o *outbox) slowDown(now time.Time, pause time.Duration) {
	o.slowed = now.Add(min(max(pause, 0), shared.MaxSlow*time.Second))
}

// overdue is when the answer to what is on its way is overdue; zero when
// nothing is.
func (o *outbox) overdue() time.Time {
	if o.onWay == "" {
		return time.Time{}
	}
	return o.since.Add(echoWait)
}
