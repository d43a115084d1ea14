package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"syscall"
	"time"

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

// trial is how many writes at once find the sustainable rate.
const trial = 16

// overload measures, for writes and for reads, how they are answered without
// load, what rate can be sustained, and what becomes of many times that.
func overload(ctx context.Context, g *target, s settings) error {
	for _, kind := range []struct {
		name    string
		request func(round string, i int) wire.Request
		trial   int // requests at once that find the sustainable rate
	}{
		{"writes", register, trial},
		{"reads", func(string, int) wire.Request {
			return wire.Request{Method: http.MethodGet, Path: "/v1/merchants?limit=20"}
		}, 8},
	} {
		if s.only != "" && s.only != kind.name {
			continue
		}
		lone := closed(ctx, g, 1, s.duration, func(_, i int) wire.Request { return kind.request("lone", i) })
		fmt.Printf("%s, one at a time:    %s\n", kind.name, lone)
		sustained := closed(ctx, g, kind.trial, s.duration, func(client, i int) wire.Request { return kind.request(fmt.Sprint("sustained-", client), i) })
		fmt.Printf("%s, %2d at a time:     %s\n", kind.name, kind.trial, sustained)
		before, err := g.metrics(ctx)
		if err != nil {
			return err
		}
		light := open(ctx, g, sustained.rate()/4, s.duration, func(i int) wire.Request { return kind.request("light", i) })
		fmt.Printf("%s, a quarter of it:  %s\n", kind.name, light)
		spent, own := g.processor(), processor()
		flood := open(ctx, g, s.factor*sustained.rate(), s.duration, func(i int) wire.Request { return kind.request("flood", i) })
		fmt.Printf("%s, %.0f times it:      %s\n", kind.name, s.factor, flood)
		spent, own = g.processor()-spent, processor()-own
		after, err := g.metrics(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("  accepted p99 is %.1f times that of a quarter of the load (%.1f from the sending), %.0f %% of the sustainable rate; memory peak %.0f MiB under GOMEMLIMIT=%s, %.0f goroutines (%.0f before)\n",
			ratio(light.accepted, flood.accepted), ratio(light.served, flood.served), 100*flood.rate()/sustained.rate(), g.peak(), s.memory,
			after["go_goroutines"], before["go_goroutines"])
		fmt.Printf("  processors busy with the gateway %.2f, with the generator %.2f of %d\n",
			spent.Seconds()/flood.took.Seconds(), own.Seconds()/flood.took.Seconds(), runtime.NumCPU())
	}
	return nil
}

// ratio compares the 99th percentiles of two lists of latencies.
func ratio(light, flood []time.Duration) float64 {
	return float64(quantile(flood, 0.99)) / float64(max(quantile(light, 0.99), 1))
}

// processor is the processor time that the generator has taken so far.
func processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// register is a write that conflicts with no other.
func register(round string, i int) wire.Request {
	return post("/v1/merchants", `{"kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`, fmt.Sprintf("%s-%d", round, i))
}

// curve measures what so many clients at once get, to see from where on more of
// them only wait.
func curve(ctx context.Context, g *target, s settings) error {
	for _, clients := range s.crowds {
		before := g.processor()
		o := closed(ctx, g, clients, s.duration, func(client, i int) wire.Request { return register(fmt.Sprintf("curve-%d-%d", clients, client), i) })
		spent := (g.processor() - before) / time.Duration(max(len(o.accepted), 1))
		fmt.Printf("%3d at once: %4.0f/s, p50 %s, p99 %s, %d refused, %s of processor time each\n",
			clients, o.rate(), quantile(o.accepted, 0.5), quantile(o.accepted, 0.99), len(o.refused), spent.Round(10*time.Microsecond))
	}
	return nil
}
