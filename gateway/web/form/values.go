package form

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Values is what a form would send for a body: the inverse of Decode. Members
// that the form does not have are left out.
func Values(fields []Field, body []byte) (url.Values, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	values := url.Values{}
	return values, spread(fields, "", members, values)
}

func spread(fields []Field, prefix string, members map[string]json.RawMessage, into url.Values) error {
	for _, f := range fields {
		raw, given := members[f.Name]
		if !given || string(raw) == "null" {
			continue
		}
		if err := f.spread(prefix+f.Name, raw, into); err != nil {
			return fmt.Errorf("member %s: %w", prefix+f.Name, err)
		}
	}
	return nil
}

func (f Field) spread(path string, raw json.RawMessage, into url.Values) error {
	switch f.Kind {
	case Group:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return err
		}
		return spread(f.Fields, path+".", members, into)
	case Rows:
		var rows []map[string]json.RawMessage
		if err := json.Unmarshal(raw, &rows); err != nil {
			return err
		}
		for i, row := range rows[:min(len(rows), MaxRows)] {
			if err := spread(f.Fields, rowPath(path, i), row, into); err != nil {
				return err
			}
		}
	case Lines, Choices:
		var list []string
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		if f.Kind == Lines {
			list = []string{strings.Join(list, "\n")}
		}
		into[path] = list
	case Check:
		if string(raw) == "true" {
			into.Set(path, "on")
		}
	case Number, JSON:
		into.Set(path, string(raw))
	default:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		into.Set(path, text)
	}
	return nil
}
