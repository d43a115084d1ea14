package digest

import (
	"bufio"
	"strings"
)

// canonicalWriter writes inclusive Canonical XML without comments (W3C
// Canonical XML 1.0 and 1.1, which agree for a whole document). Write errors
// are not looked at: the writer below is a hash.
type canonicalWriter struct {
	out   *bufio.Writer
	depth int
	after bool // the root element is over
}

// escapers as Canonical XML 1.1 section 2.3 lists them.
var (
	textEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")

	valueEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;",
		"\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

func (w *canonicalWriter) start(opened element) {
	w.depth++
	w.strings("<", opened.name)
	for _, declared := range opened.declarations {
		name := "xmlns"
		if declared.prefix != "" {
			name = "xmlns:" + declared.prefix
		}
		w.attribute(name, declared.uri)
	}
	for _, a := range opened.attributes {
		w.attribute(a.name, a.value)
	}
	w.strings(">")
}

func (w *canonicalWriter) attribute(name, value string) {
	w.strings(" ", name, `="`)
	_, _ = valueEscaper.WriteString(w.out, value)
	w.strings(`"`)
}

func (w *canonicalWriter) end(name string) {
	w.strings("</", name, ">")
	w.depth--
	w.after = w.depth == 0
}

func (w *canonicalWriter) text(text []byte) {
	_, _ = textEscaper.WriteString(w.out, string(text))
}

// instruction writes a processing instruction. Outside the root each stands on
// a line of its own.
func (w *canonicalWriter) instruction(target string, data []byte) {
	if w.after {
		w.strings("\n")
	}
	w.strings("<?", target)
	if len(data) > 0 {
		w.strings(" ", strings.ReplaceAll(string(data), "\r", "&#xD;"))
	}
	w.strings("?>")
	if w.depth == 0 && !w.after {
		w.strings("\n")
	}
}

func (w *canonicalWriter) strings(parts ...string) {
	for _, part := range parts {
		_, _ = w.out.WriteString(part)
	}
}
