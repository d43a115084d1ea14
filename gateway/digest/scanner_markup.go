package digest

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// startTag reads a start tag or an empty element.
func (s *scanner) startTag() (token, error) {
	if err := s.expect("<"); err != nil {
		return token{}, err
	}
	name, err := s.name()
	if err != nil {
		return token{}, err
	}
	if err := s.openElement(name); err != nil {
		return token{}, err
	}
	t := token{kind: tokenStart, name: name}
	for {
		blank, err := s.spaces()
		if err != nil {
			return token{}, err
		}
		switch s.peek() {
		case '>':
			return t, s.expect(">")
		case '/':
			s.emptyEnd = true
			return t, s.expect("/>")
		}
		if !blank {
			return token{}, s.fail(ReasonMalformed, "no space before an attribute")
		}
		if len(t.attributes) == s.limits.Attributes {
			return token{}, s.fail(ReasonLimit, "too many attributes")
		}
		a, err := s.attribute()
		if err != nil {
			return token{}, err
		}
		t.attributes = append(t.attributes, a)
	}
}

func (s *scanner) openElement(name string) error {
	s.elements++
	switch {
	case len(s.open) == 0 && s.rooted:
		return s.fail(ReasonMalformed, "a second root element")
	case len(s.open) == s.limits.Depth:
		return s.fail(ReasonLimit, "elements nested too deep")
	case s.elements > s.limits.Elements:
		return s.fail(ReasonLimit, "too many elements")
	}
	s.rooted = true
	s.open = append(s.open, name)
	return nil
}

func (s *scanner) endTag() (token, error) {
	if err := s.expect("</"); err != nil {
		return token{}, err
	}
	name, err := s.name()
	if err != nil {
		return token{}, err
	}
	if _, err := s.spaces(); err != nil {
		return token{}, err
	}
	if err := s.expect(">"); err != nil {
		return token{}, err
	}
	return s.closeElement(name)
}

func (s *scanner) closeElement(name string) (token, error) {
	if len(s.open) == 0 || s.open[len(s.open)-1] != name {
		return token{}, s.fail(ReasonMalformed, "an end tag without its start")
	}
	s.open = s.open[:len(s.open)-1]
	return token{kind: tokenEnd, name: name}, nil
}

func (s *scanner) attribute() (attribute, error) {
	name, err := s.name()
	if err != nil {
		return attribute{}, err
	}
	if err := s.equals(); err != nil {
		return attribute{}, err
	}
	value, err := s.value()
	return attribute{name: name, value: value}, err
}

func (s *scanner) equals() error {
	if _, err := s.spaces(); err != nil {
		return err
	}
	if err := s.expect("="); err != nil {
		return err
	}
	_, err := s.spaces()
	return err
}

// value reads a quoted attribute value. Literal white space becomes a space,
// referenced white space stays.
func (s *scanner) value() (string, error) {
	quote, err := s.char()
	if err != nil {
		return "", err
	}
	if quote != '"' && quote != '\'' {
		return "", s.fail(ReasonMalformed, "an attribute's value without quotes")
	}
	var value strings.Builder
	for {
		c, err := s.char()
		if err != nil {
			return "", err
		}
		switch {
		case c == quote:
			return value.String(), nil
		case c == '<':
			return "", s.fail(ReasonMalformed, `"<" in an attribute's value`)
		case isSpace(c):
			c = ' '
		case c == '&':
			if c, err = s.reference(); err != nil {
				return "", err
			}
		}
		value.WriteRune(c)
		if value.Len() > s.limits.Value {
			return "", s.fail(ReasonLimit, "an attribute's value is too long")
		}
	}
}

// reference reads what follows '&': a character reference or one of the five
// predefined entities. Other entities need a document type, so none exist.
func (s *scanner) reference() (rune, error) {
	var name strings.Builder
	for {
		c, err := s.char()
		if err != nil {
			return 0, err
		}
		if c == ';' {
			break
		}
		if name.WriteRune(c); name.Len() > 10 { // "#x0010FFFF" is the longest of use
			return 0, s.fail(ReasonForbidden, "an entity reference")
		}
	}
	switch reference := name.String(); reference {
	case "amp":
		return '&', nil
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "quot":
		return '"', nil
	case "apos":
		return '\'', nil
	default:
		return s.characterReference(reference)
	}
}

func (s *scanner) characterReference(reference string) (rune, error) {
	digits, numeric := strings.CutPrefix(reference, "#")
	if !numeric {
		return 0, s.fail(ReasonForbidden, "an entity reference")
	}
	base := 10
	if hexadecimal, found := strings.CutPrefix(digits, "x"); found {
		digits, base = hexadecimal, 16
	}
	code, err := strconv.ParseUint(digits, base, 21)
	if err != nil || !isChar(rune(code)) {
		return 0, s.fail(ReasonMalformed, "a reference to no character")
	}
	return rune(code), nil
}

// comment skips a comment. It is not part of the canonical content.
func (s *scanner) comment() error {
	if err := s.expect("<!--"); err != nil {
		return err
	}
	dashes := 0
	for {
		c, err := s.char()
		if err != nil {
			return err
		}
		switch {
		case dashes == 2 && c == '>':
			return nil
		case dashes == 2:
			return s.fail(ReasonMalformed, `"--" in a comment`)
		case c == '-':
			dashes++
		default:
			dashes = 0
		}
	}
}

// cdata reads a whole CDATA section.
func (s *scanner) cdata() (token, error) {
	if len(s.open) == 0 {
		return token{}, s.fail(ReasonMalformed, "text outside the root element")
	}
	if err := s.expect("<![CDATA["); err != nil {
		return token{}, err
	}
	s.buffer = s.buffer[:0]
	for {
		c, err := s.char()
		if err != nil {
			return token{}, err
		}
		s.buffer = utf8.AppendRune(s.buffer, c)
		if c == '>' && bytes.HasSuffix(s.buffer, []byte("]]>")) {
			return token{kind: tokenText, text: s.buffer[:len(s.buffer)-3]}, nil
		}
	}
}

// instruction reads a processing instruction, which is content, or the XML
// declaration, which is not: for that it returns the token after it.
func (s *scanner) instruction() (token, error) {
	start := s.offset
	if err := s.expect("<?"); err != nil {
		return token{}, err
	}
	target, err := s.name()
	if err != nil {
		return token{}, err
	}
	if strings.EqualFold(target, "xml") {
		if target != "xml" || start > 0 {
			return token{}, s.fail(ReasonMalformed, "an XML declaration that is not at the start")
		}
		if err := s.declaration(); err != nil {
			return token{}, err
		}
		return s.next()
	}
	if strings.Contains(target, ":") {
		return token{}, s.fail(ReasonMalformed, "a colon in the name of a processing instruction")
	}
	blank, err := s.spaces()
	if err != nil {
		return token{}, err
	}
	s.buffer = s.buffer[:0]
	for {
		c, err := s.char()
		if err != nil {
			return token{}, err
		}
		s.buffer = utf8.AppendRune(s.buffer, c)
		if c == '>' && bytes.HasSuffix(s.buffer, []byte("?>")) {
			s.buffer = s.buffer[:len(s.buffer)-2]
			break
		}
		if len(s.buffer) > s.limits.Value {
			return token{}, s.fail(ReasonLimit, "a processing instruction is too long")
		}
	}
	if !blank && len(s.buffer) > 0 {
		return token{}, s.fail(ReasonMalformed, "no space after the name of a processing instruction")
	}
	return token{kind: tokenInstruction, name: target, text: s.buffer}, nil
}
