package differential

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// border is a valid input that every case of TestBorders changes in one place. The
// beacon is quicknet's round 1000.
const border = `{"draw":"D-1","plan":{"assign":[["lead"],[]],"quota":{"A":2},"ladder":[1],"free":0},` +
	`"objects":[{"id":"S-1","stratum":"A","weight":1},{"id":"S-2","stratum":"A","weight":1},{"id":"S-3","stratum":"A","weight":1}],` +
	`"inspectors":[{"id":"I.1","cap":3,"skills":["lead"]},{"id":"I.2","cap":3,"skills":[]}],"ineligible":[["I.1","S-9"]],` +
	`"contributions":[{"org":"OrgA","commitment":"abababababababababababababababababababababababababababababababab","secret":null}],` +
	`"beacon":{"chain":{"scheme":"bls-unchained-g1-rfc9380","publicKey":"83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",` +
	`"period":3,"genesisTime":1692803367,"genesisSeed":"f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e","beaconId":"quicknet"},"round":1000,` +
	`"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}}`

// borders lists, for each piece of the input, what stands there instead. The
// definition's text says little about most of them. Whatever the verdict is, both
// programs must give the same one, down to the kind of error.
func borders() map[string][]string {
	long := strings.Repeat("D", 65)
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	return map[string][]string{
		`{"draw":"D-1"`: {"\ufeff" + `{"draw":"D-1"`, `{"\u0064raw":"D-1"`, `{"Draw":"D-1"`, `{"draw":"` + "\xff" + `"`, `{"draw":"` + long + `"`,
			`{"draw":"D\u0000"`, `{"draw":"e\u0301"`, `{"draw":7`, `{"draw":null`, `{"draw":"d 计"`, `{"draw":"D-1","sealedSecret":null`, `{"draw":"D-1","sealedSecret":""`},
		`[["I.1","S-9"]]`: {`[]`, `null`, `[["I.1"]]`, `[["I.1","S-1","x"]]`, `["I.1"]`, `[["I.NONE","S-NONE"]]`, `[[null,"S-1"]]`},
		`[{"org":"OrgA","commitment":"abababababababababababababababababababababababababababababababab","secret":null}]`: {`[]`, `null`, `{}`, `[null]`,
			`[{"org":"OrgA","commitment":"abababababababababababababababababababababababababababababababab"}]`},
		`"secret":null`: {`"secret":""`, `"secret":"00"`, `"secret":0`, `"secret":null,"name":1`},
		`"OrgA"`:        {`"e\u0301"`, `"` + long + `"`, `null`, `"\u0000"`},
		`{"id":"S-1","stratum":"A","weight":1},`: {``, `null,`, `{"id":null,"stratum":"A","weight":1},`, `{"id":"S-1","stratum":null,"weight":1},`, `{"id":"S-1","stratum":"A","weight":null},`,
			`{"id":"S-1","stratum":"OTHER","weight":1},`, `{"id":"S-1","stratum":"\u0000","weight":1},`, `{"id":"S-1","stratum":"A","weight":4294967295},`, `{"id":"S-1","stratum":"A","weight":1.0},`,
			`{"id":"S-1","stratum":"A","weight":-1},`, `{"id":"S-1","stratum":"A","weight":"1"},`, `{"ID":"S-1","stratum":"A","weight":1},`},
		`{"id":"I.1","cap":3,"skills":["lead"]}`: {`{"id":"I.1","cap":4294967295,"skills":["lead"]}`, `{"id":"I.1","cap":4294967296,"skills":["lead"]}`, `{"id":"I.1","cap":3,"skills":null}`,
			`{"id":"I.1","cap":3}`, `{"id":"I.1","skills":["lead"]}`, `{"id":"I.1","cap":3,"skills":["lead",""]}`, `{"id":"I.1","cap":1,"skills":["lead"]}`, `{"id":"I.1","cap":0,"skills":["lead"]}`,
			`{"id":"I.1","cap":3,"skills":["lead","\u0000"]}`},
		`"ladder":[1]`: {`"ladder":[0]`, `"ladder":[-1]`, `"ladder":null`, `"ladder":{}`, `"ladder":[1,1]`, `"ladder":[4294967295]`, `"ladder":[4294967296]`, `"ladder":["1"]`,
			`"ladder":[1.0]`, `"ladder":[]`, `"seal":null`, `"seal":""`, `"seal":"AB"`, `"seal":7`},
		`[["lead"],[]]`: {`null`, `{}`, `[[],null]`, `[[],[""]]`, `[[],["lead","lead"]]`, `[[],["e\u0301"]]`, `[[],[1]]`, `[[],[],[]]`, `["lead","lead"]`, `[[],["` + long + `"]]`},
		`"quota":{"A":2}`: {`"quota":null`, `"quota":[]`, `"quota":{"A":-1}`, `"quota":{"A":null}`, `"quota":{"A":9007199254740991}`, `"quota":{"A":2,"":0}`, `"quota":{"A":2,"":1}`,
			`"quota":{"e\u0301":0}`, `"quota":{"A":2,"NONE":0}`, `"quota":{}`, `"quota":{"A":4294967296}`, `"quota":{"A":"1"}`, `"quota":{"` + long + `":0}`, `"rates":{}`, `"rates":null`,
			`"quota":{"A":2},"rates":null`, `"rates":{"A":[1]}`, `"rates":{"A":[1,2,3]}`, `"rates":{"A":[-1,2]}`, `"rates":{"A":[1,-2]}`, `"rates":{"A":["1",2]}`, `"rates":{"A":[0,1]}`,
			`"rates":{"A":[9007199254740991,9007199254740991]}`, `"rates":{"A":[1,9007199254740992]}`, `"rates":{"A":null}`, `"rates":{"A":1}`, `"rates":{"NONE":[1,1]}`, `"rates":{"NONE":[7,1]}`,
			`"rates":{"A":[9007199254740991,1]}`, `"rates":{"NONE":[7,0]}`},
		`"free":0`: {`"free":-9007199254740991`, `"free":-9007199254740992`, `"free":1E400`, `"free":"\u007f\u2028\u2029\u00ad"`, `"free":"\b\f\n\r\t\\\"\/"`, `"free":{"":{"":[]}}`, `"free":01`,
			`"free":+1`, `"free":.5`, `"free":tru`, `"free":"\x"`, `"free":"` + "\t" + `"`, `"free":` + nested(60), `"free":` + nested(20000), `"free":1 `, `"free":0,`, `"free":"\udc00\ud800"`, `"free":"\ufffe\uffff"`},
		`"period":3`:               {`"period":0`, `"period":4294967295`, `"period":4294967296`, `"period":-1`, `"period":3,"x":1`},
		`"genesisTime":1692803367`: {`"genesisTime":-1`, `"genesisTime":9007199254740992`, `"genesisTime":-9007199254740992`, `"genesisTime":1.5`, `"genesisTime":0`},
		`"genesisSeed":"f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e"`: {`"genesisSeed":""`, `"genesisSeed":"ab"`, `"genesisSeed":"abc"`},
		`"beaconId":"quicknet"`:               {`"beaconId":null`, `"beaconId":"e\u0301"`, `"beaconId":"` + long + long + `"`, `"beaconId":""`},
		`"round":1000`:                        {`"round":0`, `"round":-1`, `"round":9007199254740992`, `"round":"5"`, `"round":null`},
		`"scheme":"bls-unchained-g1-rfc9380"`: {`"scheme":null`, `"scheme":""`},
		border:                                {`null`, `[]`, `7`, ``, ` ` + border + "\r\n", border + "\v", border + border},
	}
}

// TestBorders changes one valid input in many odd ways.
func TestBorders(t *testing.T) {
	node := nodePath(t)
	cases := []testCase{}
	for old, list := range borders() {
		require.Equal(t, 1, strings.Count(border, old), old)
		for _, instead := range list {
			cases = append(cases, testCase{text: strings.Replace(border, old, instead, 1)})
		}
	}
	requireSameVerdicts(t, node, cases)
}

// TestMangled removes, doubles or replaces a few bytes of valid inputs at random.
func TestMangled(t *testing.T) {
	node := nodePath(t)
	g := newGenerator(uint64(fromEnvironment(t, "STEELYARD_DIFFERENTIAL_SEED", 1)))
	cases := make([]testCase, fromEnvironment(t, "STEELYARD_DIFFERENTIAL", 1000))
	for i := range cases {
		text := border
		if i%4 == 0 {
			text = g.encode(t, g.valid())
		}
		cases[i] = testCase{text: mangle(g.rng, text)}
	}
	requireSameVerdicts(t, node, cases)
}

func mangle(rng *rand.Rand, text string) string {
	at := rng.IntN(len(text))
	end := min(len(text), at+1+rng.IntN(4))
	switch rng.IntN(4) {
	case 0:
		return text[:at] + text[end:]
	case 1:
		return text[:end] + text[at:]
	case 2: // a piece from elsewhere in the same text
		from := rng.IntN(len(text))
		return text[:at] + text[from:min(len(text), from+end-at)] + text[end:]
	}
	odd := []string{`"`, `\`, "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", " ", "null", "\n", "\x7f", "\x01", "\xc3", "\u0301", "\uff21", "A", "a"}
	return text[:at] + odd[rng.IntN(len(odd))] + text[end:]
}

// requireSameVerdicts compares outputs and kinds of error.
func requireSameVerdicts(t *testing.T, node string, cases []testCase) {
	t.Helper()
	differences, accepted := []string{}, 0
	for i, javascript := range runJavaScript(t, node, cases) {
		golang := runGo(t, cases[i].text)
		if golang.Kind == "" {
			accepted++
		}
		if golang.Kind != javascript.Kind || !reflect.DeepEqual(golang.Output, javascript.Output) {
			differences = append(differences, fmt.Sprintf("%s\n  Go:         %s %v\n  JavaScript: %s %v\n",
				cases[i].text, golang.Message, golang.Output, javascript.Message, javascript.Output))
		}
	}
	require.Empty(t, differences[:min(5, len(differences))], "%d differences", len(differences))
	t.Logf("%d cases without a difference, %d of them accepted", len(cases), accepted)
}
