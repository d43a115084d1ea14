package public

import (
	"encoding/json"
	"fmt"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// Outcome recomputes a draw whose objects stand in a file, with what a posting
// of its result is decided against.
func (d DrawDirectories) Outcome() (draw.Outcome, draw.Disputed, error) {
	if d.Files == nil {
		return draw.Outcome{}, draw.Disputed{}, noFiles()
	}
	document, err := json.Marshal(NewDrawTranscript(d, nil, Status{}))
	if err != nil {
		return draw.Outcome{}, draw.Disputed{}, fmt.Errorf("encode transcript: %w", err)
	}
	transcript, err := draw.ParseTranscript(document)
	if err != nil {
		return draw.Outcome{}, draw.Disputed{}, fmt.Errorf("read transcript of draw %s: %w", d.Record.ID, err)
	}
	return transcript.Outcome(draw.Serially(d.Files.Directory(d.Record.Frozen.ObjectsRoot)))
}
