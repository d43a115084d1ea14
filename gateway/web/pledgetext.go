package web

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

//go:embed pledgetext/*.json
var pledgeTextFiles embed.FS

// The text of pledges made at the desks. A change of its words is a new
// version, since a digest of the old ones stands on the ledger.
const (
	pledgeTemplate        = "steelyard-pledge"
	pledgeTemplateVersion = "2026.1"
)

// pledgeWords are the sentences of a text in one language: "title",
// "programme", one per programme that has a name, "opening", "term", "closing", and one per commitment code.
type pledgeWords map[string]string

// readPledgeWords reads the sentences of the version in use.
func readPledgeWords() (map[language]pledgeWords, error) {
	raw, err := pledgeTextFiles.ReadFile("pledgetext/" + pledgeTemplateVersion + ".json")
	if err != nil {
		return nil, fmt.Errorf("read text of pledges: %w", err)
	}
	var words map[language]pledgeWords
	if err := json.Unmarshal(raw, &words); err != nil {
		return nil, fmt.Errorf("read text of pledges: %w", err)
	}
	return words, nil
}

// text composes what is signed. It names nobody: a name could be guessed back
// from a digest. Lines end with \n.
func (w pledgeWords) text(programme string, t metrology.TermRequest) string {
	var b strings.Builder
	line := func(key string, args ...any) {
		if len(args) == 0 {
			b.WriteString(w[key] + "\n")
			return
		}
		b.WriteString(fmt.Sprintf(w[key], args...) + "\n")
	}
	line("title")
	line("programme", cmp.Or(w["programme."+programme], programme), pledgeTemplate, pledgeTemplateVersion)
	line("opening")
	for i, c := range t.Commitments {
		fmt.Fprintf(&b, "%d. ", i+1)
		if rule, _ := c.Code.Rule(); rule.High > 0 {
			line(string(c.Code), c.Value)
			continue
		}
		line(string(c.Code))
	}
	line("term", t.From, t.Months, t.From.AddMonths(t.Months))
	line("closing")
	return b.String()
}

// digestOfText is the digest of a text's bytes, as the ledger holds it.
func digestOfText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
