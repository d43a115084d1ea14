package web_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// A place is told of the draws that it stands in, however many others came
// since; where it stands in none, that is said.
func TestDrawnTellsWhatIsOfThePlace(t *testing.T) {
	d := newDesk(t)
	d.signIn("merchant")
	d.register.draws = slices.DeleteFunc(d.register.draws, func(r public.DrawRecord) bool { return r.Phase != metrology.DrawDrawn || r.ByFile })
	own := d.get("/desk/drawn?site=S-1", "en").Body.String()
	require.Contains(t, own, `href="/draws/310115-000001?site=S-1"`)
	require.Contains(t, d.get("/desk/drawn?site=S-9", "en").Body.String(), "left out of the directory")
	other := d.get("/desk/drawn?site=S-2", "en").Body.String()
	require.NotContains(t, other, `href="/draws/`+`310115`)
	require.Contains(t, other, "The place stands in the directory of none of the")
	require.Contains(t, d.get("/desk/drawn?site=S-2", "zh").Body.String(), "次抽查的名录中都没有这个场所")
	d.register.draws = nil
	require.Contains(t, d.get("/desk/drawn?site=S-2", "en").Body.String(), "There is no draw yet.")
}
