package main

import (
	"context"
	"fmt"
	"net/http"
)

// overload measures, for writes and for reads, how they are answered without
// load, what rate can be sustained, and what becomes of many times that.
func overload(ctx context.Context, g *target, s settings) error {
	for _, kind := range []struct {
		name    string
		request func(round string, i int) request
		trial   int // requests at once that find the sustainable rate
	}{
		{"writes", register, 16},
		{"reads", func(string, int) request { return request{method: http.MethodGet, path: "/v1/merchants?limit=20"} }, 8},
	} {
		lone := closed(ctx, g, 1, s.duration, func(_, i int) request { return kind.request("lone", i) })
		fmt.Printf("%s, one at a time:    %s\n", kind.name, lone)
		sustained := closed(ctx, g, kind.trial, s.duration, func(client, i int) request { return kind.request(fmt.Sprint("sustained-", client), i) })
		fmt.Printf("%s, %2d at a time:     %s\n", kind.name, kind.trial, sustained)
		before, err := g.metrics(ctx)
		if err != nil {
			return err
		}
		light := open(ctx, g, sustained.rate()/4, s.duration, func(i int) request { return kind.request("light", i) })
		fmt.Printf("%s, a quarter of it:  %s\n", kind.name, light)
		flood := open(ctx, g, s.factor*sustained.rate(), s.duration, func(i int) request { return kind.request("flood", i) })
		fmt.Printf("%s, %.0f times it:      %s\n", kind.name, s.factor, flood)
		after, err := g.metrics(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("  accepted p99 is %.1f times that of a quarter of the load, %.0f %% of the sustainable rate; memory peak %.0f MiB under GOMEMLIMIT=%s, %.0f goroutines (%.0f before)\n",
			float64(quantile(flood.accepted, 0.99))/float64(max(quantile(light.accepted, 0.99), 1)), 100*flood.rate()/sustained.rate(), g.peak(), s.memory,
			after["go_goroutines"], before["go_goroutines"])
	}
	return nil
}

// register is a write that conflicts with no other.
func register(round string, i int) request {
	return request{
		method: http.MethodPost, path: "/v1/merchants", key: fmt.Sprintf("%s-%d", round, i),
		body: `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`,
	}
}
