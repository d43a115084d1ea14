package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// openAPI is as much of an OpenAPI 3.1 document as the reference shows.
type openAPI struct {
	Info struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Description string `json:"description"`
	} `json:"info"`
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Parameters map[string]parameter `json:"parameters"`
		Responses  map[string]answer    `json:"responses"`
		Schemas    map[string]schema    `json:"schemas"`
	} `json:"components"`
}

type parameter struct {
	Ref         string `json:"$ref"`
	Name        string `json:"name"`
	In          string `json:"in"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
	Schema      schema `json:"schema"`
}

type answer struct {
	Ref         string `json:"$ref"`
	Description string `json:"description"`
}

// schema is one level of a JSON schema; deeper ones are named.
type schema struct {
	Ref         string            `json:"$ref"`
	Type        any               `json:"type"` // a name, or a list of names
	Description string            `json:"description"`
	Items       *schema           `json:"items"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
}

// name is what a reader calls the type.
func (s schema) name() string {
	switch {
	case s.Ref != "":
		return afterSlash(s.Ref)
	case s.Items != nil:
		return s.Items.name() + "[]"
	case s.Type == nil:
		return ""
	}
	return fmt.Sprint(s.Type)
}

func afterSlash(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

type operation struct {
	Summary    string            `json:"summary"`
	Tags       []string          `json:"tags"`
	Parameters []parameter       `json:"parameters"`
	Security   []map[string]any  `json:"security"`
	Responses  map[string]answer `json:"responses"`
	Body       struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

// docsPage is the body of the reference.
type docsPage struct {
	Title, Version, About string
	Groups                []docsGroup
}

type docsGroup struct {
	Tag    string
	Routes []route
}

// route is one method of one path.
type route struct {
	Method, Path, Summary string
	Token                 bool // needs a bearer token
	Parameters            []member
	Takes                 []member // of a JSON body
	Media                 []string // of the body
	Answers               []member // status and meaning
}

// member is a named thing with its type and words.
type member struct {
	Name, Type, About string
	Required          bool
}

// methods in the order a reference shows them.
var methods = []string{"get", "post", "put", "delete"}

// readDocument turns the API's document into the reference.
func readDocument(raw []byte) (docsPage, error) {
	var document openAPI
	if err := json.Unmarshal(raw, &document); err != nil {
		return docsPage{}, fmt.Errorf("read API document: %w", err)
	}
	groups := make(map[string][]route)
	for path, item := range document.Paths {
		for _, method := range methods {
			described, has := item[method]
			if !has {
				continue
			}
			var op operation
			if err := json.Unmarshal(described, &op); err != nil {
				return docsPage{}, fmt.Errorf("read API document: %s %s: %w", method, path, err)
			}
			tag := strings.Join(op.Tags, ", ")
			groups[tag] = append(groups[tag], document.route(method, path, op))
		}
	}
	page := docsPage{Title: document.Info.Title, Version: document.Info.Version, About: document.Info.Description}
	for tag, routes := range groups {
		sort.Slice(routes, func(i, k int) bool {
			if routes[i].Path != routes[k].Path {
				return routes[i].Path < routes[k].Path
			}
			return slices.Index(methods, strings.ToLower(routes[i].Method)) < slices.Index(methods, strings.ToLower(routes[k].Method))
		})
		page.Groups = append(page.Groups, docsGroup{tag, routes})
	}
	sort.Slice(page.Groups, func(i, k int) bool { return page.Groups[i].Tag < page.Groups[k].Tag })
	return page, nil
}

func (d openAPI) route(method, path string, op operation) route {
	shown := route{Method: strings.ToUpper(method), Path: path, Summary: op.Summary, Token: len(op.Security) > 0}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[afterSlash(p.Ref)]
		}
		shown.Parameters = append(shown.Parameters, member{p.Name, p.Schema.name() + " · " + p.In, p.Description, p.Required})
	}
	for media, content := range op.Body.Content {
		shown.Media = append(shown.Media, media)
		if media == "application/json" {
			shown.Takes = d.members(content.Schema)
		}
	}
	sort.Strings(shown.Media)
	for status, a := range op.Responses {
		if a.Ref != "" {
			a = d.Components.Responses[afterSlash(a.Ref)]
		}
		shown.Answers = append(shown.Answers, member{Name: status, About: a.Description})
	}
	sort.Slice(shown.Answers, func(i, k int) bool { return shown.Answers[i].Name < shown.Answers[k].Name })
	return shown
}

// members lists the properties of an object.
func (d openAPI) members(s schema) []member {
	if s.Ref != "" {
		s = d.Components.Schemas[afterSlash(s.Ref)]
	}
	list := make([]member, 0, len(s.Properties))
	for name, property := range s.Properties {
		list = append(list, member{name, property.name(), property.Description, slices.Contains(s.Required, name)})
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Name < list[k].Name })
	return list
}

func (s *Server) docs(_ context.Context, r request) (reply, error) {
	return reply{view: "docs", title: s.say(r.lang, "docs.title"), body: s.reference}, nil
}
