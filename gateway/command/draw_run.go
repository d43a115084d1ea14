package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// runSettings are the flags of `draw run`.
type runSettings struct {
	trust               string // file
	server, tokens, out string
	authority           string
	sites, inspectors   int
	byFile, mistaken    bool
	margin              int64 // seconds
	beacon              string
	sealed              bool
	openWithin          int64 // seconds after the round
	departments         int   // 0: the authority draws alone
	wait                time.Duration
}

func drawRun() *cobra.Command {
	var s runSettings
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a whole demonstration draw on a running network",
		Long: "File a draw over a synthetic register, have it approved and frozen with the\n" +
			"tokens of the posts concerned, watch the observers take it to its result, and\n" +
			"verify its transcript. Times are seconds and the beacon has one signer, so it\n" +
			"proves nothing about time or secrecy; plan and transcript say so.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.server, "server", "http://localhost:8080", "address of a gateway")
	flags.StringVar(&s.tokens, "token-file", "data/tokens.json", "its tokens: a JSON object from post to token")
	flags.StringVar(&s.out, "out", "", "where to write the transcript; default draw-<number>.json")
	flags.StringVar(&s.trust, "trust", "", "pinned trust file, to check the blocks too")
	flags.StringVar(&s.authority, "authority", "440300", "division code of the authority that files the draw")
	flags.IntVar(&s.sites, "sites", 500, "synthetic sites in the directory, at most 20000, with --by-file a million")
	flags.BoolVar(&s.byFile, "by-file", false, "let the objects stand in a file, as those of large draws do, and the result be posted by roots")
	flags.BoolVar(&s.mistaken, "mistaken", false, "with --by-file: post a list with one name swapped first, for the observers to refute")
	flags.IntVar(&s.inspectors, "inspectors", 30, "synthetic inspectors, at least 4")
	flags.Int64Var(&s.margin, "margin", 5, "seconds between two steps of the protocol")
	flags.StringVar(&s.beacon, "beacon", "", "chain hash of the beacon to pin, one of the gateway's /v1/beacons; default its development beacon")
	flags.BoolVar(&s.sealed, "sealed", false, "seal the result until the regulator or the notary opens it")
	flags.IntVar(&s.departments, "departments", 0, "draw jointly for so many departments, 2 to 4, each with two inspectors of its own at every site")
	flags.Int64Var(&s.openWithin, "open-within", 8, "seconds after the beacon's round by which a sealed draw is opened")
	flags.DurationVar(&s.wait, "wait", 5*time.Minute, "longest time to wait for the result")
	return cmd
}

// drawPosts are the posts whose tokens a run needs.
const (
	postRegulator   = "regulator"
	postInstitute   = "institute"
	postAssociation = "association"
	postNotary      = "notary"
)

// drawRunning is one run.
type drawRunning struct {
	runSettings
	*drawClient
	out   io.Writer
	start time.Time
	id    string
	chain metrology.DrawChain
	seal  draw.Digest                // zero: the draw is open
	file  *metrology.DrawObjectsFile // of the objects, with --by-file
	wrong bool                       // the mistaken list is posted
}

// most is how many sites a run can have.
func (s runSettings) most() int {
	if s.byFile {
		return 1_000_000
	}
	return metrology.MaxDrawObjects
}

func (s runSettings) run(ctx context.Context, out io.Writer) error {
	switch {
	case s.sites < 20 || s.sites > s.most():
		return fmt.Errorf("--sites: 20 to %d are possible", s.most())
	case s.mistaken && !s.byFile:
		return fmt.Errorf("--mistaken: only a result that is posted by roots can be; add --by-file")
	case s.inspectors < 4 || s.inspectors > metrology.MaxDrawInspectors:
		return fmt.Errorf("--inspectors: 4 to %d are possible", metrology.MaxDrawInspectors)
	case s.margin < 2:
		return fmt.Errorf("--margin: at least 2 seconds")
	case s.departments != 0 && (s.departments < 2 || s.departments > len(runDepartments)):
		return fmt.Errorf("--departments: 2 to %d are possible", len(runDepartments))
	case s.inspectors < 4*s.departments:
		return fmt.Errorf("--inspectors: %d departments need at least %d", s.departments, 4*s.departments)
	case s.sealed && s.openWithin < 1:
		return fmt.Errorf("--open-within: at least 1 second")
	}
	client, err := newDrawClient(s.server, s.tokens, postRegulator, postInstitute, postAssociation, postNotary)
	if err != nil {
		return err
	}
	r := &drawRunning{runSettings: s, drawClient: client, out: out, start: time.Now()}
	for _, step := range []func(context.Context) error{r.plan, r.fileLists, r.awaitEscrow, r.freeze, r.watch, r.verify} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// say prints one line of progress.
func (r *drawRunning) say(format string, args ...any) {
	fmt.Fprintf(r.out, "%6.1fs  %s\n", time.Since(r.start).Seconds(), fmt.Sprintf(format, args...))
}

// plan files the authority's next draw and has it approved by the notary.
func (r *drawRunning) plan(ctx context.Context) error {
	if err := r.chooseBeacon(ctx); err != nil {
		return err
	}
	number, err := r.nextNumber(ctx)
	if err != nil {
		return err
	}
	r.id = metrology.DrawID(r.authority, number)
	filing := metrology.PlanDraw{ID: r.id}
	if r.sealed {
		if filing.Escrow, err = r.sealPlan(ctx); err != nil {
			return err
		}
	}
	plan, err := json.Marshal(r.planDocument())
	if err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	parsed, err := draw.ParsePlan(plan)
	if err != nil {
		return fmt.Errorf("check plan: %w", err)
	}
	filing.Plan = plan
	if err := r.post(ctx, postRegulator, "/v1/draws", filing); err != nil {
		return fmt.Errorf("file draw %s: %w", r.id, err)
	}
	r.say("draw %s filed by the regulator, plan %s", r.id, parsed.Hash)
	if err := r.post(ctx, postNotary, r.path("/approval"), metrology.ApproveDraw{ID: r.id, Hash: parsed.Hash.String()}); err != nil {
		return fmt.Errorf("approve draw %s: %w", r.id, err)
	}
	r.say("plan approved by the notary")
	return nil
}

func (r *drawRunning) path(step string) string { return "/v1/draws/" + r.id + step }

func (r *drawRunning) nextNumber(ctx context.Context) (int, error) {
	number := 1
	for cursor := ""; ; {
		var page struct {
			Items []struct{} `json:"items"`
			Next  string     `json:"next"`
		}
		if err := r.get(ctx, "/v1/draws?limit=200&authority="+r.authority+"&cursor="+cursor, &page); err != nil {
			return 0, fmt.Errorf("count the authority's draws: %w", err)
		}
		number += len(page.Items)
		if cursor = page.Next; cursor == "" {
			return number, nil
		}
	}
}

// fileLists sends the directories, a thousand entries at a time, or the objects
// as one file.
func (r *drawRunning) fileLists(ctx context.Context) error {
	if r.byFile {
		if err := r.putObjects(ctx); err != nil {
			return fmt.Errorf("put the directory file of draw %s: %w", r.id, err)
		}
	}
	for _, chunk := range r.directories() {
		path := r.path(fmt.Sprintf("/directories/%s/%d", chunk.List, chunk.Chunk))
		if err := r.post(ctx, postRegulator, path, chunk.DrawChunk); err != nil {
			return fmt.Errorf("file %s of draw %s: %w", chunk.List, r.id, err)
		}
	}
	r.say("directories filed: %d sites, %d inspectors", r.sites, r.inspectors)
	return nil
}

// freeze freezes the directories; institute and association approve.
func (r *drawRunning) freeze(ctx context.Context) error {
	due := time.Now().Unix() + 5*r.margin
	round := (due-r.chain.GenesisTime)/r.chain.Period + 2
	request := metrology.FreezeDraw{ID: r.id, Round: round, Chunks: r.chunks(), File: r.file}
	if err := r.post(ctx, postRegulator, r.path("/freeze"), request); err != nil {
		return fmt.Errorf("freeze draw %s: %w", r.id, err)
	}
	var state metrology.Draw
	if err := r.get(ctx, r.path(""), &state); err != nil {
		return fmt.Errorf("read draw %s: %w", r.id, err)
	}
	r.say("frozen: F %s, round %d due in %d s", state.Freeze, state.Round, state.RoundTime-time.Now().Unix())
	for _, post := range []string{postInstitute, postAssociation} {
		if err := r.post(ctx, post, r.path("/freeze-approval"), metrology.ApproveDraw{ID: r.id, Hash: state.Freeze}); err != nil {
			return fmt.Errorf("approve the freeze as %s: %w", post, err)
		}
		r.say("freeze approved by the %s", post)
	}
	return nil
}

// watch tells each new step until the draw has ended.
func (r *drawRunning) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	seen, asked := 0, false
	for {
		var record struct {
			metrology.Draw
			History []struct {
				Event         string `json:"event"`
				Role          string `json:"role"`
				Block         uint64 `json:"block"`
				TransactionID string `json:"transactionId"`
			} `json:"history"`
		}
		if err := r.get(ctx, r.path(""), &record); err != nil {
			return fmt.Errorf("watch draw %s: %w", r.id, err)
		}
		for _, entry := range record.History[min(seen, len(record.History)):] {
			if told(entry.Event) {
				r.say("%-14s by %-12s block %d, transaction %.12s…", entry.Event[len("draw."):], entry.Role, entry.Block, entry.TransactionID)
			}
		}
		seen = len(record.History)
		if record.Phase == metrology.DrawSealed && !asked {
			asked = true
			if err := r.askWhileSealed(ctx); err != nil {
				return err
			}
		}
		switch record.Phase {
		case metrology.DrawSeeded:
			if r.mistaken && !r.wrong {
				if err := r.postMistake(ctx); err != nil {
					return fmt.Errorf("post a mistaken list of draw %s: %w", r.id, err)
				}
			}
		case metrology.DrawDrawn:
			if !r.wrong || record.Refuted > 0 {
				return nil
			}
		case metrology.DrawCancelled, metrology.DrawVoid, metrology.DrawInfeasible:
			return fmt.Errorf("draw %s ended as %s", r.id, record.Phase)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("draw %s is still %s: %w", r.id, record.Phase, ctx.Err())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// told says whether a step was not told before the watch began.
func told(event string) bool {
	switch metrology.EventType(event) {
	case metrology.EventDrawPlanned, metrology.EventDrawApproved, metrology.EventDrawEscrowAccepted, metrology.EventDrawDirectoryFiled, metrology.EventDrawFrozen, metrology.EventDrawFreezeApproved:
		return false
	}
	return true
}

// verify writes the transcript and checks it as `draw verify` does.
func (r *drawRunning) verify(ctx context.Context) error {
	transcript, err := r.raw(ctx, r.path("/transcript"))
	if err != nil {
		return fmt.Errorf("fetch transcript of draw %s: %w", r.id, err)
	}
	name := r.runSettings.out
	if name == "" {
		name = "draw-" + r.id + ".json"
	}
	if err := os.WriteFile(name, transcript, 0o644); err != nil {
		return fmt.Errorf("write transcript: %w", err)
	}
	if r.byFile {
		if err := r.saveObjects(name); err != nil {
			return err
		}
	}
	r.say("transcript written to %s; draw verify says:", name)
	return runVerify(name, r.trust, r.out)
}
