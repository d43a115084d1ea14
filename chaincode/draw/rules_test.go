package draw

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompute(t *testing.T) {
	t.Run("Open", func(t *testing.T) {
		r, err := Compute(sampleInput(t))
		require.NoError(t, err)
		require.Nil(t, r.SealedSeed)
		require.Len(t, r.Assignment.Order, 7)
	})
	t.Run("SealedDrawsWithTheSealedSeed", func(t *testing.T) {
		in := sealedInput(t)
		r, err := Compute(in)
		require.NoError(t, err)
		require.Equal(t, SealedSeed(r.Seed, *in.SealedSecret), *r.SealedSeed)
		require.Equal(t, Ticket(*r.SealedSeed, r.Strata[0].Selected[0].ID), r.Strata[0].Selected[0].Key.Ticket)
	})
	t.Run("Rates", func(t *testing.T) {
		in := sampleInput(t)
		in.Plan = []byte(`{"rates":{"A":[1,10],"B":[0,7],"C":[1,1]},"assign":[[],[]],"ladder":[9]}`)
		r, err := Compute(in)
		require.NoError(t, err)
		require.Equal(t, []uint64{2, 0, 12}, []uint64{r.Strata[0].Quota, r.Strata[1].Quota, r.Strata[2].Quota})
		require.Nil(t, r.Strata[1].Threshold)
		require.Equal(t, uint32(9), r.Assignment.CapPlus)
	})
	t.Run("CensusOfUnequalWeightsIsOutright", func(t *testing.T) {
		in := sampleInput(t)
		in.Plan = []byte(`{"quota":{"B":12},"assign":[[],[]],"ladder":[9]}`)
		r, err := Compute(in)
		require.NoError(t, err)
		require.Len(t, r.Strata[0].Outright, 12)
		require.Nil(t, r.Strata[0].Threshold)
	})
	t.Run("CensusOfEqualWeightsIsRanked", func(t *testing.T) {
		in := sampleInput(t)
		in.Plan = []byte(`{"quota":{"C":12},"assign":[[],[]],"ladder":[9]}`)
		r, err := Compute(in)
		require.NoError(t, err)
		require.Empty(t, r.Strata[0].Outright)
		require.Len(t, r.Strata[0].Selected, 12)
	})
	t.Run("NothingDrawn", func(t *testing.T) {
		in := sampleInput(t)
		in.Plan = []byte(`{"quota":{},"assign":[[],[]]}`)
		in.Objects, in.Inspectors, in.Ineligible = nil, nil, nil
		r, err := Compute(in)
		require.NoError(t, err)
		j, err := r.JSON()
		require.NoError(t, err)
		require.Contains(t, string(j), `"order": []`)
		require.Contains(t, string(j), `"strata": {}`)
	})
}

func TestComputeRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   Kind
		change func(*Input)
		says   string
	}{
		{"EmptyDraw", KindName, func(in *Input) { in.Draw = "" }, "draw"},
		{"LongDraw", KindName, func(in *Input) { in.Draw = strings.Repeat("D", 65) }, "65 bytes"},
		{"EmptyID", KindName, func(in *Input) { in.Objects[3].ID = "" }, "objects[3]"},
		{"LowerCaseID", KindName, func(in *Input) { in.Objects[3].ID = "a-1" }, `objects[3] "a-1"`},
		{"LongID", KindName, func(in *Input) { in.Objects[3].ID = strings.Repeat("A", 65) }, "65 bytes"},
		{"NonASCIIID", KindName, func(in *Input) { in.Objects[3].ID = "站" }, "objects[3]"},
		{"DuplicateID", KindDuplicate, func(in *Input) { in.Objects[3].ID = "A-00" }, "A-00"},
		{"WeightZero", KindWeight, func(in *Input) { in.Objects[3].Weight = 0 }, "objects[3]"},
		{"EmptyStratum", KindName, func(in *Input) { in.Objects[3].Stratum = "" }, "objects[3]"},
		{"StratumNotNFC", KindName, func(in *Input) { in.Objects[3].Stratum = "e\u0301" }, "NFC"},
		{"InspectorDuplicate", KindDuplicate, func(in *Input) { in.Inspectors[1].ID = "I-1" }, "I-1"},
		{"InspectorLowerCase", KindName, func(in *Input) { in.Inspectors[1].ID = "i-1" }, "inspectors[1]"},
		{"SkillTwice", KindDuplicate, func(in *Input) { in.Inspectors[1].Skills = []string{"x", "x"} }, "inspectors[1]"},
		{"PairTwice", KindDuplicate, func(in *Input) { in.Ineligible[1] = in.Ineligible[0] }, `["I-1","A-02"]`},
		{"PairEmpty", KindName, func(in *Input) { in.Ineligible[1].Object = "" }, "ineligible[1]"},
		{"QuotaAboveStratum", KindQuota, func(in *Input) { in.Plan = []byte(`{"quota":{"A":13},"assign":[[],[]]}`) }, `stratum "A"`},
		{"QuotaOfUnknownStratum", KindQuota, func(in *Input) { in.Plan = []byte(`{"quota":{"Z":1},"assign":[[],[]]}`) }, `stratum "Z"`},
		{"RateAboveOne", KindQuota, func(in *Input) { in.Plan = []byte(`{"rates":{"A":[3,2]},"assign":[[],[]]}`) }, `stratum "A"`},
		{"WrongCommitment", KindCommitment, func(in *Input) { in.Contributions[0].Commitment[0] ^= 1 }, `"NotaryMSP"`},
		{"CopiedCommitment", KindCommitment, func(in *Input) {
			in.Contributions[1] = Share{"AssociationMSP", in.Contributions[0].Commitment, in.Contributions[0].Secret}
		}, `"AssociationMSP"`},
		{"OrganisationTwice", KindDuplicate, func(in *Input) { in.Contributions[1] = in.Contributions[0] }, "NotaryMSP"},
		{"BadSignature", KindBeacon, func(in *Input) { in.Beacon.Round++ }, "round 1001"},
		{"SecretWithoutSeal", KindSeal, func(in *Input) { in.SealedSecret = &Digest{} }, "no seal"},
		{"SealWithoutSecret", KindSeal, func(in *Input) { *in = sealedInput(t); in.SealedSecret = nil }, "secret is needed"},
		{"WrongSeal", KindSeal, func(in *Input) { *in = sealedInput(t); in.SealedSecret[0] ^= 1 }, "does not open"},
		{"Infeasible", KindInfeasible, func(in *Input) { in.Inspectors = in.Inspectors[2:] }, "A-0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := sampleInput(t)
			c.change(&in)
			_, err := Compute(in)
			requireKind(t, err, c.kind, c.says)
		})
	}
}

func TestParsePlan(t *testing.T) {
	t.Run("HashIgnoresSpaceAndOrder", func(t *testing.T) {
		a, err := ParsePlan([]byte(`{"assign":[["x"],[]],"quota":{"B":1,"A":2}}`))
		require.NoError(t, err)
		b, err := ParsePlan([]byte("{ \"quota\" : {\"A\":2,\n\"B\":1}, \"assign\": [ [\"\\u0078\"],[] ] }"))
		require.NoError(t, err)
		require.Equal(t, a, b)
		require.Equal(t, `{"assign":[["x"],[]],"quota":{"A":2,"B":1}}`, string(a.Canonical))
	})
	for _, c := range []struct{ name, plan, says string }{
		{"Fraction", `{"quota":{"A":1},"assign":[[],[]],"x":1.0}`, "x"},
		{"Exponent", `{"quota":{"A":1},"assign":[[],[]],"x":1e2}`, "x"},
		{"QuotaAndRates", `{"quota":{"A":1},"rates":{"A":[1,2]},"assign":[[],[]]}`, "not both"},
		{"Neither", `{"assign":[[],[]]}`, "neither"},
		{"NoAssign", `{"quota":{"A":1}}`, "assign"},
		{"OneSlot", `{"quota":{"A":1},"assign":[[]]}`, "at least 2"},
		{"NegativeQuota", `{"quota":{"A":-1},"assign":[[],[]]}`, "quota.A"},
		{"RateByZero", `{"rates":{"A":[1,0]},"assign":[[],[]]}`, "rates.A"},
		{"RateOfThree", `{"rates":{"A":[1,2,3]},"assign":[[],[]]}`, "rates.A"},
		{"LadderZero", `{"quota":{"A":1},"assign":[[],[]],"ladder":[0]}`, "ladder[0]"},
		{"SealUpperCase", `{"quota":{"A":1},"assign":[[],[]],"seal":"` + strings.Repeat("AB", 32) + `"}`, "seal"},
		{"DuplicateMember", `{"quota":{"A":1},"quota":{"A":2},"assign":[[],[]]}`, "duplicate"},
		{"EmptyStratum", `{"quota":{"":1},"assign":[[],[]]}`, "empty stratum"},
		{"NotNFC", `{"quota":{"A":1},"assign":[[],[]],"x":"e\u0301"}`, "NFC"},
		{"NotAnObject", `[]`, "object"},
		{"Trailing", `{"quota":{"A":1},"assign":[[],[]]} 1`, "after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParsePlan([]byte(c.plan))
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, err.Error(), c.says)
		})
	}
}

func TestQuotaOf(t *testing.T) {
	for _, c := range []struct {
		num, den, size, want uint64
	}{
		{1, 3, 10, 4}, {1, 3, 9, 3}, {0, 1, 5, 0}, {1, 1, 5, 5}, {5, 100, 0, 0}, {1, maxInteger, 1, 1},
		{maxInteger, maxInteger, maxCount, maxCount}, {maxInteger - 1, maxInteger, maxCount, maxCount},
	} {
		n, err := Quota{Stratum: "A", Numerator: c.num, Denominator: c.den}.Of(c.size)
		require.NoError(t, err)
		require.Equal(t, c.want, n, "%d/%d of %d", c.num, c.den, c.size)
	}
	_, err := Quota{Stratum: "A", Numerator: maxInteger, Denominator: 1}.Of(maxCount)
	requireKind(t, err, KindQuota, `"A"`)
}

func TestParseInputRefuses(t *testing.T) {
	for _, c := range []struct{ name, input, says string }{
		{"Empty", ``, "object"},
		{"UnknownMember", `{"drawn":"x"}`, `unknown member "drawn"`},
		{"MissingMember", `{"draw":"x"}`, `member "beacon" is missing`},
		{"UnknownInObject", `{"objects":[{"id":"A","stratum":"A","weight":1,"x":1}]}`, "objects[0].x"},
		{"MissingInObject", `{"objects":[{"id":"A","stratum":"A"}]}`, "objects[0]"},
		{"NegativeWeight", `{"objects":[{"id":"A","stratum":"A","weight":-1}]}`, "objects[0].weight"},
		{"HugeWeight", `{"objects":[{"id":"A","stratum":"A","weight":4294967296}]}`, "objects[0].weight"},
		{"PairOfThree", `{"ineligible":[["A","B","C"]]}`, "ineligible[0]"},
		{"ShortSecret", `{"contributions":[{"org":"A","secret":"00"}]}`, "contributions[0].secret"},
		{"UpperCaseHex", `{"sealedSecret":"` + strings.Repeat("AA", 32) + `"}`, "sealedSecret"},
		{"RandomnessInsteadOfSignature", `{"beacon":{"randomness":"00"}}`, "beacon.randomness"},
		{"NullSignature", `{"beacon":{"signature":null}}`, "beacon.signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseInput([]byte(c.input))
			requireKind(t, err, KindSyntax, c.says)
		})
	}
}
