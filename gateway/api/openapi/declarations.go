package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strconv"
	"strings"
)

// declaredTypes are the Go types that schemas can be made of, by the name that
// a $ref uses: "metrology.Pledge".
type declaredTypes struct {
	types  map[string]*ast.TypeSpec
	docs   map[string]string
	values map[string][]string // string constants of a type, in order
}

// declarations parses the packages, given by name and directory.
func declarations(packages map[string]string) (*declaredTypes, error) {
	d := &declaredTypes{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, values: map[string][]string{}}
	for name, directory := range packages {
		parsed, err := parser.ParseDir(token.NewFileSet(), directory, func(f fs.FileInfo) bool {
			return !strings.HasSuffix(f.Name(), "_test.go")
		}, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", directory, err)
		}
		for _, pkg := range parsed {
			for _, file := range sortedFiles(pkg) {
				d.collect(name, file)
			}
		}
	}
	return d, nil
}

func (d *declaredTypes) collect(pkg string, file *ast.File) {
	for _, declaration := range file.Decls {
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

func sortedFiles(pkg *ast.Package) []*ast.File {
	names := make([]string, 0, len(pkg.Files))
	for name := range pkg.Files {
		names = append(names, name)
	}
	sortStrings(names)
	files := make([]*ast.File, len(names))
	for i, name := range names {
		files[i] = pkg.Files[name]
	}
	return files
}
