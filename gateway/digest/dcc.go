package digest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
)

// DCC is what a digital calibration certificate says of itself, as far as the
// match with an instrument needs it. Texts are as written, trimmed, and cut at
// 1,024 bytes. Persons, addresses and the customer are never read.
type DCC struct {
	// ContentSHA256 is the digest c14n-sha256: inclusive Canonical XML without
	// comments of the document without the ds:Signature children of its root.
	// It covers neither comments nor anything inside a signature.
	ContentSHA256    string
	SchemaVersion    string
	UniqueIdentifier string
	BeginPerformance string // xs:date
	EndPerformance   string // xs:date
	IssueDate        string // xs:date, optional in the schema
	Items            []Item
	Signatures       int // signatures left out of the content; they are not verified
}

// Item is one calibrated item.
type Item struct {
	Model           string
	Identifications []Identification
}

// Identification is a number somebody gave to an item.
type Identification struct {
	Issuer string // manufacturer, customer, calibrationLaboratory, owner or other
	Value  string
}

// Serials lists the numbers the manufacturers gave, without repetition.
func (d DCC) Serials() []string {
	var serials []string
	seen := map[string]bool{"": true}
	for _, item := range d.Items {
		for _, identification := range item.Identifications {
			if identification.Issuer == "manufacturer" && !seen[identification.Value] {
				seen[identification.Value] = true
				serials = append(serials, identification.Value)
			}
		}
	}
	return serials
}

// readDCC reads XML to its end and digests its content. Both results are nil
// for a file that is not XML, or XML that is not a DCC.
func readDCC(in io.Reader, limits Limits) (*DCC, *ContentError) {
	s := newScanner(in, limits)
	if found, err := skipToMarkup(s); err != nil || !found {
		return nil, err
	}
	sum := sha256.New()
	reader := &dccReader{scanner: s, out: canonicalWriter{out: bufio.NewWriter(sum)}}
	err := reader.run()
	var contentError *ContentError
	switch {
	case errors.Is(err, errNotDCC):
		return nil, nil
	case errors.As(err, &contentError):
		return nil, contentError
	}
	_ = reader.out.out.Flush() // into a hash, which never fails
	reader.dcc.ContentSHA256 = hex.EncodeToString(sum.Sum(nil))
	return &reader.dcc, nil
}

// skipToMarkup skips a UTF-8 byte order mark and tells whether the file starts
// like XML.
func skipToMarkup(s *scanner) (bool, *ContentError) {
	head, _ := s.in.Peek(4)
	if bytes.HasPrefix(head, []byte("\xff\xfe<\x00")) || bytes.HasPrefix(head, []byte("\xfe\xff\x00<")) {
		return false, &ContentError{Reason: ReasonEncoding, Detail: "UTF-16, want UTF-8"}
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = s.in.Discard(3)
	}
	for skipped := 0; skipped < 1024; skipped++ { // white space before the root, at most a little
		head, _ = s.in.Peek(skipped + 1)
		if len(head) <= skipped || !isSpace(rune(head[skipped])) {
			return len(head) > skipped && head[skipped] == '<', nil
		}
	}
	return false, nil
}

var errNotDCC = errors.New("the root element is not a DCC's")

// dccReader walks the document once, writing canonical XML and picking facts.
type dccReader struct {
	scanner    *scanner
	namespaces namespaces
	out        canonicalWriter
	dcc        DCC

	depth     int      // open elements
	signature int      // depth of the signature being left out, 0 for none
	path      []string // local names below the root, "" for other namespaces
	captured  strings.Builder
}

func (r *dccReader) run() error {
	for {
		t, err := r.scanner.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case tokenEOF:
			return nil
		case tokenStart:
			err = r.start(t)
		case tokenEnd:
			r.end(t)
		case tokenText:
			r.text(t.text)
		case tokenInstruction:
			if r.signature == 0 {
				r.out.instruction(t.name, t.text)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (r *dccReader) start(t token) error {
	opened, detail := r.namespaces.push(t)
	if detail != "" {
		return r.scanner.fail(ReasonMalformed, detail)
	}
	r.depth++
	if r.depth == 1 {
		if err := r.root(opened); err != nil {
			return err
		}
	}
	if r.depth == 2 && opened.expandedName == (expandedName{signatureNamespace, "Signature"}) {
		r.signature = r.depth
		r.dcc.Signatures++
	}
	if r.signature != 0 {
		return nil
	}
	r.out.start(opened)
	return r.open(opened)
}

func (r *dccReader) root(opened element) error {
	if opened.expandedName != (expandedName{dccNamespace, "digitalCalibrationCertificate"}) {
		return errNotDCC
	}
	for _, a := range opened.attributes {
		if a.expandedName == (expandedName{"", "schemaVersion"}) {
			r.dcc.SchemaVersion = a.value
		}
	}
	if !strings.HasPrefix(r.dcc.SchemaVersion, "2.") && !strings.HasPrefix(r.dcc.SchemaVersion, "3.") {
		return r.scanner.fail(ReasonVersion, "want a DCC schema version 2.x or 3.x")
	}
	return nil
}

func (r *dccReader) end(t token) {
	if r.signature == 0 {
		r.out.end(t.name)
		r.close()
	}
	if r.signature == r.depth {
		r.signature = 0
	}
	r.namespaces.pop()
	r.depth--
}

func (r *dccReader) text(text []byte) {
	if r.signature != 0 {
		return
	}
	r.out.text(text)
	r.capture(text)
}
