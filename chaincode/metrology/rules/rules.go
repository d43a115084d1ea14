// Package rules ships rule tables that were read in laws, regulations and
// notices, ready to be proposed on a ledger, and drafts of others. Nothing
// here is in force: a regulator proposes a table and a second organisation
// approves it.
//
// A table marked firm gives only numbers that were read in the source it
// names. One marked draft waits for somebody who has read the source; the
// ledger stores it and no verdict uses it.
//
// Categories of instruments and goods are codes of this project, since the
// numbering of the national catalogue was not read: fuel-dispenser,
// non-automatic-scale, taximeter, ev-charger, lens-meter, optometer,
// trial-lenses; goods-… for retail weighing.
package rules

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

//go:embed data/*.json
var files embed.FS

// All returns every shipped document, in the order of their file names.
func All() ([]metrology.RuleDocument, error) {
	entries, err := files.ReadDir("data")
	if err != nil {
		return nil, fmt.Errorf("list rule tables: %w", err)
	}
	documents := make([]metrology.RuleDocument, 0, len(entries))
	for _, entry := range entries {
		raw, err := files.ReadFile("data/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read rule table: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		var document metrology.RuleDocument
		if err := decoder.Decode(&document); err != nil {
			return nil, fmt.Errorf("decode %s: %w", entry.Name(), err)
		}
		if err := document.Validate(); err != nil {
			return nil, fmt.Errorf("check %s: %w", entry.Name(), err)
		}
		documents = append(documents, document)
	}
	return documents, nil
}
