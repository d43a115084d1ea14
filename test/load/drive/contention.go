package main

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/steelyard-ledger/steelyard/gateway/readmodel" // links the driver of its file

	"github.com/steelyard-ledger/steelyard/test/load/wire"
)

// contention lets many clients change the same merchants, and counts on the
// ledger what they were told.
func contention(ctx context.Context, g *target, s settings) error {
	fmt.Printf("registering %d merchants\n", s.objects)
	if err := g.registerAll(ctx, s); err != nil {
		return err
	}
	acknowledged := 0
	for _, round := range []struct {
		name   string
		choose func(*rand.Rand) int
	}{
		{"one merchant", func(*rand.Rand) int { return 0 }},
		{fmt.Sprintf("%d merchants by Zipf's law", s.objects), zipf(s.objects)},
	} {
		done, err := g.amendAll(ctx, s, round.name, round.choose)
		if err != nil {
			return err
		}
		acknowledged += done
	}
	if err := g.end(); err != nil {
		return err
	}
	stand, err := g.amendments()
	if err != nil {
		return err
	}
	fmt.Printf("%d amendments acknowledged, %d stand on the ledger\n", acknowledged, stand)
	if stand != acknowledged {
		return fmt.Errorf("%d amendments lost or doubled", stand-acknowledged)
	}
	return nil
}

// zipf chooses the k-th of n with a chance that falls as 1/k.
func zipf(n int) func(*rand.Rand) int {
	total := math.Log(float64(n) + 1)
	return func(random *rand.Rand) int { return min(int(math.Exp(random.Float64()*total)), n) - 1 }
}

func name(i int) string { return fmt.Sprintf("M-%d", i) }

// until sends a request until it is answered for good, as it is told to wait.
func until(ctx context.Context, w *wire.Conn, encoded []byte) error {
	for {
		switch a := w.Send(ctx, encoded); {
		case a.Status == http.StatusCreated:
			return nil
		case a.Status == 0 || a.Status == http.StatusAccepted || a.RetryAfter > 0:
			time.Sleep(max(a.RetryAfter, 100*time.Millisecond))
		default:
			return fmt.Errorf("answered with %d", a.Status)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// many runs work of so many clients and returns the first error.
func many(clients int, work func(client int) error) (err error) {
	var group sync.WaitGroup
	var once sync.Once
	for client := range clients {
		group.Go(func() {
			if failed := work(client); failed != nil {
				once.Do(func() { err = failed })
			}
		})
	}
	group.Wait()
	return err
}

func (g *target) registerAll(ctx context.Context, s settings) error {
	return many(s.clients, func(client int) error {
		w := wire.New(g.address)
		defer w.Close()
		for i := client; i < s.objects; i += s.clients {
			body := `{"id":"` + name(i) + `","kind":"stall","sector":"shop","region":"310115","profile":{"name":"x"}}`
			if err := until(ctx, w, g.encode(post("/v1/merchants", body, "register-"+name(i)))); err != nil {
				return err
			}
		}
		return nil
	})
}

// amendAll prints what the clients of one round met and returns how many
// amendments they were told of.
func (g *target) amendAll(ctx context.Context, s settings, round string, choose func(*rand.Rand) int) (done int, err error) {
	before, err := g.metrics(ctx)
	if err != nil {
		return 0, err
	}
	o := &outcome{}
	begun := time.Now()
	err = many(s.clients, func(client int) error {
		w := wire.New(g.address)
		defer w.Close()
		random := rand.New(rand.NewPCG(1, uint64(client)))
		for i := range s.each {
			sent := time.Now()
			r := post("/v1/merchants/"+name(choose(random))+"/amendment", `{"sector":"catering","region":"310115"}`, fmt.Sprintf("%s-%d-%d", round, client, i))
			if err := until(ctx, w, g.encode(r)); err != nil {
				return err
			}
			o.add(sent, sent, wire.Answer{Status: http.StatusCreated})
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	o.took = time.Since(begun)
	after, err := g.metrics(ctx)
	if err != nil {
		return 0, err
	}
	grown := func(metric string) float64 { return after[metric] - before[metric] }
	committed := grown(`steelyard_submissions_total{outcome="committed"}`)
	fmt.Printf("%d clients on %s: %d amendments, %.0f/s, p50 %s, p99 %s; per operation %.3f conflicts on the ledger, %.2f executions anew after waiting, %.2f requests refused\n",
		s.clients, round, len(o.accepted), o.rate(), quantile(o.accepted, 0.5), quantile(o.accepted, 0.99),
		grown(`steelyard_submission_retries_total{reason="conflict"}`)/committed, grown(`steelyard_submission_retries_total{reason="wait"}`)/committed,
		grown(`steelyard_requests_refused_total{class="write"}`)/committed)
	return len(o.accepted), nil
}

// amendments counts them in the read model of the gateway, which has ended.
func (g *target) amendments() (count int, err error) {
	db, err := sql.Open("sqlite", filepath.Join(g.data(), "readmodel.db"))
	if err != nil {
		return 0, err
	}
	defer db.Close() //nolint:errcheck // it was only read
	err = db.QueryRow(`SELECT count(*) FROM history WHERE event = 'merchant.amended'`).Scan(&count)
	return count, err
}
