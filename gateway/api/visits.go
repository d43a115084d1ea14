package api

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// maxVisitDraws bounds how many of the latest draws are looked through for what
// an inspector has to visit.
const maxVisitDraws = 30

// serveVisits answers GET /v1/visits. No cache may keep the answer.
func (s *Server) serveVisits(c echo.Context) error {
	ctx := c.Request().Context()
	who, err := principal(ctx)
	if err != nil {
		return err
	}
	if err := checkQuery(c, "draw"); err != nil {
		return err
	}
	visits, err := s.visitsOf(ctx, who, c.QueryParam("draw"))
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, public.DrawnVisits{Visits: visits})
}

// visitsOf lists what a draw, or the latest ones, gave an inspector to visit; a
// regulator sees what one draw gave to all.
func (s *Server) visitsOf(ctx context.Context, who Principal, id string) ([]public.DrawnVisit, error) {
	visits := []public.DrawnVisit{}
	regulator := who.Role == string(metrology.RoleRegulator)
	switch {
	case !regulator && who.Role != string(metrology.RoleInspector):
		return nil, metrology.Errorf(metrology.CodeForbidden, "visits are told to inspectors and to the regulator")
	case regulator && id == "":
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, "draw", "is needed: a regulator asks for the visits of one draw")
	}
	draws := []string{id}
	if id == "" {
		latest, err := s.register.LatestDraws(ctx, public.PageRequest{Limit: maxVisitDraws})
		if err != nil {
			return nil, err
		}
		draws = nil
		for _, d := range latest.Items {
			if d.Phase == metrology.DrawDrawn || d.Phase == metrology.DrawSealed {
				draws = append(draws, d.ID)
			}
		}
	}
	for _, id := range draws {
		own, err := s.visitsIn(ctx, who, id, regulator)
		if err != nil {
			return nil, err
		}
		visits = append(visits, own...)
	}
	return visits, nil
}

// visitsIn lists the visits of one draw: those of an inspector, or all.
func (s *Server) visitsIn(ctx context.Context, who Principal, id string, all bool) ([]public.DrawnVisit, error) {
	record, err := s.register.Draw(ctx, id)
	if err != nil {
		return nil, err
	}
	posts, err := s.holdersOf(ctx, record)
	if err != nil || len(posts) == 0 {
		return nil, err
	}
	wanted := func(inspectors []string) bool {
		return all || slices.ContainsFunc(inspectors, func(i string) bool { return posts[i] == who.Subject })
	}
	if record.Phase == metrology.DrawSealed {
		return s.sealedVisits(ctx, who, record, posts, wanted)
	}
	return s.openVisits(ctx, record, posts, wanted)
}

func (s *Server) openVisits(ctx context.Context, record public.DrawRecord, posts map[string]string, wanted func([]string) bool) ([]public.DrawnVisit, error) {
	places, err := record.DrawnPlaces()
	if err != nil {
		return nil, err
	}
	var visits []public.DrawnVisit
	for _, place := range places {
		if !wanted(place.Inspectors) {
			continue
		}
		visit := s.visit(record, place.Site, place.Inspectors, posts)
		visit.Rank = place.Rank
		if visit.Inspection, err = s.inspectionOf(ctx, record.ID, place.Site); err != nil {
			return nil, err
		}
		visits = append(visits, visit)
	}
	return visits, nil
}

// sealedVisits lists them from the leaves, which an inspector shows on arrival:
// of each no more than what it is to visit itself.
func (s *Server) sealedVisits(ctx context.Context, who Principal, record public.DrawRecord, posts map[string]string, wanted func([]string) bool) ([]public.DrawnVisit, error) {
	leaves, err := s.leaves(ctx, who.MSP, record.ID, func(_ string, inspectors []string) bool { return wanted(inspectors) })
	if metrology.ErrorCode(err) == metrology.CodeState { // this gateway holds no secret of it, or nobody is to be visited
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var visits []public.DrawnVisit
	for _, leaf := range leaves {
		visit := s.visit(record, leaf.Site, leaf.Inspectors, posts)
		visit.Leaf = leaf.Leaf
		visits = append(visits, visit)
	}
	return visits, nil
}

// visit puts a visit together but for rank and leaf.
func (s *Server) visit(record public.DrawRecord, site string, inspectors []string, posts map[string]string) public.DrawnVisit {
	visit := public.DrawnVisit{Draw: record.ID, Site: site, Post: s.onlyRegulator()}
	for _, inspector := range inspectors {
		visit.Inspectors = append(visit.Inspectors, posts[inspector])
		visit.Assigned = append(visit.Assigned, metrology.AssignedInspector{Inspector: inspector, Salt: s.secret.holderSalt(record.ID, inspector).String()})
	}
	if days, err := record.VisitDays(); err == nil { // else the plan's member means something else to its authority
		visit.Days = days
	}
	return visit
}

// onlyRegulator is the subject of this gateway's regulator, if it has one alone.
func (s *Server) onlyRegulator() (subject string) {
	for _, p := range s.posts {
		if p.Role != string(metrology.RoleRegulator) {
			continue
		}
		if subject != "" {
			return ""
		}
		subject = p.Subject
	}
	return subject
}

// inspectionOf finds the public inspection of a place on the ground of a draw.
func (s *Server) inspectionOf(ctx context.Context, id, site string) (string, error) {
	page, err := s.register.Inspections(ctx, public.InspectionFilter{Site: site, PageRequest: public.PageRequest{Limit: public.MaxLimit}}, s.today())
	if err != nil {
		return "", err
	}
	for _, inspection := range page.Items {
		if inspection.Basis.Draw == id {
			return inspection.ID, nil
		}
	}
	return "", nil
}

// holderNames keeps who is behind the inspectors of draws whose directories are
// frozen. They never change, and to find them is to try each post on each id.
type holderNames struct {
	mu    sync.Mutex
	draws map[string]map[string]string // freeze → inspector → subject
}

// maxHolderDraws bounds how many draws are kept in mind.
const maxHolderDraws = 100

// holdersOf finds the posts of this gateway behind the inspectors of a draw;
// none if another gateway made its directories.
func (s *Server) holdersOf(ctx context.Context, record public.DrawRecord) (map[string]string, error) {
	if record.Frozen == nil {
		return nil, nil
	}
	s.holders.mu.Lock()
	known, found := s.holders.draws[record.Freeze]
	s.holders.mu.Unlock()
	if found {
		return known, nil
	}
	lists, err := s.register.DrawDirectories(ctx, record.ID)
	if err != nil {
		return nil, err
	}
	var own []string
	for _, p := range s.posts {
		if p.Role == string(metrology.RoleInspector) {
			own = append(own, p.Subject)
		}
	}
	posts := lists.Holders(own, func(inspector string) public.HolderSalt { return s.secret.holderSalt(record.ID, inspector) })
	s.holders.mu.Lock()
	defer s.holders.mu.Unlock()
	if s.holders.draws == nil || len(s.holders.draws) >= maxHolderDraws {
		s.holders.draws = map[string]map[string]string{}
	}
	s.holders.draws[record.Freeze] = posts
	return posts, nil
}
