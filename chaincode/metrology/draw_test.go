package metrology

import "testing"

func TestDrawTransitions(t *testing.T) {
	requireMatrix(t, DrawTransitions, DrawPhases,
		[]DrawCommand{
			DrawFile, DrawApprove, DrawFileDirectory, DrawSetFreeze, DrawApproveFreeze, DrawEnactFreeze, DrawCommit, DrawOpen,
			DrawRevealSecret, DrawSetClose, DrawObserve, DrawSeed, DrawAcceptEscrow, DrawCommitLeaves, DrawPost, DrawFail, DrawCancel, DrawAnnul, DrawChallenge,
		}, `
		absent plan planned
		planned accept-escrow planned
		planned approve approved
		planned cancel cancelled
		approved accept-escrow approved
		approved file-directory approved
		approved freeze frozen
		approved cancel cancelled
		frozen approve-freeze frozen
		frozen enact-freeze committing
		frozen cancel cancelled
		frozen void void
		committing commit committing
		committing open revealing
		committing cancel cancelled
		committing void void
		revealing reveal revealing
		revealing close closed
		revealing void void
		closed observe closed
		closed beacon seeded
		closed void void
		seeded commit-leaves sealed
		seeded result drawn
		seeded fail infeasible
		sealed commit-leaves sealed
		sealed result drawn
		sealed fail infeasible
		drawn challenge seeded
		infeasible challenge seeded`)
}

func TestDrawChangeTransitions(t *testing.T) {
	requireMatrix(t, DrawChangeTransitions, []DrawChangeState{DrawChangeProposed, DrawChangeApproved, DrawChangeRejected},
		[]DrawChangeCommand{DrawChangeApprove, DrawChangeReject}, `
		proposed approve-change approved
		proposed reject-change rejected`)
}
