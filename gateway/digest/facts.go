package digest

import "strings"

// maxFactBytes bounds one text that is kept.
const maxFactBytes = 1024

// Paths below the root whose text is kept.
const (
	pathIdentifier = "administrativeData/coreData/uniqueIdentifier"
	pathBegin      = "administrativeData/coreData/beginPerformanceDate"
	pathEnd        = "administrativeData/coreData/endPerformanceDate"
	pathIssued     = "administrativeData/coreData/issueDate"
	pathItem       = "administrativeData/items/item"
	pathModel      = pathItem + "/model"
	pathNumber     = pathItem + "/identifications/identification"
	pathNumberBy   = pathNumber + "/issuer"
	pathNumberIs   = pathNumber + "/value"
)

// pathDepth is the longest of these paths, so deeper elements need no name.
const pathDepth = 6

// open notes an element; the root itself is no part of a path.
func (r *dccReader) open(opened element) error {
	if r.depth == 1 {
		return nil
	}
	name := ""
	if opened.space == dccNamespace {
		name = opened.local
	}
	r.path = append(r.path, name)
	r.captured.Reset()
	if len(r.path) > pathDepth {
		return nil
	}
	switch strings.Join(r.path, "/") {
	case pathItem:
		if len(r.dcc.Items) == r.scanner.limits.Items {
			return r.scanner.fail(ReasonLimit, "too many items")
		}
		r.dcc.Items = append(r.dcc.Items, Item{})
	case pathNumber:
		item := r.item()
		if len(item.Identifications) == r.scanner.limits.Identifications {
			return r.scanner.fail(ReasonLimit, "too many identifications of one item")
		}
		item.Identifications = append(item.Identifications, Identification{})
	}
	return nil
}

// item returns the one being read; its start tag made it.
func (r *dccReader) item() *Item { return &r.dcc.Items[len(r.dcc.Items)-1] }

// capture keeps text of the innermost open element.
func (r *dccReader) capture(text []byte) {
	if room := maxFactBytes - r.captured.Len(); room > 0 && len(r.path) <= pathDepth {
		r.captured.Write(text[:min(room, len(text))])
	}
}

// close stores what the element that ends was captured for.
func (r *dccReader) close() {
	if len(r.path) == 0 {
		return
	}
	if len(r.path) <= pathDepth {
		if fact := r.fact(strings.Join(r.path, "/")); fact != nil {
			*fact = strings.ToValidUTF8(strings.TrimSpace(r.captured.String()), "")
		}
	}
	r.path = r.path[:len(r.path)-1]
	r.captured.Reset()
}

// fact returns where the text of a path belongs, nil for nowhere.
func (r *dccReader) fact(path string) *string {
	switch path {
	case pathIdentifier:
		return &r.dcc.UniqueIdentifier
	case pathBegin:
		return &r.dcc.BeginPerformance
	case pathEnd:
		return &r.dcc.EndPerformance
	case pathIssued:
		return &r.dcc.IssueDate
	case pathModel:
		return &r.item().Model
	case pathNumberBy:
		return &r.identification().Issuer
	case pathNumberIs:
		return &r.identification().Value
	}
	return nil
}

// identification returns the one being read; its start tag made it.
func (r *dccReader) identification() *Identification {
	numbers := r.item().Identifications
	return &numbers[len(numbers)-1]
}
