package api

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// document describes this API. Command openapi makes it.
//
//go:generate go run ./openapi
//go:embed openapi.json
var document []byte

func serveDocument(c echo.Context) error { return c.Blob(http.StatusOK, "application/json", document) }

// Document is the OpenAPI 3.1 document of this API.
func Document() []byte { return document }
