package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// declaredTypes are the Go types that schemas can be made of, by the name that
// a $ref uses: "metrology.Pledge".
type declaredTypes struct {
	types  map[string]*ast.TypeSpec
	docs   map[string]string
	values map[string][]string // string constants of a type, in order

	textual map[string]bool // types that write themselves as a JSON string
}

// declarations parses the packages, given by name and directory.
func declarations(packages map[string]string) (*declaredTypes, error) {
	d := &declaredTypes{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, values: map[string][]string{}, textual: map[string]bool{}}
	for name, directory := range packages {
		files, err := filepath.Glob(filepath.Join(directory, "*.go"))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", directory, err)
		}
		for _, file := range files { // sorted
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, fmt.Errorf("parse: %w", err)
			}
			d.collect(name, parsed)
		}
	}
	return d, nil
}

func (d *declaredTypes) collect(pkg string, file *ast.File) {
	for _, declaration := range file.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok {
			d.collectMethod(pkg, function)
		}
		group, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				name := pkg + "." + spec.Name.Name
				d.types[name] = spec
				d.docs[name] = text(spec.Doc, group.Doc)
			case *ast.ValueSpec:
				if group.Tok == token.CONST {
					d.collectConstant(pkg, spec)
				}
			}
		}
	}
}

// collectMethod notes a type that writes itself as text.
func (d *declaredTypes) collectMethod(pkg string, function *ast.FuncDecl) {
	if function.Recv == nil || function.Name.Name != "MarshalText" && function.Name.Name != "MarshalJSON" {
		return
	}
	receiver := function.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if named, ok := receiver.(*ast.Ident); ok {
		d.textual[pkg+"."+named.Name] = true
	}
}

func (d *declaredTypes) collectConstant(pkg string, spec *ast.ValueSpec) {
	named, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	value, err := strconv.Unquote(literal.Value)
	if err == nil {
		name := pkg + "." + named.Name
		d.values[name] = append(d.values[name], value)
	}
}

func text(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			return strings.Join(strings.Fields(g.Text()), " ")
		}
	}
	return ""
}
