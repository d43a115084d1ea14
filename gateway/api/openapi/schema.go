package main

import (
	"fmt"
	"go/ast"
	"reflect"
	"sort"
	"strings"
)

const refPrefix = "#/components/schemas/"

// reachable makes the schema of every type that the document refers to, and of
// those that these refer to.
func (d *declaredTypes) reachable(document any) (map[string]any, error) {
	schemas := map[string]any{}
	wanted := references(document)
	for len(wanted) > 0 {
		name := wanted[0]
		wanted = wanted[1:]
		if _, done := schemas[name]; done || !strings.Contains(name, ".") {
			continue
		}
		schema, err := d.schema(name)
		if err != nil {
			return nil, err
		}
		schemas[name] = schema
		wanted = append(wanted, references(schema)...)
	}
	return schemas, nil
}

// references finds the schema names that a document's $refs use.
func references(node any) []string {
	var found []string
	switch node := node.(type) {
	case map[string]any:
		keys := make([]string, 0, len(node))
		for key := range node {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			if ref, ok := node[key].(string); ok && key == "$ref" && strings.HasPrefix(ref, refPrefix) {
				found = append(found, strings.TrimPrefix(ref, refPrefix))
				continue
			}
			found = append(found, references(node[key])...)
		}
	case []any:
		for _, item := range node {
			found = append(found, references(item)...)
		}
	}
	return found
}

// schema makes the schema of one declared type. "public.Page.public.Merchant"
// is the page of merchants.
func (d *declaredTypes) schema(name string) (map[string]any, error) {
	if item, ok := strings.CutPrefix(name, "public.Page."); ok {
		return page(item), nil
	}
	spec, known := d.types[name]
	if !known {
		return nil, fmt.Errorf("no Go type %s is declared", name)
	}
	pkg, _, _ := strings.Cut(name, ".")
	schema, err := d.expression(pkg, spec.Type)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if d.textual[name] {
		schema = map[string]any{"type": "string"}
	}
	if doc := d.docs[name]; doc != "" && schema["$ref"] == nil {
		schema["description"] = doc
	}
	if values := d.values[name]; values != nil {
		schema["enum"] = values
	}
	return schema, nil
}

func page(item string) map[string]any {
	return object(map[string]any{
		"items": map[string]any{"type": "array", "items": ref(item)},
		"next":  map[string]any{"type": "string", "description": "Cursor of the next page; absent on the last."},
	}, []string{"items"})
}

func object(properties map[string]any, required []string) map[string]any {
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func ref(name string) map[string]any { return map[string]any{"$ref": refPrefix + name} }

// drop removes a member; relax makes it optional.
func drop(schema map[string]any, member string) {
	if properties, ok := schema["properties"].(map[string]any); ok {
		delete(properties, member)
	}
	relax(schema, member)
}

func relax(schema map[string]any, member string) {
	required, _ := schema["required"].([]string)
	var kept []string
	for _, name := range required {
		if name != member {
			kept = append(kept, name)
		}
	}
	delete(schema, "required")
	if kept != nil {
		schema["required"] = kept
	}
}

var basic = map[string]map[string]any{
	"string": {"type": "string"}, "bool": {"type": "boolean"},
	"int": {"type": "integer"}, "int64": {"type": "integer"}, "uint64": {"type": "integer", "minimum": 0},
}

// expression makes the schema of a type expression of package pkg.
func (d *declaredTypes) expression(pkg string, e ast.Expr) (map[string]any, error) {
	switch e := e.(type) {
	case *ast.StarExpr:
		return d.expression(pkg, e.X)
	case *ast.ArrayType:
		if element, ok := e.Elt.(*ast.Ident); ok && element.Name == "byte" {
			return map[string]any{"type": "string", "contentEncoding": "base64"}, nil
		}
		items, err := d.expression(pkg, e.Elt)
		return map[string]any{"type": "array", "items": items}, err
	case *ast.MapType:
		values, err := d.expression(pkg, e.Value)
		return map[string]any{"type": "object", "additionalProperties": values}, err
	case *ast.StructType:
		return d.structure(pkg, e)
	case *ast.Ident:
		if schema, ok := basic[e.Name]; ok {
			return clone(schema), nil
		}
		if e.Name == "any" {
			return map[string]any{}, nil
		}
		return ref(pkg + "." + e.Name), nil
	case *ast.SelectorExpr:
		if e.Sel.Name == "RawMessage" || e.Sel.Name == "Value" {
			return map[string]any{}, nil
		}
		return ref(fmt.Sprint(e.X) + "." + e.Sel.Name), nil
	}
	return nil, fmt.Errorf("a %T has no schema", e)
}

// structure makes an object schema; embedded structs give their members.
func (d *declaredTypes) structure(pkg string, s *ast.StructType) (map[string]any, error) {
	properties, required := map[string]any{}, []string{}
	for _, field := range s.Fields.List {
		if len(field.Names) == 0 {
			if err := d.embed(pkg, field, properties, &required); err != nil {
				return nil, err
			}
			continue
		}
		name, options, _ := strings.Cut(jsonTag(field), ",")
		if name == "-" || !field.Names[0].IsExported() {
			continue
		}
		if name == "" {
			return nil, fmt.Errorf("field %s has no JSON name", field.Names[0])
		}
		schema, err := d.expression(pkg, field.Type)
		if err != nil {
			return nil, err
		}
		if doc := text(field.Doc, field.Comment); doc != "" {
			schema["description"] = doc
		}
		properties[name] = schema
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	return object(properties, required), nil
}

func (d *declaredTypes) embed(pkg string, field *ast.Field, properties map[string]any, required *[]string) error {
	schema, err := d.expression(pkg, field.Type)
	if err != nil {
		return err
	}
	name, _ := schema["$ref"].(string)
	embedded, err := d.schema(strings.TrimPrefix(name, refPrefix))
	if err != nil {
		return err
	}
	for member, s := range embedded["properties"].(map[string]any) {
		properties[member] = s
	}
	names, _ := embedded["required"].([]string)
	*required = append(*required, names...)
	return nil
}

func jsonTag(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	return reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
}

func clone(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
