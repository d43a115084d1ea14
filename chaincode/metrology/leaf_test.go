package metrology

import (
	"encoding/json"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// validLeaf is a verification certificate for one fuel dispenser nozzle.
func validLeaf() Leaf {
	return Leaf{
		Issuer: "INST-001", Number: "JL2026-0001", Kind: KindVerification,
		Instruments: []LeafInstrument{{ID: "inst-1", Serial: "A-77", Category: "fuel-dispenser", Conclusion: ConclusionPass}},
		Regulation:  "JJG 443-2023", Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31",
		Digests: []Digest{{Algorithm: AlgorithmSHA256, Value: strings.Repeat("ab", 32)}},
	}
}

// calibrate turns a leaf into a calibration certificate.
func calibrate(l *Leaf) {
	l.Kind, l.ValidUntil, l.Regulation = KindCalibration, "", ""
	l.Instruments[0].Conclusion, l.Instruments[0].Category = ConclusionNone, ""
}

// Digests that only some of the cases need.
var (
	sm3Digest     = Digest{Algorithm: AlgorithmSM3, Value: strings.Repeat("0f", 32)}
	contentDigest = Digest{Algorithm: AlgorithmC14NSHA256, Value: strings.Repeat("12", 32)}
)

func TestLeafValidate(t *testing.T) {
	for name, change := range map[string]func(*Leaf){
		"verification certificate":    func(*Leaf) {},
		"with an accuracy class":      func(l *Leaf) { l.Instruments[0].Conclusion, l.Instruments[0].Class = ConclusionClass, "Ⅲ级" },
		"verified once, no expiry":    func(l *Leaf) { l.ValidUntil = "" },
		"expires on the day of issue": func(l *Leaf) { l.ValidUntil = l.Issued },
		"serial number alone":         func(l *Leaf) { l.Instruments[0].ID = "" },
		"mark without a file":         func(l *Leaf) { l.Kind, l.Digests = KindMark, nil },
		"notice of result": func(l *Leaf) {
			l.Kind, l.ValidUntil, l.Instruments[0].Conclusion = KindResultNotice, "", ConclusionFail
		},
		"calibration without regulation": calibrate,
		"DCC with content digest":        func(l *Leaf) { calibrate(l); l.Kind, l.Digests = KindDCC, append(l.Digests, contentDigest) },
		"several digests of one kind":    func(l *Leaf) { l.Digests = append(l.Digests, sm3Digest, contentDigest) },
	} {
		leaf := validLeaf()
		change(&leaf)
		require.NoError(t, leaf.Validate(), name)
	}
}

func TestLeafValidate_CodeInvalid(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Leaf)
		field  string
	}{
		"unknown kind":                            {func(l *Leaf) { l.Kind = "certificate" }, "kind"},
		"no issuer":                               {func(l *Leaf) { l.Issuer = "" }, "issuer"},
		"issuer with a line feed":                 {func(l *Leaf) { l.Issuer = "A\nB" }, "issuer"},
		"long issuer":                             {func(l *Leaf) { l.Issuer = strings.Repeat("A", 65) }, "issuer"},
		"no number":                               {func(l *Leaf) { l.Number = "" }, "number"},
		"long number":                             {func(l *Leaf) { l.Number = strings.Repeat("9", 129) }, "number"},
		"verification without regulation":         {func(l *Leaf) { l.Regulation = "" }, "regulation"},
		"no such day":                             {func(l *Leaf) { l.Performed = "2026-02-30" }, "performed"},
		"no issue date":                           {func(l *Leaf) { l.Issued = "" }, "issued"},
		"issued before performed":                 {func(l *Leaf) { l.Issued = "2026-02-28" }, "issued"},
		"malformed expiry":                        {func(l *Leaf) { l.ValidUntil = "2026-9-1" }, "validUntil"},
		"expiry before issue":                     {func(l *Leaf) { l.ValidUntil = "2026-03-01" }, "validUntil"},
		"notice of result with expiry":            {func(l *Leaf) { l.Kind, l.Instruments[0].Conclusion = KindResultNotice, ConclusionFail }, "validUntil"},
		"calibration with expiry":                 {func(l *Leaf) { calibrate(l); l.ValidUntil = "2027-03-01" }, "validUntil"},
		"certificate without digest":              {func(l *Leaf) { l.Digests = nil }, "digests"},
		"mark with a file":                        {func(l *Leaf) { l.Kind = KindMark }, "digests"},
		"DCC without content digest":              {func(l *Leaf) { calibrate(l); l.Kind = KindDCC }, "digests"},
		"too many digests":                        {func(l *Leaf) { l.Digests = make([]Digest, 9) }, "digests"},
		"the same digest twice":                   {func(l *Leaf) { l.Digests = append(l.Digests, l.Digests[0]) }, "digests[1]"},
		"unknown algorithm":                       {func(l *Leaf) { l.Digests[0].Algorithm = "md5" }, "digests[0].algorithm"},
		"digest of 20 bytes":                      {func(l *Leaf) { l.Digests[0].Value = strings.Repeat("ab", 20) }, "digests[0].value"},
		"digest in capitals":                      {func(l *Leaf) { l.Digests[0].Value = strings.Repeat("AB", 32) }, "digests[0].value"},
		"no instrument":                           {func(l *Leaf) { l.Instruments = nil }, "instruments"},
		"too many instruments":                    {func(l *Leaf) { l.Instruments = make([]LeafInstrument, 201) }, "instruments"},
		"neither id nor serial number":            {func(l *Leaf) { l.Instruments[0].ID, l.Instruments[0].Serial = "", "" }, "instruments[0].serial"},
		"instrument id of another form":           {func(l *Leaf) { l.Instruments[0].ID = "a/b" }, "instruments[0].id"},
		"the same instrument twice":               {func(l *Leaf) { l.Instruments = append(l.Instruments, l.Instruments[0]) }, "instruments[1].id"},
		"verification without category":           {func(l *Leaf) { l.Instruments[0].Category = "" }, "instruments[0].category"},
		"class without its text":                  {func(l *Leaf) { l.Instruments[0].Conclusion = ConclusionClass }, "instruments[0].class"},
		"class text with a pass":                  {func(l *Leaf) { l.Instruments[0].Class = "Ⅲ级" }, "instruments[0].class"},
		"certificate for a failed instrument":     {func(l *Leaf) { l.Instruments[0].Conclusion = ConclusionFail }, "instruments[0].conclusion"},
		"calibration that passes":                 {func(l *Leaf) { calibrate(l); l.Instruments[0].Conclusion = ConclusionPass }, "instruments[0].conclusion"},
		"notice of result for a good instrument":  {func(l *Leaf) { l.Kind, l.ValidUntil = KindResultNotice, "" }, "instruments[0].conclusion"},
		"verification certificate without result": {func(l *Leaf) { l.Instruments[0].Conclusion = ConclusionNone }, "instruments[0].conclusion"},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := validLeaf()
			test.change(&leaf)
			var broken *Error
			require.ErrorAs(t, leaf.Validate(), &broken)
			require.Equal(t, CodeInvalid, broken.Code)
			require.Equal(t, test.field, broken.Field)
			_, err := leaf.Bytes()
			require.Error(t, err, "an invalid leaf has no bytes")
		})
	}
}

func TestLeafBytes(t *testing.T) {
	t.Run("exact bytes", func(t *testing.T) {
		encoded, err := validLeaf().Bytes()
		require.NoError(t, err)
		require.Equal(t, `{"digests":[{"algorithm":"sha256","value":"`+strings.Repeat("ab", 32)+`"}],`+
			`"instruments":[{"category":"fuel-dispenser","conclusion":"pass","id":"inst-1","serial":"A-77"}],`+
			`"issued":"2026-03-02","issuer":"INST-001","kind":"verification-certificate","number":"JL2026-0001",`+
			`"performed":"2026-03-01","regulation":"JJG 443-2023","validUntil":"2026-08-31","version":1}`, string(encoded))
	})
	t.Run("members stand in order", func(t *testing.T) {
		leaf := validLeaf()
		leaf.Instruments[0].Conclusion, leaf.Instruments[0].Class = ConclusionClass, "Ⅲ级 <&>\"\\"
		encoded, err := leaf.Bytes()
		require.NoError(t, err)
		require.Contains(t, string(encoded), `"Ⅲ级 <&>\"\\"`)
		requireSortedMembers(t, encoded)
	})
}

// requireSortedMembers checks RFC 8785's order in every object of encoded.
func requireSortedMembers(t *testing.T, encoded []byte) {
	decoder := json.NewDecoder(strings.NewReader(string(encoded)))
	var object func()
	value := func() {
		token, err := decoder.Token()
		require.NoError(t, err)
		switch token {
		case json.Delim('{'):
			object()
		case json.Delim('['):
			for decoder.More() {
				_, err := decoder.Token()
				require.NoError(t, err)
				object()
			}
			_, err = decoder.Token()
			require.NoError(t, err)
		}
	}
	object = func() {
		var names []string
		for decoder.More() {
			name, err := decoder.Token()
			require.NoError(t, err)
			names = append(names, name.(string))
			value()
		}
		_, err := decoder.Token()
		require.NoError(t, err)
		require.True(t, sort.StringsAreSorted(names), "%v", names)
	}
	value()
}

func TestParseLeaf(t *testing.T) {
	good, err := validLeaf().Bytes()
	require.NoError(t, err)
	replace := func(old, new string) string { return strings.Replace(string(good), old, new, 1) }
	for name, encoded := range map[string]string{
		"unknown member":         replace(`"version":1`, `"version":1,"x":1`),
		"repeated member":        replace(`"kind":`, `"kind":"dcc","kind":`),
		"member in another case": replace(`"kind"`, `"Kind"`),
		"reordered members":      replace(`"issued":"2026-03-02","issuer":"INST-001"`, `"issuer":"INST-001","issued":"2026-03-02"`),
		"white space":            replace(`,"issued"`, `, "issued"`),
		"escaped letter":         replace(`A-77`, `\u0041-77`),
		"empty member":           replace(`"conclusion":"pass"`, `"class":"","conclusion":"pass"`),
		"null member":            replace(`"validUntil":"2026-08-31"`, `"validUntil":null`),
		"float version":          replace(`"version":1`, `"version":1.0`),
		"other version":          replace(`"version":1`, `"version":2`),
		"no version":             replace(`,"version":1`, ``),
		"trailing bytes":         string(good) + " ",
		"second value":           string(good) + "{}",
		"byte order mark":        "\ufeff" + string(good),
		"invalid UTF-8":          replace(`A-77`, "A-\xff"),
		"empty":                  "",
		"too long":               strings.Repeat(" ", MaxLeafBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseLeaf([]byte(encoded))
			require.Equal(t, CodeInvalid, ErrorCode(err))
		})
	}
	t.Run("reads what Bytes wrote", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			leaf := drawLeaf(t)
			encoded, err := leaf.Bytes()
			require.NoError(t, err)
			again, err := ParseLeaf(encoded)
			require.NoError(t, err)
			require.Equal(t, leaf, again)
		})
	})
	t.Run("every flipped bit is refused or says something else", func(t *testing.T) {
		for bit := range len(good) * 8 {
			flipped := append([]byte(nil), good...)
			flipped[bit/8] ^= 1 << (bit % 8)
			if leaf, err := ParseLeaf(flipped); err == nil {
				require.NotEqual(t, validLeaf(), leaf)
			}
		}
	})
}

func drawLeaf(t *rapid.T) Leaf {
	text := rapid.StringMatching(`[A-Z0-9〔〕号"\\<>&Ⅲ±-]{1,20}`)
	leaf := validLeaf()
	leaf.Number = text.Draw(t, "number")
	leaf.Instruments[0].Serial = text.Draw(t, "serial")
	leaf.ValidUntil = leaf.Issued.AddDays(rapid.IntRange(0, 4000).Draw(t, "days"))
	for range rapid.IntRange(0, 5).Draw(t, "more instruments") {
		leaf.Instruments = append(leaf.Instruments, LeafInstrument{
			Serial: text.Draw(t, "serial"), Category: text.Draw(t, "category"),
			Conclusion: ConclusionClass, Class: text.Draw(t, "class"),
		})
	}
	return leaf
}

func TestBatchMessage(t *testing.T) {
	require.Equal(t, "steelyard-batch/1\nINST-001\n2\n"+strings.Repeat("00", 32)+"\n", string(BatchMessage("INST-001", [32]byte{}, 2)))
}

func FuzzParseLeaf(f *testing.F) {
	good, err := validLeaf().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"digests":[],"instruments":[{}],"version":1}`))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		leaf, err := ParseLeaf(encoded)
		if err != nil {
			return
		}
		again, err := leaf.Bytes()
		require.NoError(t, err)
		require.Equal(t, encoded, again)
	})
}
