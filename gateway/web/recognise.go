package web

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// question is what somebody put into the one box, as far as its form tells.
// Exactly one member is set.
type question struct {
	Digests []metrology.Digest // of one file: one labelled digest, or a bare one under every algorithm
	Path    string             // a page of ours, from the address in a code
	Text    string             // a number, a name or an identifier: only the register can tell
}

var (
	digestPattern = regexp.MustCompile(`^(?:(sha256|sha-256|sm3|c14n-sha256)\s*[:=\s]\s*)?([0-9a-f]{64})$`)
	pagePattern   = regexp.MustCompile(`^/(?:[cimnstv]/[^/]+|draws/[^/]+|d/[^/]+/[^/]+)$`)
	breaks        = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", ":", "")
)

// algorithms are those a bare digest may belong to.
var algorithms = []string{metrology.AlgorithmSHA256, metrology.AlgorithmSM3, metrology.AlgorithmC14NSHA256}

// recognise reads the box.
func recognise(text string) question {
	text = strings.TrimSpace(halfWidth(text))
	if digests := readDigest(strings.ToLower(text)); digests != nil {
		return question{Digests: digests}
	}
	if path := readAddress(text); path != "" {
		return question{Path: path}
	}
	return question{Text: text}
}

// readDigest reads 64 hexadecimal digits, also in groups as certificates print
// them, alone or after the name of their algorithm.
func readDigest(text string) []metrology.Digest {
	match := digestPattern.FindStringSubmatch(text)
	if match == nil {
		match = digestPattern.FindStringSubmatch(breaks.Replace(text))
	}
	if match == nil {
		return nil
	}
	label := strings.Replace(match[1], "sha-", "sha", 1)
	if label != "" {
		return []metrology.Digest{{Algorithm: label, Value: match[2]}}
	}
	digests := make([]metrology.Digest, len(algorithms))
	for i, algorithm := range algorithms {
		digests[i] = metrology.Digest{Algorithm: algorithm, Value: match[2]}
	}
	return digests
}

// readAddress takes the path of one of our pages out of a whole address,
// whatever host stands before it: the visitor stays on this one.
func readAddress(text string) string {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "/") {
		return ""
	}
	address, err := url.Parse(text)
	if err != nil || !pagePattern.MatchString(address.EscapedPath()) {
		return ""
	}
	return address.EscapedPath()
}

// halfWidth turns full-width forms, as Chinese input methods type them, into
// ASCII.
func halfWidth(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == 0x3000: // ideographic space
			return ' '
		case c >= 0xFF01 && c <= 0xFF5E:
			return c - 0xFEE0
		}
		return c
	}, text)
}
