package main

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
			return float64(g.client.Stream().Last.Number + 1)
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
