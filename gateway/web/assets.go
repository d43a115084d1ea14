package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"
)

//go:embed assets
var assetFiles embed.FS

// asset is a style sheet or script.
type asset struct {
	content []byte
	media   string
	version string // first 16 hexadecimal digits of its SHA-256
}

// assets are all of them by name.
type assets map[string]asset

func readAssets() (assets, error) {
	files, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	all := make(assets, len(files))
	for _, file := range files {
		content, err := assetFiles.ReadFile("assets/" + file.Name())
		if err != nil {
			return nil, fmt.Errorf("read asset: %w", err)
		}
		sum := sha256.Sum256(content)
		all[file.Name()] = asset{content, mediaType(file.Name()), hex.EncodeToString(sum[:8])}
	}
	return all, nil
}

// mediaType does not depend on the machine's own tables for what we ship.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// address is where an asset is served. It changes with the content, so that
// browsers may keep it for good.
func (a assets) address(name string) (string, error) {
	file, known := a[name]
	if !known {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return "/assets/" + file.version + "/" + name, nil
}

// serveAsset answers for a current version only: an old address never serves
// new content.
func (s *Server) serveAsset(c echo.Context) error {
	file, known := s.assets[c.Param("name")]
	if !known || file.version != c.Param("version") {
		return s.fail(s.request(c), errNoPage)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, file.media, file.content)
}

// errNoPage says that there is no page at an address.
var errNoPage = errors.New("there is no page at this address")
