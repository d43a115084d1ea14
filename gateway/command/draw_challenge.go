package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// challengeSettings are the flags of `draw challenge`.
type challengeSettings struct {
	server, tokens, post string
	dry                  bool
}

func drawChallenge() *cobra.Command {
	var s challengeSettings
	cmd := &cobra.Command{
		Use:   "challenge DRAW",
		Short: "Recompute a large draw and refute its posted result if it is wrong",
		Long: "Fetch the transcript and the directory file of a draw whose result was posted by\n" +
			"its roots, recompute it here, and compare. A posting that is wrong is refuted on\n" +
			"the ledger with a leaf, its path and its ticket, which voids it. Exits with 1 if\n" +
			"it is wrong and --dry-run was given, or if it cannot be refuted.",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.server, "server", "http://localhost:8080", "address of a gateway")
	flags.StringVar(&s.tokens, "token-file", "data/tokens.json", "its tokens: a JSON object from post to token")
	flags.StringVar(&s.post, "as", postNotary, "post whose token submits the challenge")
	flags.BoolVar(&s.dry, "dry-run", false, "print the challenge and do not submit it; needs no token")
	return cmd
}

func (s challengeSettings) run(ctx context.Context, id string, out io.Writer) error {
	client := newReader(s.server)
	if !s.dry {
		var err error
		if client, err = newDrawClient(s.server, s.tokens, s.post); err != nil {
			return err
		}
	}
	one := "/v1/draws/" + id
	var record metrology.Draw
	if err := client.get(ctx, one, &record); err != nil {
		return fmt.Errorf("read draw %s: %w", id, err)
	}
	challenge, err := client.findChallenge(ctx, one)
	if err != nil {
		return fmt.Errorf("check the posted result of draw %s: %w", id, err)
	}
	if challenge == nil {
		_, err := fmt.Fprintf(out, "draw %s: the posted result is what the draw gives; there is nothing to challenge\n", id)
		return err
	}
	encoded, err := json.Marshal(challenge)
	if err != nil {
		return fmt.Errorf("encode challenge: %w", err)
	}
	fmt.Fprintf(out, "draw %s: posting %d is WRONG: %s %s %s\n", id, record.Refuted+1, challenge.Kind, challenge.Stratum, challenge.Object())
	if s.dry {
		fmt.Fprintf(out, "%s\n", encoded)
		return &drawError{exitRefused, errors.New("the posted result is wrong")}
	}
	request := metrology.ChallengeDraw{ID: id, Number: record.Refuted + 1, Challenge: encoded}
	if err := client.post(ctx, s.post, one+"/challenge", request); err != nil {
		return fmt.Errorf("submit challenge: %w", err)
	}
	fmt.Fprintf(out, "draw %s: posting %d is refuted on the ledger and void\n", id, request.Number)
	return nil
}

// findChallenge recomputes a draw from what a gateway shows, checked by roots.
func (c *drawClient) findChallenge(ctx context.Context, one string) (*draw.Challenge, error) {
	raw, err := c.raw(ctx, one+"/transcript")
	if err != nil {
		return nil, err
	}
	transcript, err := draw.ParseTranscript(raw)
	if err != nil {
		return nil, err
	}
	if transcript.Posting == nil || transcript.Freeze == nil {
		return nil, errors.New("no result of this draw is posted by roots")
	}
	dir, done, err := c.directory(ctx, transcript.Freeze.Directories.ObjectsRoot.String())
	if err != nil {
		return nil, err
	}
	defer done()
	own, disputed, err := transcript.Outcome(draw.Serially(dir))
	if err != nil {
		return nil, err
	}
	listed := own.Drawn
	if root := disputed.Posting.AssignmentsRoot; root != own.Posting.AssignmentsRoot {
		file, err := c.raw(ctx, "/v1/draw-files/"+root.String())
		if err != nil {
			return nil, fmt.Errorf("it differs from the draw, and its lists are not to be had: %w", err)
		}
		if listed, err = draw.ReadDrawn(bytes.NewReader(file), len(file)); err != nil {
			return nil, err
		}
	}
	return draw.FindChallenge(own, disputed, listed, dir)
}

// directory downloads a directory file. Recomputing its root tells whether it
// is the right one. done removes it.
func (c *drawClient) directory(ctx context.Context, root string) (dir draw.CSV, done func(), err error) {
	file, err := os.CreateTemp("", "draw-*.csv")
	if err != nil {
		return dir, nil, err
	}
	done = func() { os.Remove(file.Name()) }
	err = errors.Join(c.download(ctx, "/v1/draw-files/"+root, file), file.Close())
	if err != nil {
		done()
		return dir, nil, fmt.Errorf("fetch the directory file: %w", err)
	}
	return draw.CSV{Open: func() (io.ReadCloser, error) { return os.Open(file.Name()) }}, done, nil
}
