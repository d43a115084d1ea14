package metrology

import "testing"

func TestSiteTransitions(t *testing.T) {
	requireMatrix(t, SiteTransitions,
		[]SiteState{SiteOpen, SiteClosed},
		[]SiteCommand{SiteRegister, SiteAmend, SiteOccupy, SiteVacate, SiteClose, SiteReopen, SitePurge}, `
		absent register open
		open amend open
		open occupy open
		open vacate open
		open purge-profile open
		open close closed
		closed vacate closed
		closed purge-profile closed
		closed reopen open`)
}

func TestPledgeTransitions(t *testing.T) {
	requireMatrix(t, PledgeTransitions,
		[]PledgeState{PledgeSigned, PledgePublished, PledgeSuspended, PledgeWithdrawn, PledgeRevoked},
		[]PledgeCommand{PledgeSign, PledgePublish, PledgeRenew, PledgeWithdraw, PledgeSuspend, PledgeRestore, PledgeRevoke}, `
		absent sign signed
		signed publish published
		signed withdraw withdrawn
		published publish published
		published renew published
		published suspend suspended
		published withdraw withdrawn
		published revoke revoked
		suspended suspend suspended
		suspended restore published
		suspended withdraw withdrawn
		suspended revoke revoked`)
}

func TestRulesetTransitions(t *testing.T) {
	requireMatrix(t, RulesetTransitions,
		[]RulesetState{RulesetDraft, RulesetProposed, RulesetInForce, RulesetRepealing, RulesetRepealed, RulesetRejected},
		[]RulesetCommand{RulesetStore, RulesetPropose, RulesetApprove, RulesetReject, RulesetRepeal}, `
		absent store draft
		absent propose proposed
		proposed approve in-force
		proposed reject rejected
		in-force repeal repealing
		repealing approve repealed
		repealing reject in-force`)
}

func TestInspectionTransitions(t *testing.T) {
	requireMatrix(t, InspectionTransitions,
		[]InspectionState{InspectionEntered, InspectionReviewed, InspectionPublished, InspectionObjected, InspectionRetested,
			InspectionUpheld, InspectionCorrected, InspectionWithdrawn},
		[]InspectionCommand{InspectionEnter, InspectionRevise, InspectionReview, InspectionReturn, InspectionPublish, InspectionObject,
			InspectionRetest, InspectionUphold, InspectionCorrect, InspectionWithdraw, InspectionHandOver, InspectionSettle,
			InspectionUnsettle}, `
		absent enter entered
		entered revise entered
		entered review reviewed
		entered withdraw withdrawn
		entered hand-over entered
		reviewed return entered
		reviewed publish published
		reviewed withdraw withdrawn
		reviewed hand-over reviewed
		published object objected
		published correct corrected
		published withdraw withdrawn
		published hand-over published
		published settle published
		published unsettle published
		objected retest retested
		objected uphold upheld
		objected correct corrected
		objected withdraw withdrawn
		objected hand-over objected
		objected settle objected
		objected unsettle objected
		retested uphold upheld
		retested correct corrected
		retested withdraw withdrawn
		retested hand-over retested
		retested settle retested
		retested unsettle retested
		upheld correct corrected
		upheld withdraw withdrawn
		upheld hand-over upheld
		upheld settle upheld
		upheld unsettle upheld
		corrected object objected
		corrected correct corrected
		corrected withdraw withdrawn
		corrected hand-over corrected
		corrected settle corrected
		corrected unsettle corrected`)
}
