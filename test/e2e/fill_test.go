package e2e

import (
	"net/url"
	"strconv"
	"strings"
)

func fill(route, id string, version int) string {
	return strings.NewReplacer("{id}", url.PathEscape(id), "{version}", strconv.Itoa(version)).Replace(route)
}
