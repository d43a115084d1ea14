// Command drive measures how a gateway bears load: it builds and starts one
// with an embedded network on a directory of its own, asks it over HTTP, and
// prints figures. Load generator and gateway share the machine.
//
//	go run ./test/load/drive contention   100 clients on one merchant; 100 clients on 10,000, by Zipf's law
//	go run ./test/load/drive overload     ten times the sustainable load of writes, and of reads
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// settings are what the flags set.
type settings struct {
	clients  int           // that ask at once, each one request at a time
	objects  int           // merchants over which Zipf's law chooses
	each     int           // requests of a client
	duration time.Duration // of one measurement
	factor   float64       // overload, in sustainable loads
	memory   string        // GOMEMLIMIT of the gateway
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	measurements := map[string]func(context.Context, *target, settings) error{"contention": contention, "overload": overload}
	if len(args) == 0 || measurements[args[0]] == nil {
		return errors.New("usage: drive contention|overload [flags]")
	}
	var s settings
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.IntVar(&s.clients, "clients", 100, "clients at once")
	flags.IntVar(&s.objects, "objects", 10_000, "merchants over which Zipf's law chooses")
	flags.IntVar(&s.each, "each", 20, "requests of each client, for contention")
	flags.DurationVar(&s.duration, "duration", 10*time.Second, "of one measurement")
	flags.Float64Var(&s.factor, "factor", 10, "how many times the sustainable load")
	flags.StringVar(&s.memory, "memory", "512MiB", "GOMEMLIMIT of the gateway")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	g, err := startTarget(ctx, s.memory)
	if err != nil {
		return err
	}
	defer g.stop()
	return measurements[args[0]](ctx, g, s)
}
