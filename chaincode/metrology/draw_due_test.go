package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a phase asks for is due when the rules of the next step begin to do
// without it.
func TestDrawDue(t *testing.T) {
	for phase, margins := range map[DrawPhase]int64{
		DrawFrozen: openMargins, DrawCommitting: openMargins, DrawRevealing: closeMargins, DrawClosed: 1,
	} {
		d := Draw{Phase: phase, RoundTime: 10_000, Terms: DrawTerms{Margin: 100}}
		require.Equal(t, 10_000-margins*100, d.Due(), phase)
		d.RoundTime = 0
		require.Zero(t, d.Due(), "%s without a round", phase)
	}
	for _, phase := range []DrawPhase{DrawPlanned, DrawApproved, DrawSeeded, DrawDrawn, DrawCancelled, DrawVoid} {
		require.Zero(t, Draw{Phase: phase, RoundTime: 10_000, Terms: DrawTerms{Margin: 100}}.Due(), phase)
	}
}
