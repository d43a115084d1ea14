package main

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/fabric"
)

// errNoStream is why a gateway is not ready that follows no peer.
var errNoStream = errors.New("no peer streams blocks to this gateway")

// metrics serves what an operator watches: how far the gateway follows the
// ledger, and the process itself.
func (g *gateway) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("steelyard_ledger_height", "Blocks applied to the read model.", func() float64 {
			return float64(g.client.Stream().Blocks)
		}),
		gauge("steelyard_blocks_behind", "Blocks that a peer has and that are not applied.", func() float64 {
			return float64(g.client.Stream().Behind())
		}),
		gauge("steelyard_current_timestamp_seconds", "When no peer that answered had more than is applied, Unix time; 0 before that is known.", func() float64 {
			if current := g.client.Stream().Current; !current.IsZero() {
				return float64(current.Unix())
			}
			return 0
		}),
		gauge("steelyard_stream_connected", "1 while a peer streams blocks to this gateway.", func() float64 {
			return truth(g.client.Stream().Peer != "")
		}),
		gauge("steelyard_last_block_timestamp_seconds", "When the newest block of this run was applied, Unix time.", func() float64 {
			return float64(g.client.Stream().AppliedAt.Unix())
		}),
		gauge("steelyard_projects", "1 while this gateway projects the ledger, 0 while another one that shares its database does.", func() float64 {
			return truth(g.store.Projects())
		}),
		submissions{g.client},
		requests{&g.load},
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

func gauge(name, help string, value func() float64) prometheus.GaugeFunc {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// submissions collects what became of the gateway's transactions. Conflicts and
// waits beside committed ones are the retries per operation.
type submissions struct{ client *fabric.Client }

var (
	submissionsTotal    = prometheus.NewDesc("steelyard_submissions_total", "Submissions by what became of them.", []string{"outcome"}, nil)
	retriesTotal        = prometheus.NewDesc("steelyard_submission_retries_total", "Transactions made anew: after a conflicting write on the ledger, or after waiting for one of this gateway.", []string{"reason"}, nil)
	submissionsUnderWay = prometheus.NewDesc("steelyard_submissions_under_way", "Submissions that wait for the ledger.", nil, nil)
	requestsUnderWay    = prometheus.NewDesc("steelyard_requests_under_way", "Requests being answered.", []string{"class"}, nil)
	requestsLimit       = prometheus.NewDesc("steelyard_requests_limit", "Requests that may be answered at once now.", []string{"class"}, nil)
	requestsRefused     = prometheus.NewDesc("steelyard_requests_refused_total", "Requests refused because too many were under way.", []string{"class"}, nil)
)

// Describe implements prometheus.Collector.
func (submissions) Describe(to chan<- *prometheus.Desc) {
	to <- submissionsTotal
	to <- retriesTotal
	to <- submissionsUnderWay
}

// Collect implements prometheus.Collector.
func (s submissions) Collect(to chan<- prometheus.Metric) {
	now := s.client.Statistics()
	for outcome, count := range map[string]uint64{"committed": now.Committed, "refused": now.Refused, "unknown": now.Unknown, "overloaded": now.Overloaded} {
		to <- prometheus.MustNewConstMetric(submissionsTotal, prometheus.CounterValue, float64(count), outcome)
	}
	to <- prometheus.MustNewConstMetric(retriesTotal, prometheus.CounterValue, float64(now.Conflicts), "conflict")
	to <- prometheus.MustNewConstMetric(retriesTotal, prometheus.CounterValue, float64(now.Waits), "wait")
	to <- prometheus.MustNewConstMetric(submissionsUnderWay, prometheus.GaugeValue, float64(now.UnderWay))
}

// requests collects how many requests are under way and refused.
type requests struct{ load *api.Load }

// Describe implements prometheus.Collector.
func (requests) Describe(to chan<- *prometheus.Desc) {
	to <- requestsUnderWay
	to <- requestsRefused
	to <- requestsLimit
}

// Collect implements prometheus.Collector.
func (r requests) Collect(to chan<- prometheus.Metric) {
	r.load.Each(func(class string, underWay int64, refused uint64, limit float64) {
		to <- prometheus.MustNewConstMetric(requestsUnderWay, prometheus.GaugeValue, float64(underWay), class)
		to <- prometheus.MustNewConstMetric(requestsRefused, prometheus.CounterValue, float64(refused), class)
		to <- prometheus.MustNewConstMetric(requestsLimit, prometheus.GaugeValue, limit, class)
	})
	to <- prometheus.MustNewConstMetric(requestsUnderWay, prometheus.GaugeValue, float64(r.load.Connections.Load()), "connection")
	to <- prometheus.MustNewConstMetric(requestsRefused, prometheus.CounterValue, float64(r.load.RefusedConnections.Load()), "connection")
}
