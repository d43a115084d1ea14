package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/directory"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// DirectoryAnswer accounts for the files that make the directories of a draw.
// It is for the regulator alone: the staff numbers in it are not public.
type DirectoryAnswer struct {
	Draw          string                     `json:"draw"`
	Filed         bool                       `json:"filed"`    // the lists are on the ledger now; freeze them with these chunks
	Complete      bool                       `json:"complete"` // no row is rejected, and the plan is feasible
	Accounts      []directory.Reconciliation `json:"accounts"` // for each source: read = taken + excluded + rejected
	Preview       public.DrawPreview         `json:"preview"`
	Chunks        metrology.DrawChunks       `json:"chunks"`
	Inspectors    []directory.Staff          `json:"inspectors"` // who is behind each id of this draw
	UnusedColumns []UnusedColumns            `json:"unusedColumns,omitempty"`
}

// UnusedColumns are columns of a source of which nothing was read.
type UnusedColumns struct {
	Source  string   `json:"source"`
	Columns []string `json:"columns"`
}

// directoryKinds are the files, in the order in which they are read.
var directoryKinds = []string{intake.DrawObjects, intake.DrawExclusions, intake.DrawInspectors, intake.DrawIneligible, intake.DrawLeave}

// directoryQuery says how the files are read, and which places of the ledger's
// register are listed beside theirs.
type directoryQuery struct {
	system string
	region string            // division code; empty: none of the register
	kinds  []string          // of the register's sites; empty: all
	strata map[string]string // what file or register says → opaque label
	cutoff metrology.Date    // sites registered later are too new; empty: none is
	day    metrology.Date    // first of the visits, or today; visits of its year count towards the cap
	ghosts bool              // places need not be in the register
	dryRun bool
}

// compileDirectories turns files and register into lists and holds them against
// the plan.
func (s *Server) compileDirectories(ctx context.Context, id string, q directoryQuery, sources directory.Sources) (directory.Directories, DirectoryAnswer, error) {
	answer := DirectoryAnswer{Draw: id}
	record, err := s.register.Draw(ctx, id)
	if err != nil {
		return directory.Directories{}, answer, err
	}
	rules := directory.Rules{
		Strata: q.strata,
		InspectorID: func(staff string) string {
			return s.secret.newID(Principal{Label: "draw/" + id}, staff, "I-")
		},
		Holder: func(inspector, post string) string {
			return public.Holder(id, inspector, post, s.secret.holderSalt(id, inspector))
		},
	}
	days, err := record.VisitDays()
	if err != nil {
		return directory.Directories{}, answer, err
	}
	q.day = s.today()
	if days != nil {
		rules.Visits, q.day = (*directory.Visits)(days), days.From
	}
	if !q.ghosts {
		rules.Place = func(place string) error { return s.checkPlace(ctx, place, q.day) }
	}
	if q.region != "" {
		if rules.Register, err = s.registerPlaces(ctx, q, rules); err != nil {
			return directory.Directories{}, answer, err
		}
	}
	made := directory.Compile(sources, rules)
	answer.Accounts, answer.Inspectors = made.Accounts, append([]directory.Staff{}, made.Staff...)
	answer.Preview, err = public.DrawDirectories{Record: record, DrawChunk: made.DrawChunk}.Preview()
	answer.Complete = made.Rejected() == 0 && answer.Preview.Infeasible == ""
	return made, answer, err
}

// checkPlace refuses a place that the register does not hold, that is closed, or
// that visits of the day's year have brought to the cap of its region.
func (s *Server) checkPlace(ctx context.Context, id string, day metrology.Date) error {
	site, err := s.register.Site(ctx, id)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		return metrology.FieldErrorf(metrology.CodeNotFound, "id", "there is no site %q in the register", id)
	}
	if err != nil {
		return err
	}
	if site.State == metrology.SiteClosed {
		return metrology.FieldErrorf(metrology.CodeState, "id", "site %q is closed; exclude it with that reason", id)
	}
	counts, err := s.register.CountVisits(ctx, []public.Site{site}, day)
	if err != nil {
		return err
	}
	if visits, capped := counts[id]; capped && visits.Full() {
		return metrology.FieldErrorf(metrology.CodeState, "id", "site %q has %d visits recorded and %d reserved in %d, and %s caps them at %d; exclude it as %s",
			id, visits.Recorded, visits.Reserved, visits.Year, visits.Rule.EventID(), visits.Cap, metrology.ExcludedVisitCap)
	}
	return nil
}

// registerPlaces lists the register's sites of a region and of some kinds. What
// the register itself knows against one, it is excluded for.
func (s *Server) registerPlaces(ctx context.Context, q directoryQuery, rules directory.Rules) ([]directory.Place, error) {
	var places []directory.Place
	filter := public.SiteFilter{Region: q.region, PageRequest: public.PageRequest{Limit: public.MaxLimit}}
	for {
		page, err := s.register.Sites(ctx, filter)
		if err != nil {
			return nil, err
		}
		counts, err := s.register.CountVisits(ctx, page.Items, q.day)
		if err != nil {
			return nil, err
		}
		for _, site := range page.Items {
			if len(q.kinds) > 0 && !slices.Contains(q.kinds, string(site.Kind)) {
				continue
			}
			place := directory.Place{ID: site.ID, Exclusion: exclusionOf(site, q.cutoff, counts[site.ID])}
			if place.Exclusion == "" {
				if place.Stratum, err = rules.Label(string(site.Kind)); err != nil {
					return nil, err
				}
			}
			places = append(places, place)
		}
		if len(places) > metrology.MaxDrawObjects+metrology.MaxDrawExclusions {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, "region", "holds more places than a directory on the ledger")
		}
		if filter.Cursor = page.Next; page.Next == "" {
			return places, nil
		}
	}
}

// exclusionOf holds a site against what the register knows. visits is zero where
// no rule caps them.
func exclusionOf(site public.Site, cutoff metrology.Date, visits public.SiteVisits) metrology.ExclusionReason {
	switch {
	case site.State == metrology.SiteClosed:
		return metrology.ExcludedClosed
	case cutoff != "" && len(site.Registered) >= 10 && cutoff.Before(metrology.Date(site.Registered[:10])):
		return metrology.ExcludedTooNewHere
	case visits.Cap > 0 && visits.Full():
		return metrology.ExcludedVisitCap
	}
	return ""
}

// chunksAtOnce is how many chunks are under way at a time.
const chunksAtOnce = 8

// fileDirectories sends the lists to the ledger. Each call files anew: what an
// earlier one filed is replaced.
func (s *Server) fileDirectories(ctx context.Context, who Principal, key, id string, lists metrology.DrawChunk) (metrology.DrawChunks, error) {
	var requests []metrology.FileDrawDirectory
	add := func(list string, size int, part func(from, to int) metrology.DrawChunk) int {
		chunks := (size + metrology.MaxDrawChunk - 1) / metrology.MaxDrawChunk
		for i := range chunks {
			from := i * metrology.MaxDrawChunk
			requests = append(requests, metrology.FileDrawDirectory{
				ID: id, List: list, Chunk: i, DrawChunk: part(from, min(from+metrology.MaxDrawChunk, size)),
			})
		}
		return chunks
	}
	chunks := metrology.DrawChunks{
		Objects: add(metrology.DrawPartObjects, len(lists.Objects), func(from, to int) metrology.DrawChunk {
			return metrology.DrawChunk{Objects: lists.Objects[from:to]}
		}),
		Inspectors: add(metrology.DrawPartInspectors, len(lists.Inspectors), func(from, to int) metrology.DrawChunk {
			return metrology.DrawChunk{Inspectors: lists.Inspectors[from:to]}
		}),
		Ineligible: add(metrology.DrawPartIneligible, len(lists.Ineligible), func(from, to int) metrology.DrawChunk {
			return metrology.DrawChunk{Ineligible: lists.Ineligible[from:to]}
		}),
		Exclusions: add(metrology.DrawPartExclusions, len(lists.Exclusions), func(from, to int) metrology.DrawChunk {
			return metrology.DrawChunk{Exclusions: lists.Exclusions[from:to]}
		}),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(chunksAtOnce)
	for _, request := range requests {
		group.Go(func() error { return s.fileChunk(ctx, who, key, request) })
	}
	return chunks, group.Wait()
}

func (s *Server) fileChunk(ctx context.Context, who Principal, key string, chunk metrology.FileDrawDirectory) error {
	request, err := json.Marshal(chunk, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	receipt, err := s.writer.Submit(ctx, who, fmt.Sprintf("%s/%s/%d", key, chunk.List, chunk.Chunk), Call{Function: "draw:Directory", Request: request})
	if err == nil && !receipt.Committed {
		err = &Fault{Kind: FaultUnavailable, RetryAfter: retryUnknown, Err: fmt.Errorf("the fate of %s, chunk %d, is not known yet", chunk.List, chunk.Chunk)}
	}
	return err
}
