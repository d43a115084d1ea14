package browser

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The accessibility checker finds nothing at the desks of merchants, markets
// and inspectors.
func TestAccessibilityOfTradeDesks(t *testing.T) {
	everywhere(t, func(t *testing.T, v *visitor) {
		found := map[string][]string{}
		for post, paths := range map[string][]string{
			"merchant":    {"/desk", "/desk/mine", "/desk/drawn?site=S-STATION", do("signPledge"), do("signPledge") + "?id=M-STATION&chosen=on&programme=integrity-metrology&signature.role=operator", do("registerInstrument")},
			"association": {"/desk/mine?merchant=M-MARKET", "/desk/stickers?site=S-MARKET", "/desk/file/importRows-instruments"},
			"inspector":   {"/desk/round?as=I-1", do("enterInspection"), do("enterInspection") + "?site=S-STATION"},
		} {
			v.signIn(post)
			for _, path := range paths {
				v.open(path)
				if violations := v.violations(); len(violations) > 0 {
					found[path] = violations
				}
			}
		}
		require.Empty(t, found)
	})
}
