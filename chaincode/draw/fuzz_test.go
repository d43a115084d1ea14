package draw

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseInput holds that an accepted input computes or is refused with an
// Error, never anything else.
func FuzzParseInput(f *testing.F) {
	f.Add(sampleInput(f).document(f))
	f.Add([]byte(`{"draw":"x","plan":{},"objects":[{"id":"A","stratum":"B","weight":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := ParseInput(data)
		if err == nil {
			_, err = Compute(in)
		}
		var e *Error
		if err != nil {
			require.ErrorAs(t, err, &e)
		}
	})
}

func FuzzParsePlan(f *testing.F) {
	f.Add(`{"quota":{"A":1},"assign":[["x"],[]],"ladder":[1]}`)
	f.Add(`{"rates":{"A":[1,3]},"assign":[[],[]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := ParsePlan([]byte(text))
		if err != nil {
			return
		}
		again, err := ParsePlan(plan.Canonical)
		require.NoError(t, err)
		require.Equal(t, plan, again)
	})
}

func FuzzParseTranscript(f *testing.F) {
	f.Add([]byte(`{"definition":"DR-1","draw":"x","plan":{"quota":{},"assign":[[],[]]},"approvals":[],"result":{"seed":1}}`))
	f.Add([]byte(`{"definition":"DR-1","draw":"x","plan":{"quota":{},"assign":[[],[]],"margin":1,"timeWindow":0},` +
		`"directories":{"objects":[],"inspectors":[],"ineligible":[]},"reveals":[],"commitments":[],"observations":[],"substitutions":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		transcript, err := ParseTranscript(data)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		require.Len(t, (Verifier{}).Verify(transcript), 15)
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add("id,stratum,weight\nA,B,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		survey := NewSurvey()
		if err := readCSV(strings.NewReader(text), survey.Add); err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
		}
	})
}

// FuzzAbsence holds that no JSON proof shows an id of the directory absent.
func FuzzAbsence(f *testing.F) {
	list := Objects{{"B", "S", 1}, {"D", "S", 1}, {"F", "S", 1}}
	root := ListRoot(list)
	_, absence, err := Prove(list, "E")
	require.NoError(f, err)
	seed, err := json.Marshal(absence)
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Absence
		if json.Unmarshal(data, &a) != nil || a.Verify(root, 3) != nil {
			return
		}
		for _, o := range list {
			require.NotEqual(t, o.ID, a.ID)
		}
	})
}
