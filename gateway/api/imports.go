package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// importKind is what the rows of a file become: the same transactions as on
// the single route.
type importKind struct {
	route  string // of the single one, whose transaction is used
	prefix string // of the ids made
	found  func(s *Server, ctx context.Context, id string) error
	second func(members map[string]jsontext.Value) bool // rows that refer to others of the same file; nil: none does
}

// importKinds lists the kinds of POST /v1/imports/{kind}.
var importKinds = map[string]importKind{
	"merchants": {route: "/v1/merchants", prefix: "M-", found: func(s *Server, ctx context.Context, id string) error {
		_, err := s.register.Merchant(ctx, id, s.today())
		return err
	}},
	"sites": {route: "/v1/sites", prefix: "S-", found: func(s *Server, ctx context.Context, id string) error {
		_, err := s.register.Site(ctx, id)
		return err
	}, second: func(members map[string]jsontext.Value) bool { return members["parent"] != nil }},
	"instruments": {route: "/v1/instruments", prefix: "I-", found: func(s *Server, ctx context.Context, id string) error {
		_, err := s.register.Instrument(ctx, id, s.today())
		return err
	}},
}

func (s *Server) mountImports(e *echo.Echo) { e.POST("/v1/imports/:kind", s.importRows) }

// importRows answers POST /v1/imports/{kind}: each row of the file becomes a
// transaction. Ids on the ledger follow from the system's name and its own
// ids, so that the same file sent again adds only what is new, and rows can
// refer to what another file of the same system brought.
func (s *Server) importRows(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	name := pathParameter(c)("kind")
	kind, known := importKinds[name]
	if !known {
		return metrology.FieldErrorf(metrology.CodeNotFound, "kind", "there is no import of %q", name)
	}
	if err := checkQuery(c, "system", "mapping", "sheet"); err != nil {
		return err
	}
	system := c.QueryParam("system")
	if system == "" {
		system = who.MSP
	}
	if err := metrology.CheckID("system", system); err != nil {
		return err
	}
	run := &importing{Server: s, who: who, kind: kind, name: name, system: system}
	records, unused, err := s.records(c, name, run.idOf)
	if err != nil {
		return err
	}
	run.route = singleRoute(kind.route)
	lines, err := run.all(c.Request().Context(), records)
	if err != nil {
		return err
	}
	return answerFile(c, lines, unused)
}

// singleRoute finds the route that registers one.
func singleRoute(path string) writeRoute {
	routes := writeRoutes()
	return routes[slices.IndexFunc(routes, func(r writeRoute) bool { return r.Path == path })]
}

// importing is one file of merchants, sites or instruments at work.
type importing struct {
	*Server
	who    Principal
	kind   importKind
	name   string // of the kind
	system string // name of the system the file comes from; none named: the organisation
	route  writeRoute

	stopped atomic.Pointer[Fault] // why no more rows are sent
	sent    atomic.Bool
	done    atomic.Int64 // rows
}

// idOf derives the id on the ledger from the system's own id. It is the same
// for everybody who imports from this system at this gateway, and nobody else
// can compute it.
func (r *importing) idOf(kind, source string) string {
	if source == "" {
		return ""
	}
	return r.secret.newID(r.namespace(), kind+"/"+source, importKinds[kind].prefix)
}

func (r *importing) namespace() Principal { return Principal{Label: "system/" + r.system} }

// saltKey stands for a row in the derivation of its salts.
func (r *importing) saltKey(source string) string {
	return "import-" + hex.EncodeToString(r.secret.derive(r.namespace(), r.name+"/"+source, "import")[:16])
}

// rowKey is the idempotency key of a row: a row sent again is the same
// operation, one mended after a refusal is another. That it cannot be
// registered twice all the same follows from its id.
func rowKey(saltKey string, call Call) string {
	sum := sha256.New()
	sum.Write(call.Request)
	for _, member := range slices.Sorted(maps.Keys(call.Transient)) {
		fmt.Fprintf(sum, "\n%s %d\n", member, len(call.Transient[member]))
		sum.Write(call.Transient[member])
	}
	return saltKey + "-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// rowsAtOnce is how many rows of one file are under way at a time.
const rowsAtOnce = 32

// row is a record that is fit to be sent.
type row struct {
	record  intake.Record
	members map[string]jsontext.Value
	line    *FileLine
}

// all imports the records, those that others may refer to first. The error is
// that of the ledger's network if nothing at all could be sent.
func (r *importing) all(ctx context.Context, records []intake.Record) ([]FileLine, error) {
	lines := make([]FileLine, len(records))
	waves := [2][]row{}
	seen := make(map[string]int)
	for i, record := range records {
		line := &lines[i]
		line.Line, line.Source = record.Line, record.Source
		members, err := r.membersOf(record, seen)
		switch {
		case record.Fault != nil:
			line.reject(record.Fault)
		case err != nil:
			line.rejectRule(record, err)
		case r.kind.second != nil && r.kind.second(members):
			waves[1] = append(waves[1], row{record, members, line})
		default:
			waves[0] = append(waves[0], row{record, members, line})
		}
	}
	for _, wave := range waves {
		group := errgroup.Group{}
		group.SetLimit(rowsAtOnce)
		for _, row := range wave {
			group.Go(func() error {
				defer func() { progress(ctx, int(r.done.Add(1)), len(records)) }()
				return r.one(ctx, row)
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
	}
	if fault := r.stopped.Load(); fault != nil && !r.sent.Load() {
		return nil, fault
	}
	return lines, nil
}

// membersOf reads a record and gives it its id. seen holds the line of each
// source id met.
func (r *importing) membersOf(record intake.Record, seen map[string]int) (map[string]jsontext.Value, error) {
	if record.Fault != nil {
		return nil, nil
	}
	if err := metrology.CheckText("source", record.Source, maxSourceID); err != nil {
		return nil, err
	}
	if earlier, twice := seen[record.Source]; twice {
		return nil, metrology.FieldErrorf(metrology.CodeConflict, "source", "%q stands in line %d too", record.Source, earlier)
	}
	seen[record.Source] = record.Line
	var members map[string]jsontext.Value
	if err := json.Unmarshal(record.Members, &members); err != nil {
		return nil, err
	}
	if _, given := members["id"]; given {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "id", "follows from the source's own id and cannot be given")
	}
	members["id"] = quoted(r.idOf(r.name, record.Source))
	return members, nil
}

// maxSourceID bounds a source's own id, in bytes.
const maxSourceID = 128

// one imports a row and notes what became of it. An error ends the import.
func (r *importing) one(ctx context.Context, row row) error {
	saltKey := r.saltKey(row.record.Source)
	call, id, err := r.compose(r.route, r.who, saltKey, row.members)
	if err != nil {
		row.line.rejectRule(row.record, err)
		return nil
	}
	before := r.kind.found(r.Server, ctx, id)
	if before != nil && metrology.ErrorCode(before) != metrology.CodeNotFound && ctx.Err() == nil {
		return before
	}
	if r.stopped.Load() != nil || ctx.Err() != nil {
		row.line.Outcome = LineNotSent
		return nil
	}
	receipt, err := r.patiently(ctx, rowKey(saltKey, call), call)
	if err == nil {
		r.sent.Store(true)
		row.line.note(receipt, id, before == nil)
		return nil
	}
	var fault *Fault
	var rule *metrology.Error
	switch {
	case errors.As(err, &fault):
		r.stopped.CompareAndSwap(nil, fault)
		row.line.Outcome = LineNotSent
	case ctx.Err() != nil:
		row.line.Outcome = LineNotSent
	case errors.As(err, &rule) && rule.Code != metrology.CodeInternal:
		r.sent.Store(true)
		row.line.rejectRule(row.record, told(rule, before == nil))
	default:
		return err
	}
	return nil
}

// note tells a receipt. before says that the thing was there already.
func (l *FileLine) note(receipt Receipt, id string, before bool) {
	l.ID, l.TransactionID = id, receipt.TransactionID
	switch {
	case !receipt.Committed:
		l.Outcome = LineUnknown
	case before:
		l.Outcome = LineAlready
	default:
		l.Outcome = LineRegistered
	}
}

// told explains the conflict that a changed row meets: an import adds, it does
// not amend.
func told(rule *metrology.Error, before bool) *metrology.Error {
	if before && rule.Code == metrology.CodeConflict {
		return &metrology.Error{Code: rule.Code, Field: "source", Message: "this id was imported before, with other content or by somebody else; amend the record instead"}
	}
	return rule
}

// maxPatience bounds the tries of a row that meets a gateway at its limit.
const maxPatience = 5

// patiently submits, and waits when there is too much under way.
func (r *importing) patiently(ctx context.Context, key string, call Call) (Receipt, error) {
	for try := 1; ; try++ {
		receipt, err := r.writer.Submit(ctx, r.who, key, call)
		var fault *Fault
		if !errors.As(err, &fault) || fault.Kind != FaultOverloaded || try == maxPatience {
			return receipt, err
		}
		wait := time.NewTimer(max(fault.RetryAfter, 50*time.Millisecond))
		select {
		case <-ctx.Done():
			wait.Stop()
			return receipt, err
		case <-wait.C:
		}
	}
}
