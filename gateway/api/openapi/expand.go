package main

import (
	"fmt"
	"strings"
)

// expand replaces x-body and x-answer of every operation by what they stand for.
func (d *declaredTypes) expand(document map[string]any) error {
	paths, _ := document["paths"].(map[string]any)
	for path, item := range paths {
		methods, _ := item.(map[string]any)
		for method, node := range methods {
			operation, ok := node.(map[string]any)
			if !ok {
				continue
			}
			if err := d.expandOperation(path, operation); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return nil
}

func (d *declaredTypes) expandOperation(path string, operation map[string]any) error {
	addPathParameters(path, operation)
	if body, ok := operation["x-body"].(map[string]any); ok {
		schema, err := d.body(body)
		if err != nil {
			return err
		}
		operation["requestBody"] = map[string]any{
			"required": len(schema["required"].([]string)) > 0,
			"content":  map[string]any{"application/json": map[string]any{"schema": schema}},
		}
		delete(operation, "x-body")
	}
	if answer, ok := operation["x-answer"].(string); ok {
		operation["responses"] = responses(answer)
		delete(operation, "x-answer")
	}
	if answer, ok := operation["responses"].(map[string]any); ok && answer["default"] == nil {
		answer["default"] = map[string]any{"$ref": "#/components/responses/Problem"}
	}
	return nil
}

// body makes the schema of a command's body: its type, without the members
// that the path names, with members that the gateway can fill in made
// optional, and with the private document beside it.
func (d *declaredTypes) body(b map[string]any) (map[string]any, error) {
	name, _ := b["type"].(string)
	schema, err := d.schema(name)
	if err != nil {
		return nil, err
	}
	if schema["properties"] == nil {
		return nil, fmt.Errorf("%s is not an object", name)
	}
	for _, member := range names(b["without"]) {
		drop(schema, member)
	}
	for _, member := range names(b["optional"]) {
		relax(schema, member)
	}
	required, _ := schema["required"].([]string)
	if private, ok := b["private"].(map[string]any); ok {
		document, err := d.schema(private["type"].(string))
		if err != nil {
			return nil, err
		}
		drop(document, "salt")
		member := private["name"].(string)
		schema["properties"].(map[string]any)[member] = document
		if private["optional"] != true {
			required = append(required, member)
		}
	}
	schema["required"] = append([]string{}, required...)
	return schema, nil
}

func names(list any) []string {
	items, _ := list.([]any)
	found := make([]string, 0, len(items))
	for _, item := range items {
		found = append(found, item.(string))
	}
	return found
}

// responses are those of a write, or of a read that answers the named view.
func responses(answer string) map[string]any {
	if answer == "written" {
		return map[string]any{
			"201": map[string]any{"$ref": "#/components/responses/Committed"},
			"202": map[string]any{"$ref": "#/components/responses/Unknown"},
		}
	}
	return map[string]any{
		"200": map[string]any{
			"description": "The answer, from this gateway's copy of the ledger.",
			"headers": map[string]any{
				"ETag": map[string]any{"schema": map[string]any{"type": "string"}},
				"Steelyard-Current": map[string]any{
					"description": "When this gateway was last known to miss no block of the peers that answered; absent before that is known.",
					"schema":      map[string]any{"type": "string", "format": "date-time"},
				},
			},
			"content": map[string]any{"application/json": map[string]any{"schema": ref(answer)}},
		},
		"304": map[string]any{"description": "Unchanged since the ETag in If-None-Match."},
	}
}

// addPathParameters declares the parameters that the path names.
func addPathParameters(path string, operation map[string]any) {
	parameters, _ := operation["parameters"].([]any)
	for segment := range strings.SplitSeq(path, "/") {
		if !strings.HasPrefix(segment, "{") {
			continue
		}
		parameters = append(parameters, map[string]any{
			"name": strings.Trim(segment, "{}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"},
		})
	}
	if parameters != nil {
		operation["parameters"] = parameters
	}
}
