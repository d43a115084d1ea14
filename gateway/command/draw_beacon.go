package command

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/relay"
)

// chooseBeacon picks the beacon that the plan pins: the one named, or else the
// gateway's development beacon.
func (r *drawRunning) chooseBeacon(ctx context.Context) error {
	var known struct {
		Items []struct {
			Kind   string              `json:"kind"`
			Notice string              `json:"notice"`
			Chain  metrology.DrawChain `json:"chain"`
		} `json:"items"`
	}
	if err := r.get(ctx, "/v1/beacons", &known); err != nil {
		return fmt.Errorf("find a beacon: %w", err)
	}
	for _, beacon := range known.Items {
		if beacon.Chain.ChainHash == r.beacon || r.beacon == "" && beacon.Kind == "development" {
			if beacon.Notice != "" {
				r.say("%s", beacon.Notice)
			}
			r.chain = beacon.Chain
			return nil
		}
	}
	if r.beacon == "" {
		return fmt.Errorf("find a beacon: this gateway runs no development beacon; name one of its /v1/beacons with --beacon")
	}
	return fmt.Errorf("find a beacon: this gateway knows none with chain hash %s", r.beacon)
}

// bringSettings are the flags of `draw beacon`.
type bringSettings struct {
	server string
	relays []string
}

func drawBeacon() *cobra.Command {
	var s bringSettings
	cmd := &cobra.Command{
		Use:   "beacon DRAW [SIGNATURE]",
		Short: "Bring the beacon's round to a draw that waits for it",
		Long: "Bring the signature of the round that a draw waits for: the one given, in hex,\n" +
			"or else one fetched from the relays named. It is verified with the key that the\n" +
			"draw's plan pins before it is sent, and by the ledger again. Anybody may do it;\n" +
			"no token is needed.",
		Args:         cobra.RangeArgs(1, 2),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			signature := ""
			if len(args) == 2 {
				signature = args[1]
			}
			return s.run(cmd.Context(), args[0], signature, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.server, "server", "http://localhost:8080", "address of a gateway")
	flags.StringSliceVar(&s.relays, "relay", []string{"https://api.drand.sh", "https://drand.cloudflare.com"}, "address of a drand relay; may be repeated, asked in order")
	return cmd
}

func (s bringSettings) run(ctx context.Context, id, signature string, out io.Writer) error {
	client := &drawClient{server: strings.TrimSuffix(s.server, "/"), http: &http.Client{Timeout: time.Minute}}
	path := "/v1/draws/" + url.PathEscape(id)
	var state metrology.Draw
	if err := client.get(ctx, path, &state); err != nil {
		return fmt.Errorf("read draw %s: %w", id, err)
	}
	if state.Round < 1 {
		return fmt.Errorf("draw %s has no round yet: it is %s", id, state.Phase)
	}
	chain, err := draw.Pinned(state.Terms.Beacon)
	if err != nil {
		return fmt.Errorf("read draw %s: %w", id, err)
	}
	round, err := s.signature(ctx, chain, uint64(state.Round), signature)
	if err != nil {
		return err
	}
	if err := client.post(ctx, "", path+"/beacon", metrology.SeedDraw{ID: id, Signature: hex.EncodeToString(round)}); err != nil {
		return fmt.Errorf("bring round %d to draw %s: %w", state.Round, id, err)
	}
	_, err = fmt.Fprintf(out, "round %d of chain %s is on the ledger: %x\n", state.Round, chain.Hash(), round)
	return err
}

// signature takes the one given, or fetches it; either way it verifies.
func (s bringSettings) signature(ctx context.Context, chain draw.Chain, round uint64, given string) ([]byte, error) {
	if given == "" {
		relays, err := relay.New(s.relays)
		if err != nil {
			return nil, fmt.Errorf("--relay: %w", err)
		}
		return relays.Fetch(ctx, chain, round)
	}
	signature, err := hex.DecodeString(strings.ToLower(given))
	if err != nil {
		return nil, fmt.Errorf("the signature is not hex")
	}
	if _, err := chain.Verify(round, signature); err != nil {
		return nil, fmt.Errorf("the signature given: %w", err)
	}
	return signature, nil
}
