package digest

import (
	"slices"
	"strings"
)

const (
	xmlNamespace       = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace     = "http://www.w3.org/2000/xmlns/"
	signatureNamespace = "http://www.w3.org/2000/09/xmldsig#"
	dccNamespace       = "https://ptb.de/dcc"
)

// expandedName is a name with its prefix resolved.
type expandedName struct {
	space string // namespace URI, empty for none
	local string
}

// binding declares a prefix; the empty prefix is the default namespace.
type binding struct{ prefix, uri string }

// boundAttribute is an attribute with its prefix resolved.
type boundAttribute struct {
	expandedName
	attribute
}

// element is a start tag with its names resolved and sorted as canonical XML
// writes them.
type element struct {
	expandedName
	name         string           // as written
	declarations []binding        // that change what is in scope
	attributes   []boundAttribute // others
}

// namespaces keeps the declarations in scope, innermost last.
type namespaces struct {
	bindings []binding
	frames   []int // length of bindings before each open element
}

// push resolves a start tag and opens its scope. detail says what is wrong
// with it, and is empty for a good one.
func (n *namespaces) push(start token) (opened element, detail string) {
	n.frames = append(n.frames, len(n.bindings))
	opened.name = start.name
	outer := len(n.bindings)
	for _, a := range start.attributes {
		prefix, declares := declaredPrefix(a.name)
		if !declares {
			continue
		}
		if detail := n.declare(outer, binding{prefix, a.value}); detail != "" {
			return opened, detail
		}
	}
	opened.declarations = n.changes(outer)
	var found bool
	if opened.expandedName, found = n.resolve(start.name, true); !found {
		return opened, "an element's prefix is not declared"
	}
	return opened, n.resolveAttributes(start.attributes, &opened)
}

func (n *namespaces) pop() {
	last := len(n.frames) - 1
	n.bindings = n.bindings[:n.frames[last]]
	n.frames = n.frames[:last]
}

// declaredPrefix tells which prefix an attribute declares, if it is a
// namespace declaration.
func declaredPrefix(name string) (prefix string, declares bool) {
	if name == "xmlns" {
		return "", true
	}
	return strings.CutPrefix(name, "xmlns:")
}

// declare adds a declaration of the element whose scope began at outer.
func (n *namespaces) declare(outer int, declared binding) (detail string) {
	switch {
	case slices.ContainsFunc(n.bindings[outer:], func(b binding) bool { return b.prefix == declared.prefix }):
		return "a namespace declared twice"
	case declared.prefix == "xmlns" || declared.uri == xmlnsNamespace:
		return "the prefix xmlns is reserved"
	case (declared.prefix == "xml") != (declared.uri == xmlNamespace):
		return "the prefix xml is reserved"
	case declared.prefix != "" && declared.uri == "":
		return "a prefix declared for no namespace"
	case declared.uri != "" && !isAbsolute(declared.uri):
		return "a relative namespace URI" // canonical XML must refuse it
	}
	n.bindings = append(n.bindings, declared)
	return ""
}

// changes lists the declarations since outer that differ from what was in
// scope before, sorted by prefix. Canonical XML omits the others, and always
// the one of the prefix xml.
func (n *namespaces) changes(outer int) []binding {
	var changed []binding
	for _, declared := range n.bindings[outer:] {
		before, _ := lookup(n.bindings[:outer], declared.prefix)
		if declared.prefix != "xml" && before != declared.uri {
			changed = append(changed, declared)
		}
	}
	slices.SortFunc(changed, func(a, b binding) int { return strings.Compare(a.prefix, b.prefix) })
	return changed
}

func (n *namespaces) resolveAttributes(attributes []attribute, opened *element) (detail string) {
	for _, a := range attributes {
		if _, declares := declaredPrefix(a.name); declares {
			continue
		}
		name, found := n.resolve(a.name, false)
		if !found {
			return "an attribute's prefix is not declared"
		}
		opened.attributes = append(opened.attributes, boundAttribute{name, a})
	}
	slices.SortFunc(opened.attributes, func(a, b boundAttribute) int {
		if order := strings.Compare(a.space, b.space); order != 0 {
			return order
		}
		return strings.Compare(a.local, b.local)
	})
	for i := 1; i < len(opened.attributes); i++ {
		if opened.attributes[i].expandedName == opened.attributes[i-1].expandedName {
			return "an attribute stands twice"
		}
	}
	return ""
}

// resolve expands a name. The default namespace applies to elements only.
func (n *namespaces) resolve(name string, isElement bool) (expandedName, bool) {
	prefix, local, prefixed := strings.Cut(name, ":")
	if !prefixed {
		space := ""
		if isElement {
			space, _ = lookup(n.bindings, "")
		}
		return expandedName{space, name}, true
	}
	if prefix == "xml" {
		return expandedName{xmlNamespace, local}, true
	}
	space, found := lookup(n.bindings, prefix)
	return expandedName{space, local}, found
}

func lookup(bindings []binding, prefix string) (uri string, found bool) {
	for i := len(bindings) - 1; i >= 0; i-- {
		if bindings[i].prefix == prefix {
			return bindings[i].uri, true
		}
	}
	return "", false
}

// isAbsolute reports whether a URI begins with a scheme (RFC 3986, 3.1).
func isAbsolute(uri string) bool {
	for i, c := range []byte(uri) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return c == ':' && i > 0
		}
	}
	return false
}
