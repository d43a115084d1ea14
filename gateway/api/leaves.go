package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// LeavesOf shows the assignments in a draw that is still sealed that are wanted,
// each with its path, as this gateway computes them for a holder of its secret.
type LeavesOf func(ctx context.Context, msp, id string, want func(site string, inspectors []string) bool) ([]public.SealedVisit, error)

// serveLeaf answers a holder's officer, whom an inspector has the leaf from. No
// cache may keep the answer.
func (s *Server) serveLeaf(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	if who.Role != string(metrology.RoleRegulator) && who.Role != string(metrology.RoleNotary) {
		return metrology.Errorf(metrology.CodeForbidden, "only officers of regulator and notary see leaves of a sealed draw")
	}
	path := pathParameter(c)
	id, site := path("id"), path("siteId")
	shown, err := s.leaves(c.Request().Context(), who.MSP, id, func(drawn string, _ []string) bool { return drawn == site })
	if err != nil {
		return err
	}
	if len(shown) == 0 {
		return metrology.Errorf(metrology.CodeNotFound, "site %q is not drawn in draw %q", site, id)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSONBlob(http.StatusOK, shown[0].Leaf)
}
