package public

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/devbeacon"
	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// TestCheckRound: nothing but the signature of the round that a closed draw
// waits for, once it is due.
func TestCheckRound(t *testing.T) {
	beacon, err := devbeacon.New(make([]byte, devbeacon.SeedSize), 3, 0)
	require.NoError(t, err)
	truth := hex.EncodeToString(beacon.Sign(7))
	const due = 18
	var closed DrawRecord
	closed.Phase, closed.Round, closed.RoundTime, closed.Terms.Beacon = metrology.DrawClosed, 7, due, beacon.Chain().Pin()
	require.NoError(t, closed.CheckRound(truth, due))
	for _, c := range []struct {
		name      string
		signature string
		now       int64
		change    func(*DrawRecord)
		code      metrology.Code
	}{
		{"NotDue", truth, due - 1, nil, metrology.CodeState},
		{"Seeded", truth, due, func(d *DrawRecord) { d.Phase = metrology.DrawSeeded }, metrology.CodeState},
		{"Committing", truth, due, func(d *DrawRecord) { d.Phase = metrology.DrawCommitting }, metrology.CodeState},
		{"NextRound", hex.EncodeToString(beacon.Sign(8)), due, nil, metrology.CodeSignature},
		{"Randomness", strings.Repeat("ab", 32), due, nil, metrology.CodeSignature},
		{"UpperCase", strings.ToUpper(truth), due, nil, metrology.CodeInvalid},
		{"NotHex", "zz", due, nil, metrology.CodeInvalid},
		{"PinBroken", truth, due, func(d *DrawRecord) { d.Terms.Beacon.Period = 4 }, metrology.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := closed
			if c.change != nil {
				c.change(&record)
			}
			require.Equal(t, c.code, metrology.ErrorCode(record.CheckRound(c.signature, c.now)))
		})
	}
}
