package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// headerCurrent says with every answer that is read how old this gateway's data
// is: RFC 3339, when it was last known to miss no block. It is of the gateway,
// not of what is shown, and so no part of any body or ETag.
const headerCurrent = "Steelyard-Current"

// sayCurrent sets headerCurrent on what is read.
func (s *Server) sayCurrent(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.HasPrefix(r.URL.Path, "/v1/") {
			if current := s.following().Current; current != "" {
				c.Response().Header().Set(headerCurrent, current)
			}
		}
		return next(c)
	}
}
