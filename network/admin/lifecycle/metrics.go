package lifecycle

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Gauges reads numbers of the channel from a node's metrics, by their names.
func Gauges(ctx context.Context, plan *consortium.Plan, node consortium.Node, names ...string) ([]float64, error) {
	metrics, err := readMetrics(ctx, plan, node)
	if err != nil {
		return nil, fmt.Errorf("read metrics of %s: %w", node.Name, err)
	}
	values := make([]float64, len(names))
	for i, name := range names {
		_, rest, found := strings.Cut(metrics, "\n"+name+`{channel="`+plan.Channel+`"} `)
		if !found {
			return nil, fmt.Errorf("read metrics of %s: no %s", node.Name, name)
		}
		text, _, _ := strings.Cut(rest, "\n")
		if values[i], err = strconv.ParseFloat(text, 64); err != nil {
			return nil, fmt.Errorf("read metrics of %s: %s: %w", node.Name, name, err)
		}
	}
	return values, nil
}

// readMetrics asks a node's operations port, which wants a certificate of its
// own organisation.
func readMetrics(ctx context.Context, plan *consortium.Plan, node consortium.Node) (string, error) {
	pool, err := readPool(plan.TLSRoot(node.Organization))
	if err != nil {
		return "", err
	}
	certificate, err := adminTLS(plan, node.Organization)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: pool, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+node.Operations+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(io.LimitReader(response.Body, 1<<22))
	return string(metrics), err
}
