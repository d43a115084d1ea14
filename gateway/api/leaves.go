package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"
)

// LeafOf shows one site's assignment in a draw that is still sealed, as JSON,
// to an officer of a holder of its secret.
type LeafOf func(ctx context.Context, who Principal, id, site string) (json.RawMessage, error)

// serveLeaf answers a holder's officer, whom an inspector has the leaf from. No
// cache may keep the answer.
func (s *Server) serveLeaf(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	path := pathParameter(c)
	leaf, err := s.leaf(c.Request().Context(), who, path("id"), path("siteId"))
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSONBlob(http.StatusOK, leaf)
}
