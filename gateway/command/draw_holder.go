package command

import (
	"crypto/rand"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// drawHolder makes the commitment of a draw's directory to who an inspector is.
func drawHolder() *cobra.Command {
	var id, inspector, subject string
	cmd := &cobra.Command{
		Use:   "holder",
		Short: "Commit to who an inspector of a draw is",
		Long: "Print the commitment that goes into the directory of inspectors as \"holder\", and\n" +
			"its salt. Keep the salt and give it to the inspector: without it no inspection\n" +
			"can cite the draw.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var salt draw.Digest
			_, _ = rand.Read(salt[:]) // never fails (crypto/rand)
			return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
				Inspector string      `json:"inspector"`
				Holder    draw.Digest `json:"holder"`
				Salt      draw.Digest `json:"salt"`
			}{inspector, draw.InspectorHolder(id, inspector, subject, salt), salt})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&id, "draw", "", "number of the draw")
	flags.StringVar(&inspector, "inspector", "", "the inspector's id of that draw")
	flags.StringVar(&subject, "subject", "", "subject of the inspector's certificate")
	for _, name := range []string{"draw", "inspector", "subject"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return cmd
}
