package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, in, out string }{
		{"Literals", ` [ true , false , null , 0 , -1 , "" ] `, `[true,false,null,0,-1,""]`},
		{"MembersSorted", `{"b":1,"a":{"d":1,"c":2}}`, `{"a":{"c":2,"d":1},"b":1}`},
		{"MembersByUTF16", "{\"\\ue000\":1,\"\\ud83d\\ude00\":2}", "{\"\U0001F600\":2,\"\ue000\":1}"},
		{"RFC8785Sorting", `{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"\U0001F600\":5,\"\ufb33\":3}"},
		{"Escapes", `"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\b\f\n\r\t"`, "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\n\\r\\t\""},
		{"NotNormalised", "\"e\u0301\"", "\"e\u0301\""},
		{"Largest", `[9007199254740991,-9007199254740991]`, `[9007199254740991,-9007199254740991]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Canonical([]byte(c.in))
			require.NoError(t, err)
			require.Equal(t, c.out, string(got))
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, says string }{
		{"Empty", ``, "value expected"},
		{"Float", `[1.5]`, "[0]: an integer expected, not a fraction"},
		{"Exponent", `{"a":1E3}`, "a: an integer expected"},
		{"NegativeZero", `-0`, "negative zero"},
		{"LeadingZero", `01`, "leading zero"},
		{"Beyond53Bits", `9007199254740992`, "2^53"},
		{"PlusSign", `+1`, "value expected"},
		{"NaN", `NaN`, "value expected"},
		{"DuplicateMember", `{"a":1,"\u0061":2}`, `duplicate member "a"`},
		{"LoneSurrogate", `"\ud800"`, "surrogate"},
		{"LoneLowSurrogate", `"\udc00\ud800"`, "surrogate"},
		{"HalfPair", `"\ud83dx"`, "surrogate"},
		{"ControlCharacter", "\"\n\"", "control character"},
		{"InvalidUTF8", "\"\xff\"", "UTF-8"},
		{"EncodedSurrogate", "\"\xed\xa0\x80\"", "UTF-8"},
		{"UnknownEscape", `"\x"`, "escape"},
		{"OpenString", `"a`, "without an end"},
		{"OpenEscape", `"\`, "without an end"},
		{"TrailingComma", `[1,]`, "[1]"},
		{"MissingColon", `{"a" 1}`, "colon"},
		{"UnquotedName", `{a:1}`, "a string expected"},
		{"Trailing", `1 2`, "after the document"},
		{"TrailingNUL", "1\x00", "after the document"},
		{"ByteOrderMark", "\ufeff1", "value expected"},
		{"Deep", strings.Repeat("[", 100), "nested"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := strictjson.Canonical([]byte(c.in))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestDecoderNamesTheEntry(t *testing.T) {
	sentinel := errors.New("rule")
	err := strictjson.Decode([]byte(`{"a":[0,{"b":[true,null]}]}`), func(d *strictjson.Decoder) error {
		return d.Object(func(string) error {
			return d.Array(func(i int) error {
				if i == 0 {
					_, err := d.Integer(0, 9)
					return err
				}
				return d.Object(func(string) error {
					return d.Array(func(i int) error {
						if i == 0 {
							_, err := d.Bool()
							return err
						}
						return sentinel
					})
				})
			})
		})
	})
	require.ErrorIs(t, err, sentinel)
	require.EqualError(t, err, "a[1].b[1]: rule")
}

func TestManyMembers(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"m0":0`)
	for i := 1; i < 40; i++ {
		b.WriteString(`,"m` + strings.Repeat("x", i) + `":0`)
	}
	_, err := strictjson.Canonical([]byte(b.String() + `}`))
	require.NoError(t, err)
	_, err = strictjson.Canonical([]byte(b.String() + `,"m0":1}`))
	require.ErrorContains(t, err, "duplicate")
}

// FuzzCanonical holds that what passes is JSON to the standard library too,
// means the same, and is its own canonical form.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\u00e9",null]}`, `"\ud83d\ude00"`, `[[],{}]`, `-0`, `1e3`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := strictjson.Canonical(in)
		if err != nil {
			return
		}
		var before, after any
		require.NoError(t, json.Unmarshal(in, &before))
		require.NoError(t, json.Unmarshal(out, &after))
		require.Equal(t, before, after)
		again, err := strictjson.Canonical(out)
		require.NoError(t, err)
		require.Equal(t, out, again)
	})
}
