package files

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the store's own.
type metrics struct {
	store    *Store
	whole    prometheus.Counter
	received prometheus.Counter
	expired  prometheus.Counter
	dropped  prometheus.Counter
	refused  *prometheus.CounterVec
	files    *prometheus.Desc
	bytes    *prometheus.Desc
	parts    *prometheus.Desc
}

func newMetrics(s *Store) *metrics {
	return &metrics{
		store: s,
		whole: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_files_received_total", Help: "Files of which all bytes have come."}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_files_received_bytes_total", Help: "Bytes of files that have come."}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_files_expired_total", Help: "Files whose bytes were deleted because all had more than --files-bytes."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_files_dropped_total", Help: "Unfinished files that made room for those of others."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_files_refused_total", Help: "Requests for files that were refused, by the reason."}, []string{"reason"}),
		files: prometheus.NewDesc("parley_files", "Whole files.", nil, nil),
		bytes: prometheus.NewDesc("parley_files_bytes", "Bytes of the disk that whole files take, at most.", nil, nil),
		parts: prometheus.NewDesc("parley_files_unfinished_bytes", "Bytes of the disk that unfinished files take, at most.", nil, nil),
	}
}

// Metrics returns what tells of the store's work.
func (s *Store) Metrics() prometheus.Collector { return s.metrics }

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range []prometheus.Collector{m.whole, m.received, m.expired, m.dropped, m.refused} {
		c.Describe(to)
	}
	to <- m.files
	to <- m.bytes
	to <- m.parts
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{m.whole, m.received, m.expired, m.dropped, m.refused} {
		c.Collect(to)
	}
	if n, bytes, err := m.store.rows.Filed(context.Background()); err == nil {
		to <- prometheus.MustNewConstMetric(m.files, prometheus.GaugeValue, float64(n))
		to <- prometheus.MustNewConstMetric(m.bytes, prometheus.GaugeValue, float64(bytes))
	}
	to <- prometheus.MustNewConstMetric(m.parts, prometheus.GaugeValue, float64(m.store.parts.bytes()))
}
