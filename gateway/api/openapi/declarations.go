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

	constants map[string]string // value of each string constant, by its name: "metrology.StatusValid"

	textual map[string]bool // types that write themselves as a JSON string
}

// declarations parses the packages, given by name and directory.
func declarations(packages map[string]string) (*declaredTypes, error) {
	d := &declaredTypes{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, values: map[string][]string{},
		constants: map[string]string{}, textual: map[string]bool{}}
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
	return d, d.resolve()
}

// resolve puts the values in for constants that others are converted from,
// which may stand in a package read later.
func (d *declaredTypes) resolve() error {
	for name, values := range d.values {
		for i, value := range values {
			from, converted := strings.CutPrefix(value, conversion)
			if !converted {
				continue
			}
			known := false
			if values[i], known = d.constants[from]; !known {
				return fmt.Errorf("constants of %s: the value of %s is not known", name, from)
			}
		}
	}
	return nil
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

// conversion marks, until all packages are read, a value that another
// package's constant gives. No JSON string that we ship begins so.
const conversion = "\x00"

// collectConstant notes a constant of a named type: a literal, or one of
// another package's converted, as in Outcome(metrology.StatusValid).
func (d *declaredTypes) collectConstant(pkg string, spec *ast.ValueSpec) {
	if len(spec.Values) != 1 {
		return
	}
	switch value := spec.Values[0].(type) {
	case *ast.BasicLit:
		named, ok := spec.Type.(*ast.Ident)
		if !ok || value.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(value.Value); err == nil {
			d.constants[pkg+"."+spec.Names[0].Name] = text
			d.values[pkg+"."+named.Name] = append(d.values[pkg+"."+named.Name], text)
		}
	case *ast.CallExpr:
		named, ok := value.Fun.(*ast.Ident)
		if !ok || len(value.Args) != 1 {
			return
		}
		if from, ok := value.Args[0].(*ast.SelectorExpr); ok {
			d.values[pkg+"."+named.Name] = append(d.values[pkg+"."+named.Name], conversion+fmt.Sprint(from.X)+"."+from.Sel.Name)
		}
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
