// Command drive measures how a gateway bears load: it builds and starts one
// with an embedded network on a directory of its own, asks it over HTTP, and
// prints figures. Load generator and gateway share the machine.
//
//	go run ./test/load/drive contention   100 clients on one merchant; 100 clients on 10,000, by Zipf's law
//	go run ./test/load/drive curve        1, 2, 4 … 256 clients that each wait for their write
//	go run ./test/load/drive profile      where the processor's time goes, for writes and under a flood of them
//	go run ./test/load/drive shares FILE  the same of a profile that a benchmark made
//	go run ./test/load/drive overload     ten times the sustainable load of writes, and of reads
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
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
	program  string        // the gateway; empty: the one of this source
	crowds   []int         // numbers of clients of the curve
	only     string        // kind of requests of the overload; empty: all
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
	measurements := map[string]func(context.Context, *target, settings) error{"contention": contention, "curve": curve, "overload": overload, "profile": profiled}
	if len(args) > 0 && args[0] == "shares" {
		return sharesOf(args[1:])
	}
	if len(args) == 0 || measurements[args[0]] == nil {
		return errors.New("usage: drive contention|curve|overload|profile [flags], or: drive shares FILE …")
	}
	s := settings{crowds: []int{1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256}}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.IntVar(&s.clients, "clients", 100, "clients at once")
	flags.IntVar(&s.objects, "objects", 10_000, "merchants over which Zipf's law chooses")
	flags.IntVar(&s.each, "each", 20, "requests of each client, for contention")
	flags.DurationVar(&s.duration, "duration", 10*time.Second, "of one measurement")
	flags.Float64Var(&s.factor, "factor", 10, "how many times the sustainable load")
	flags.StringVar(&s.memory, "memory", "512MiB", "GOMEMLIMIT of the gateway")
	flags.StringVar(&s.program, "program", "", "a gateway that is built already, to compare")
	flags.StringVar(&s.only, "only", "", "writes or reads, for overload; both if empty")
	flags.Func("at", "numbers of clients of the curve, with commas", func(list string) error {
		s.crowds = nil
		for number := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(number)
			if err != nil {
				return err
			}
			s.crowds = append(s.crowds, n)
		}
		return nil
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	g, err := startTarget(ctx, s)
	if err != nil {
		return err
	}
	defer g.stop()
	return measurements[args[0]](ctx, g, s)
}
