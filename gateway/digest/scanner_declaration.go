package digest

import (
	"strings"
	"unicode/utf8"
)

// declaration reads the rest of an XML declaration: version 1.0, an encoding
// that is UTF-8 or part of it, and standalone, which says nothing without a
// document type.
func (s *scanner) declaration() error {
	order := []string{"version", "encoding", "standalone"}
	for {
		blank, err := s.spaces()
		if err != nil {
			return err
		}
		if s.peek() == '?' {
			if order[0] == "version" {
				return s.fail(ReasonMalformed, "an XML declaration without version")
			}
			return s.expect("?>")
		}
		if !blank {
			return s.fail(ReasonMalformed, "no space in the XML declaration")
		}
		a, err := s.attribute()
		if err != nil {
			return err
		}
		for len(order) > 1 && order[0] != a.name && order[0] != "version" {
			order = order[1:]
		}
		if order[0] != a.name {
			return s.fail(ReasonMalformed, "an XML declaration out of order")
		}
		if err := s.checkDeclaration(a); err != nil {
			return err
		}
		if order = order[1:]; len(order) == 0 {
			order = []string{""} // nothing may follow
		}
	}
}

func (s *scanner) checkDeclaration(a attribute) error {
	switch a.name {
	case "version":
		if a.value != "1.0" {
			return s.fail(ReasonMalformed, "not XML 1.0")
		}
	case "encoding":
		if !strings.EqualFold(a.value, "utf-8") && !strings.EqualFold(a.value, "us-ascii") {
			return s.fail(ReasonEncoding, "want UTF-8")
		}
	case "standalone":
		if a.value != "yes" && a.value != "no" {
			return s.fail(ReasonMalformed, "standalone is neither yes nor no")
		}
	}
	return nil
}

// name reads a name with at most one colon inside (Namespaces in XML 1.0).
func (s *scanner) name() (string, error) {
	var name strings.Builder
	for {
		head, _ := s.in.Peek(utf8.UTFMax)
		c, _ := utf8.DecodeRune(head)
		if len(head) == 0 || !isNameChar(c) {
			break
		}
		if name.Len() == 0 && !isNameStart(c) {
			break
		}
		if _, err := s.char(); err != nil {
			return "", err
		}
		if name.WriteRune(c); name.Len() > s.limits.Name {
			return "", s.fail(ReasonLimit, "a name is too long")
		}
	}
	text := name.String()
	prefix, local, colon := strings.Cut(text, ":")
	first, _ := utf8.DecodeRuneInString(local)
	if text == "" || colon && (prefix == "" || !isNameStart(first) || strings.Contains(local, ":")) {
		return "", s.fail(ReasonMalformed, "not a name")
	}
	return text, nil
}

// isSpace is XML's S.
func isSpace(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isChar is XML 1.0's Char.
func isChar(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xD7FF ||
		c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= 0x10FFFF
}

// isNameStart is XML 1.0's NameStartChar.
func isNameStart(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':':
		return true
	case c < 0xC0 || c == 0xD7 || c == 0xF7 || c == 0x37E:
		return false
	}
	return c <= 0x2FF || c >= 0x370 && c <= 0x1FFF || c == 0x200C || c == 0x200D ||
		c >= 0x2070 && c <= 0x218F || c >= 0x2C00 && c <= 0x2FEF || c >= 0x3001 && c <= 0xD7FF ||
		c >= 0xF900 && c <= 0xFDCF || c >= 0xFDF0 && c <= 0xFFFD && c != utf8.RuneError || c >= 0x10000 && c <= 0xEFFFF
}

// isNameChar is XML 1.0's NameChar.
func isNameChar(c rune) bool {
	return isNameStart(c) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == 0xB7 ||
		c >= 0x300 && c <= 0x36F || c == 0x203F || c == 0x2040
}
