package digest

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// tokenKind names what the scanner met.
type tokenKind int

const (
	tokenStart tokenKind = iota // start tag, or the start half of an empty element
	tokenEnd
	tokenText        // a run of character data, references resolved; long text comes in several
	tokenInstruction // processing instruction
	tokenEOF
)

// attribute is one attribute with its name as written. Values are normalised
// as XML 1.0 section 3.3.3 says for attributes of type CDATA.
type attribute struct {
	name  string
	value string
}

// token is one event. Only the members of its kind are set; text is valid
// until the next call.
type token struct {
	kind       tokenKind
	name       string // element's name as written, or the instruction's target
	attributes []attribute
	text       []byte // text, or the instruction's data
}

// textChunk is how much character data one token carries at most.
const textChunk = 8 << 10

// scanner reads XML 1.0 in UTF-8 (W3C Recommendation, fifth edition) without a
// document type. encoding/xml will not do: it loses the difference between a
// literal line feed in an attribute's value, which XML turns into a space, and
// a referenced one, which stays, and schemaLocation is often written over
// several lines.
type scanner struct {
	in       *bufio.Reader
	limits   Limits
	offset   int64
	open     []string // names of the open elements
	elements int
	rooted   bool   // the root element has begun
	emptyEnd bool   // the end half of an empty element is due
	buffer   []byte // backs token.text
	brackets int    // literal ']' just before, since "]]>" is forbidden in text
}

func newScanner(in io.Reader, limits Limits) *scanner {
	return &scanner{in: bufio.NewReaderSize(in, 32<<10), limits: limits}
}

func (s *scanner) fail(reason Reason, detail string) error {
	return &ContentError{Reason: reason, Offset: s.offset, Detail: detail}
}

// next returns the next token, or a *ContentError.
func (s *scanner) next() (token, error) {
	if s.emptyEnd {
		s.emptyEnd = false
		return s.closeElement(s.open[len(s.open)-1])
	}
	for {
		head, err := s.in.Peek(1)
		if len(head) == 0 {
			return s.end(err)
		}
		if head[0] != '<' {
			t, err := s.text()
			if err != nil || len(t.text) > 0 {
				return t, err
			}
			continue // white space outside the root, or the end
		}
		t, found, err := s.markup()
		if err != nil || found {
			return t, err
		}
	}
}

func (s *scanner) end(err error) (token, error) {
	if err != nil && !errors.Is(err, io.EOF) {
		return token{}, s.fail(ReasonMalformed, "the file could not be read further")
	}
	if len(s.open) > 0 || !s.rooted {
		return token{}, s.fail(ReasonMalformed, "the document ends early")
	}
	return token{kind: tokenEOF}, nil
}

// markup reads what starts with '<'. found is false for a comment.
func (s *scanner) markup() (t token, found bool, err error) {
	s.brackets = 0
	head, _ := s.in.Peek(9)
	switch {
	case hasPrefix(head, "</"):
		t, err = s.endTag()
		return t, true, err
	case hasPrefix(head, "<?"):
		t, err = s.instruction()
		return t, true, err
	case hasPrefix(head, "<!--"):
		return token{}, false, s.comment()
	case hasPrefix(head, "<![CDATA["):
		t, err = s.cdata()
		return t, len(t.text) > 0, err
	case hasPrefix(head, "<!"):
		return token{}, false, s.fail(ReasonForbidden, "a document type declaration")
	}
	t, err = s.startTag()
	return t, true, err
}

func hasPrefix(head []byte, prefix string) bool { return strings.HasPrefix(string(head), prefix) }

// char reads one character with its line end normalised (XML 1.0, 2.11).
func (s *scanner) char() (rune, error) {
	c, size, err := s.in.ReadRune()
	if err != nil {
		return 0, s.fail(ReasonMalformed, "the document ends early")
	}
	s.offset += int64(size)
	if s.offset > s.limits.Bytes {
		return 0, s.fail(ReasonLimit, "the file is too large")
	}
	if c == utf8.RuneError && size == 1 {
		return 0, s.fail(ReasonEncoding, "not UTF-8")
	}
	if c == '\r' {
		if following, _ := s.in.Peek(1); len(following) == 1 && following[0] == '\n' {
			return s.char()
		}
		return '\n', nil
	}
	if !isChar(c) {
		return 0, s.fail(ReasonMalformed, "a character that XML forbids")
	}
	return c, nil
}

// expect reads exactly the given ASCII text.
func (s *scanner) expect(text string) error {
	for _, want := range text {
		c, err := s.char()
		if err != nil {
			return err
		}
		if c != want {
			return s.fail(ReasonMalformed, "want "+text)
		}
	}
	return nil
}

// peek returns the next byte, 0 at the end of the file.
func (s *scanner) peek() byte {
	head, _ := s.in.Peek(1)
	if len(head) == 0 {
		return 0
	}
	return head[0]
}

// spaces skips white space and tells whether there was any.
func (s *scanner) spaces() (bool, error) {
	found := false
	for isSpace(rune(s.peek())) {
		if _, err := s.char(); err != nil {
			return false, err
		}
		found = true
	}
	return found, nil
}

// text reads character data up to the next '<' or to the size of a chunk.
// Outside the root only white space may stand; it yields an empty token.
func (s *scanner) text() (token, error) {
	if len(s.open) == 0 {
		blank, err := s.spaces()
		if err == nil && !blank {
			err = s.fail(ReasonMalformed, "text outside the root element")
		}
		return token{}, err
	}
	s.buffer = s.buffer[:0]
	for len(s.buffer) < textChunk {
		head, _ := s.in.Peek(1)
		if len(head) == 0 || head[0] == '<' {
			break // an early end is found by the next call of next
		}
		if s.plainText() {
			continue
		}
		c, err := s.textChar()
		if err != nil {
			return token{}, err
		}
		s.buffer = utf8.AppendRune(s.buffer, c)
	}
	return token{kind: tokenText, text: s.buffer}, nil
}

// plainText takes a run of characters that need no care from what is buffered.
// It is there for speed alone: certificates may embed files in base64.
func (s *scanner) plainText() bool {
	ahead, _ := s.in.Peek(min(s.in.Buffered(), textChunk))
	plain := 0
	for plain < len(ahead) && isPlain(ahead[plain]) {
		plain++
	}
	if plain == 0 || s.offset+int64(plain) > s.limits.Bytes {
		return false
	}
	s.buffer = append(s.buffer, ahead[:plain]...)
	s.offset += int64(plain)
	s.brackets = 0
	_, _ = s.in.Discard(plain) // it is buffered
	return true
}

// isPlain reports whether a byte is a character of text by itself: printable
// ASCII, tab or line feed, and neither markup nor part of "]]>".
func isPlain(c byte) bool {
	return c >= ' ' && c < 0x7f && c != '<' && c != '&' && c != ']' && c != '>' || c == '\n' || c == '\t'
}

// textChar reads a character or a reference, and refuses "]]>".
func (s *scanner) textChar() (rune, error) {
	c, err := s.char()
	if err != nil {
		return 0, err
	}
	switch {
	case c == '&':
		s.brackets = 0
		return s.reference()
	case c == ']':
		s.brackets++
	case c == '>' && s.brackets >= 2:
		return 0, s.fail(ReasonMalformed, `"]]>" in text`)
	default:
		s.brackets = 0
	}
	return c, nil
}
