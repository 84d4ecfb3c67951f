package chat

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/shared"
)

// metrics are the hub's own; nothing is registered globally.
type metrics struct {
	registry   *prometheus.Registry
	messages   prometheus.Counter
	deliveries prometheus.Counter
	appends    prometheus.Histogram
	expired    prometheus.Counter
	read       prometheus.Counter
	slow       prometheus.Counter
	silent     prometheus.Counter
	refused    *prometheus.CounterVec
	limits     *prometheus.CounterVec
	rules      *prometheus.CounterVec
	elsewhere  prometheus.Counter

	logger *slog.Logger
	mu     sync.Mutex
	told   map[string]time.Time // when a limit was last logged
}

func newMetrics(logger *slog.Logger) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		logger:   logger,
		told:     make(map[string]time.Time),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_messages_received_total", Help: "Messages taken from members, before the log has them."}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_deliveries_total", Help: "Frames of the rooms handed to members' sockets."}),
		appends: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_append_seconds", Help: "Time from a transaction's begin to its commit in the log.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16)}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_messages_expired_total", Help: "Messages deleted because they were too old, or a room had too many."}),
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_read_bytes_total", Help: "Bytes read from WebSocket connections."}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_slow_consumers_total", Help: "Members closed because they took nothing, or fell too far behind."}),
		silent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_silent_peers_total", Help: "Connections given up because nothing came, not even an answer to a ping."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_frames_refused_total", Help: "Frames answered with an error or a close, by its code."}, []string{"code"}),
		limits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_limit_hits_total", Help: "What was refused or ended at a limit, by the limit."}, []string{"limit"}),
		elsewhere: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_spent_elsewhere_total", Help: "What devices and addresses have used of their allowances at other servers, as far as it is shared."}),
		rules: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_rule_refusals_total", Help: "What was refused because of what a room's hosts have set or done, by the rule."}, []string{"rule"}),
	}
	m.registry.MustRegister(m.messages, m.deliveries, m.appends, m.expired, m.read, m.slow, m.silent, m.refused, m.limits, m.rules, m.elsewhere,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// gauge adds a number that is asked for when the metrics are read.
func (m *metrics) gauge(name, help string, value func() int64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
		func() float64 { return float64(value()) }))
}

// Collect adds what others have to tell to the metrics.
func (h *Hub) Collect(c prometheus.Collector) { h.metrics.registry.MustRegister(c) }

func (m *metrics) refuse(code shared.ErrorCode) { m.refused.WithLabelValues(string(code)).Inc() }

// rule counts a refusal by one of a room's rules. Nil and other refusals do not count.
func (m *metrics) rule(refusal *Refusal) {
	if refusal != nil && refusal.Rule != "" {
		m.rules.WithLabelValues(refusal.Rule).Inc()
	}
}

// limitFlags are the flags of the limits that keep people out.
var limitFlags = map[string]string{
	"address": "--max-per-address", "half_open": "--max-per-address", "connections": "--max-connections", "upgrades": "--max-upgrades",
	"rooms": "--max-rooms", "members": "--max-members", "memory": "--max-memory",
}

// limit counts what was refused or ended at a limit. If the limit keeps people out,
// one line a minute names its flag.
func (m *metrics) limit(name string) {
	m.limits.WithLabelValues(name).Inc()
	flag, ok := limitFlags[name]
	if !ok {
		return
	}
	m.mu.Lock()
	now := time.Now()
	due := now.Sub(m.told[name]) >= time.Minute
	if due {
		m.told[name] = now
	}
	m.mu.Unlock()
	if due {
		m.logger.Warn("a limit keeps people out", "limit", name, "flag", flag)
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
