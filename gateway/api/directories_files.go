package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/directory"
	"github.com/steelyard-ledger/steelyard/gateway/intake"
)

// retryUnknown is when to ask again about what is not known yet.
const retryUnknown = 2 * time.Second

// directoriesPath takes the files of all lists of a draw at once.
const directoriesPath = "/v1/draws/:id/directories"

// importDirectories answers POST /v1/draws/{id}/directories: a form with a file
// for each list, named by its kind without "draw-". What they come to is filed
// if every row is accounted for and the plan is feasible.
func (s *Server) importDirectories(c echo.Context) error {
	ctx := c.Request().Context()
	who, err := principal(ctx)
	if err != nil {
		return err
	}
	if metrology.Role(who.Role) != metrology.RoleRegulator {
		return metrology.Errorf(metrology.CodeForbidden, "the directories of a draw are for the regulator to file")
	}
	key, err := idempotencyKey(c.Request())
	if err != nil {
		return err
	}
	q, err := readDirectoryQuery(c, who)
	if err != nil {
		return err
	}
	reader := &importing{Server: s, system: q.system}
	sources, unused, err := reader.directorySources(c.Request())
	if err != nil {
		return err
	}
	id := pathParameter(c)("id")
	made, answer, err := s.compileDirectories(ctx, id, q, sources)
	if err != nil {
		return err
	}
	answer.UnusedColumns = unused
	if answer.Complete && !q.dryRun {
		if answer.Chunks, err = s.fileDirectories(ctx, who, key, id, made.DrawChunk); err != nil {
			return err
		}
		answer.Filed = true
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, answer)
}

func readDirectoryQuery(c echo.Context, who Principal) (q directoryQuery, err error) {
	if err := checkQuery(c, "system", "region", "kinds", "strata", "cutoff", "unregistered", "dryRun"); err != nil {
		return q, err
	}
	q.region, q.cutoff, q.system = c.QueryParam("region"), metrology.Date(c.QueryParam("cutoff")), c.QueryParam("system")
	if q.system == "" {
		q.system = who.MSP
	}
	if err := metrology.CheckID("system", q.system); err != nil {
		return q, err
	}
	if q.cutoff != "" {
		if err := metrology.CheckDate("cutoff", q.cutoff); err != nil {
			return q, err
		}
	}
	for kind := range strings.SplitSeq(c.QueryParam("kinds"), ",") {
		if kind == "" {
			continue
		}
		if err := metrology.OneOf("kinds", metrology.SiteKind(kind), metrology.SiteKinds...); err != nil {
			return q, err
		}
		q.kinds = append(q.kinds, kind)
	}
	if text := c.QueryParam("strata"); text != "" {
		if err := json.Unmarshal([]byte(text), &q.strata); err != nil {
			return q, metrology.FieldErrorf(metrology.CodeInvalid, "strata", "is not a JSON object from text to label")
		}
	}
	for name, flag := range map[string]*bool{"unregistered": &q.ghosts, "dryRun": &q.dryRun} {
		text := c.QueryParam(name)
		if text != "" && text != "true" && text != "false" {
			return q, metrology.FieldErrorf(metrology.CodeInvalid, name, "is neither true nor false")
		}
		*flag = text == "true"
	}
	return q, nil
}

// directorySources reads the parts of a form: a file for each list, and beside
// it a mapping of the client's own as "<list>-mapping".
func (r *importing) directorySources(request *http.Request) (directory.Sources, []UnusedColumns, error) {
	parts, err := directoryParts(request)
	if err != nil {
		return nil, nil, err
	}
	sources := directory.Sources{}
	var unused []UnusedColumns
	for _, kind := range directoryKinds {
		name := strings.TrimPrefix(kind, "draw-")
		content, given := parts[name]
		if !given {
			continue
		}
		records, columns, err := r.directoryRecords(request, kind, content, parts[name+"-mapping"])
		if err != nil {
			return nil, nil, inPart(err, name)
		}
		sources[kind] = records
		if len(columns) > 0 {
			unused = append(unused, UnusedColumns{Source: kind, Columns: columns})
		}
	}
	return sources, unused, nil
}

// inPart tells in which part of the form a fault is.
func inPart(err error, name string) error {
	var rule *metrology.Error
	if errors.As(err, &rule) {
		return metrology.FieldErrorf(rule.Code, name, "%s: %s", rule.Field, rule.Message)
	}
	return err
}

func (r *importing) directoryRecords(request *http.Request, kind string, content, own []byte) ([]intake.Record, []string, error) {
	file, err := newSourceFile(content, "")
	if err != nil {
		return nil, nil, err
	}
	mapping, err := intake.Shipped(kind)
	if own != nil {
		mapping, err = intake.ParseMapping(own)
	}
	if err != nil {
		return nil, nil, err
	}
	if mapping.Kind != kind {
		return nil, nil, metrology.FieldErrorf(metrology.CodeInvalid, "mapping", "is for %s, not %s", mapping.Kind, kind)
	}
	table, err := intake.Read(request.Context(), bytes.NewReader(file.content), file.format, mapping.Sheet, intake.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	return mapping.Apply(table, r.idOf)
}

// directoryParts reads the form whole, within the limit of an upload.
func directoryParts(request *http.Request) (map[string][]byte, error) {
	parts := map[string][]byte{}
	if request.ContentLength == 0 {
		return parts, nil // the register alone
	}
	form, err := request.MultipartReader()
	if err != nil {
		return nil, echo.NewHTTPError(http.StatusUnsupportedMediaType, "send multipart/form-data with a file for each list")
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, formError(err)
		}
		name := part.FormName()
		if !slices.Contains(directoryKinds, "draw-"+strings.TrimSuffix(name, "-mapping")) {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a part of this form")
		}
		if _, twice := parts[name]; twice {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, name, "is given more than once")
		}
		if parts[name], err = io.ReadAll(part); err != nil {
			return nil, formError(err)
		}
	}
}
