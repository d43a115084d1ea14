package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
	"github.com/steelyard-ledger/steelyard/gateway/evidence"
	"github.com/steelyard-ledger/steelyard/gateway/ledger"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// checkLedger checks the blocks that a transcript carries, makes a transcript
// of what they say, and holds every other member against it. It says what it
// found.
func checkLedger(document []byte, trust ledger.Trust) (string, error) {
	var shown map[string]json.RawMessage
	var frame struct {
		Draw   string                  `json:"draw"`
		Ledger public.TranscriptLedger `json:"ledger"`
	}
	if err := errors.Join(json.Unmarshal(document, &shown), json.Unmarshal(document, &frame)); err != nil {
		return "", fmt.Errorf("read transcript: %w", err)
	}
	if len(frame.Ledger.Evidence) == 0 {
		return "", errors.New("it names transactions and carries no blocks")
	}
	var steps evidence.Steps
	if err := json.Unmarshal(frame.Ledger.Evidence, &steps); err != nil {
		return "", fmt.Errorf("read blocks: %w", err)
	}
	history, err := evidence.VerifySteps(trust, steps, frame.Draw)
	if err != nil {
		return "", err
	}
	lists, err := public.ReadDraw(history.Values)
	if err != nil {
		return "", fmt.Errorf("read blocks: %w", err)
	}
	signed, err := json.Marshal(public.NewDrawTranscript(lists, nil, public.Status{}))
	if err != nil {
		return "", fmt.Errorf("write transcript: %w", err)
	}
	if err := sameMembers(shown, signed); err != nil {
		return "", err
	}
	return describe(history), nil
}

// sameMembers compares all members but the ledger's own, whatever their order
// and spaces.
func sameMembers(shown map[string]json.RawMessage, signed []byte) error {
	var recorded map[string]json.RawMessage
	if err := json.Unmarshal(signed, &recorded); err != nil {
		return fmt.Errorf("read transcript: %w", err)
	}
	names := make(map[string]bool)
	for name := range shown {
		names[name] = true
	}
	for name := range recorded {
		names[name] = true
	}
	delete(names, "ledger")
	for name := range names {
		left, err := canonical(shown[name])
		if err != nil {
			return err
		}
		right, err := canonical(recorded[name])
		if err != nil {
			return err
		}
		if left != right {
			return fmt.Errorf("%s is not what the signed blocks say", name)
		}
	}
	return nil
}

func canonical(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	form, err := strictjson.Canonical(raw)
	return string(form), err
}

// describe says what holds, and what of it nobody signed.
func describe(history evidence.History) string {
	confirmed := 0
	organizations := make(map[string]bool)
	for _, step := range history.Steps {
		if step.Confirmed {
			confirmed++
		}
		for _, mspID := range step.Endorsers {
			organizations[mspID] = true
		}
	}
	endorsers := make([]string, 0, len(organizations))
	for mspID := range organizations {
		endorsers = append(endorsers, mspID)
	}
	slices.Sort(endorsers)
	first, last := history.Steps[0].Place.Block, history.Steps[len(history.Steps)-1].Place.Block
	return fmt.Sprintf("%d transactions in blocks %d to %d, endorsed by peers of %s; %d of them confirmed by a later one",
		len(history.Steps), first, last, strings.Join(endorsers, ", "), confirmed)
}
