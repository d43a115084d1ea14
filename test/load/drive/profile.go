package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

// profiled measures writes of as many clients as find the sustainable rate, and then the flood, each with a
// profile of the gateway's processor time.
func profiled(ctx context.Context, g *target, s settings) error {
	writes := func(client, i int) wire.Request { return register(fmt.Sprint("profile-", client), i) }
	closed(ctx, g, trial, time.Second, func(client, i int) wire.Request { return register(fmt.Sprint("warm-", client), i) })
	rate := 0.0
	for _, run := range []struct {
		name string
		load func() *outcome
	}{
		{fmt.Sprintf("writes of %d clients", trial), func() *outcome { return closed(ctx, g, trial, s.duration, writes) }},
		{fmt.Sprintf("writes at %.0f times that rate", s.factor), func() *outcome {
			return open(ctx, g, s.factor*rate, s.duration, func(i int) wire.Request { return register("flood", i) })
		}},
	} {
		before := g.processor()
		found := make(chan error, 1)
		var p *profile.Profile
		go func() {
			var err error
			p, err = g.profile(ctx, s.duration)
			found <- err
		}()
		o := run.load()
		if err := <-found; err != nil {
			return err
		}
		rate = o.rate()
		fmt.Printf("%s: %s; %s of the gateway's processor time for each\n", run.name, o, ((g.processor() - before) / time.Duration(max(len(o.accepted), 1))).Round(time.Microsecond))
		tellShares(p)
	}
	return nil
}

// profile asks the gateway for its next seconds.
func (g *target) profile(ctx context.Context, during time.Duration) (*profile.Profile, error) {
	address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", g.profiles, int(during.Seconds()))
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	got, err := g.client.Do(asked)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close() //nolint:errcheck // read to its end
	if got.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(got.Body)
		return nil, fmt.Errorf("profile: %s: %s", got.Status, said)
	}
	return profile.Parse(got.Body)
}

// sharesOf prints the shares of profiles in files.
func sharesOf(files []string) error {
	if len(files) == 0 {
		return errors.New("usage: drive shares FILE …")
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		p, err := profile.Parse(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(name + ":")
		tellShares(p)
	}
	return nil
}

// parts are what processor time is told by before anything else: wherever a
// function with such a name was at work, and whoever called it.
var parts = []struct {
	name    string
	whereIn []string
}{
	{"garbage collection", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge"}},
	{"signing", []string{"crypto/ecdsa.Sign", "crypto/ecdsa.(*PrivateKey).Sign"}},
	{"checking signatures", []string{"crypto/ecdsa.Verify"}},
	{"TLS", []string{"crypto/tls."}},
}

const ours = "github.com/steelyard-ledger/steelyard/"

// part is where a sample belongs: to one of the parts, or to the package of
// ours that was nearest to the processor, or to a library, or to Go itself.
func part(sample *profile.Sample) string {
	var functions []string // from the processor outwards
	for _, location := range sample.Location {
		for _, line := range location.Line {
			functions = append(functions, line.Function.Name)
		}
	}
	for _, p := range parts {
		if slices.ContainsFunc(functions, func(f string) bool {
			return slices.ContainsFunc(p.whereIn, func(prefix string) bool { return strings.HasPrefix(f, prefix) })
		}) {
			return p.name
		}
	}
	for _, f := range functions {
		if rest, is := strings.CutPrefix(f, ours); is {
			path, _, _ := strings.Cut(rest, ".")
			return path
		}
	}
	for _, library := range []string{"google.golang.org/grpc", "net/http"} {
		if slices.ContainsFunc(functions, func(f string) bool { return strings.HasPrefix(f, library) }) {
			return library
		}
	}
	return "Go's scheduler and the rest"
}

// tellShares prints the parts that take the most.
func tellShares(p *profile.Profile) {
	spent, total := map[string]int64{}, int64(0)
	for _, sample := range p.Sample {
		value := sample.Value[len(sample.Value)-1] // nanoseconds
		spent[part(sample)] += value
		total += value
	}
	names := slices.SortedFunc(maps.Keys(spent), func(a, b string) int { return cmp.Compare(spent[b], spent[a]) })
	for _, name := range names {
		if share := float64(spent[name]) / float64(max(total, 1)); share >= 0.005 {
			fmt.Printf("  %5.1f %%  %s\n", 100*share, name)
		}
	}
}
