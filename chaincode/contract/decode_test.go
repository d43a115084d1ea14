package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// TestDecodeRefuses gives requests that the contract API alone, or
// encoding/json, would let through or die of.
func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]struct{ request, field string }{
		"ErrUnknownMember":        {`{"id":"i-1","parts":[],"colour":"red"}`, "colour"},
		"ErrUnknownNestedMember":  {`{"id":"i-1","parts":[{"id":"n1","kind":"nozzle","x":1}]}`, "parts[0].x"},
		"ErrMemberTwice":          {`{"id":"i-1","id":"i-2","parts":[]}`, "id"},
		"ErrMemberTwiceEscaped":   {`{"id":"i-1","\u0069d":"i-2","parts":[]}`, "id"},
		"ErrWrongCase":            {`{"ID":"i-1","parts":[]}`, "ID"},
		"ErrFloat":                {`{"id":1.5,"parts":[]}`, "id"},
		"ErrNaN":                  {`{"id":NaN}`, ""},
		"ErrTrailingComma":        {`{"id":"i-1",}`, ""},
		"ErrTrailingText":         {`{"id":"i-1"} {}`, ""},
		"ErrInvalidUTF8":          {"{\"id\":\"\xff\"}", ""},
		"ErrLoneSurrogate":        {`{"id":"\ud800"}`, ""},
		"ErrArray":                {`[]`, ""},
		"ErrString":               {`"id"`, ""},
		"ErrNull":                 {`null`, ""},
		"ErrNothing":              {``, ""},
		"ErrOversized":            {`{"id":"` + strings.Repeat("x", maxRequest) + `"}`, ""},
		"ErrDeep":                 {strings.Repeat(`{"parts":[`, 20000), ""},
		"ErrPartsOfAnotherType":   {`{"id":"i-1","parts":"n1"}`, "parts"},
		"ErrHostileMemberName":    {`{"id":"i-1","a: b\n":1}`, "a__b_"},
		"ErrByteOrderMark":        {"\ufeff{}", ""},
		"ErrNumberWhereTextIs":    {`{"id":1,"parts":[]}`, "id"},
		"ErrCommentBetweenTokens": {`{/*x*/"id":"i-1"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode[metrology.ReplaceParts](test.request)
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "%v", err)
			e, ok := metrology.ParseError(err.Error())
			require.True(t, ok, "the text must carry the code: %v", err)
			if test.field != "" {
				require.Equal(t, test.field, e.Field, "%v", err)
			}
		})
	}
	for name, request := range map[string]string{
		"fraction": `{"id":"c","kind":"x","version":1.5}`, "exponent": `{"version":1e0}`, "overflow": `{"version":99999999999999999999}`,
		"NaN as text": `{"version":"NaN"}`,
	} {
		_, err := decode[metrology.RuleReference](request)
		require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), name)
	}
}

// TestInvokeRefuses gives calls that name no transaction exactly, or that
// bring the wrong number of arguments.
func TestInvokeRefuses(t *testing.T) {
	l := newLedger(t)
	regulator := l.as(metrology.RoleRegulator, "reg")
	good := text(t, metrology.RegisterMerchant{ID: "m-1", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305"})
	for name, call := range map[string][]string{
		"ErrLowerCase":         {"merchant:register", good, "op"},
		"ErrUpperCaseFamily":   {"Merchant:Register", good, "op"},
		"ErrNoFamily":          {"Register", good, "op"},
		"ErrUnknownFamily":     {"credit:Register", good, "op"},
		"ErrUnknown":           {"merchant:Delete", good, "op"},
		"ErrEmptyName":         {"", good, "op"},
		"ErrTrailingSpace":     {"merchant:Register ", good, "op"},
		"ErrSurplusArgument":   {"merchant:Register", good, "op", "more"},
		"ErrMissingArgument":   {"merchant:Register", good},
		"ErrNoArguments":       {"merchant:Register"},
		"ErrOperationID":       {"merchant:Register", good, "op 1"},
		"ErrEmptyOperationID":  {"merchant:Register", good, ""},
		"ErrContractAPIHelper": {"merchant:GetUnknownTransaction"},
		"ErrInheritedMethod":   {"merchant:GetName"},
		"ErrMetadataArgument":  {metadataFunction, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.fork(t).invoke(regulator, profile("m-1"), call[0], call[1:]...)
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "%v", err)
		})
	}
	_, err := l.invoke(regulator, profile("m-1"), "merchant:Register", good, "op")
	require.NoError(t, err)
}

// TestTransientRefuses holds what travels beside a request to the same rules.
func TestTransientRefuses(t *testing.T) {
	l := newLedger(t)
	request := metrology.RegisterMerchant{ID: "m-1", Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305"}
	for name, document := range map[string]string{
		"ErrUnknownMember": `{"salt":"` + salt("s") + `","name":"n","mail":"x"}`,
		"ErrMemberTwice":   `{"salt":"` + salt("s") + `","name":"n","name":"m"}`,
		"ErrNoSalt":        `{"name":"n"}`,
		"ErrShortSalt":     `{"salt":"00","name":"n"}`,
		"ErrNoName":        `{"salt":"` + salt("s") + `"}`,
		"ErrNotJSON":       `name`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.fork(t).submit(l.as(metrology.RoleRegulator, "reg"), "merchant:Register", request, transient{"profile": document})
			require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err), "%v", err)
		})
	}
}

// TestOperationID/… makes a second commit of one operation a no-op.
func TestOperationID(t *testing.T) {
	l := newLedger(t)
	regulator := l.as(metrology.RoleRegulator, "reg")
	request := func(id string) string {
		return text(t, metrology.RegisterMerchant{ID: id, Kind: metrology.MerchantStall, Sector: metrology.SectorMarket, Region: "440305"})
	}
	first, err := l.invoke(regulator, profile("m-1"), "merchant:Register", request("m-1"), "key")
	require.NoError(t, err)
	events := len(l.events)

	t.Run("same again answers the same and does nothing", func(t *testing.T) {
		again, err := l.invoke(regulator, profile("m-1"), "merchant:Register", request("m-1"), "key")
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Len(t, l.events, events)
	})
	t.Run("ErrOtherRequest", func(t *testing.T) {
		_, err := l.invoke(regulator, profile("m-1"), "merchant:Register", request("m-2"), "key")
		require.Equal(t, metrology.CodeOperationReused, metrology.ErrorCode(err))
	})
	t.Run("ErrOtherTransientData", func(t *testing.T) {
		_, err := l.invoke(regulator, profile("another"), "merchant:Register", request("m-1"), "key")
		require.Equal(t, metrology.CodeOperationReused, metrology.ErrorCode(err))
	})
	t.Run("another subject has ids of its own", func(t *testing.T) {
		_, err := l.invoke(l.as(metrology.RoleRegulator, "reg-2"), profile("m-2"), "merchant:Register", request("m-2"), "key")
		require.NoError(t, err)
	})
	t.Run("an abandoned id does nothing any more", func(t *testing.T) {
		l.must(regulator, "operation:Abandon", metrology.AbandonOperation{Operation: "lost"}, nil)
		_, err := l.invoke(regulator, profile("m-3"), "merchant:Register", request("m-3"), "lost")
		require.Equal(t, metrology.CodeAbandoned, metrology.ErrorCode(err))
		require.NotContains(t, l.state, "merchant/m-3")
	})
	t.Run("ErrAbandonedTooLate", func(t *testing.T) {
		_, err := l.submit(regulator, "operation:Abandon", metrology.AbandonOperation{Operation: "key"}, nil)
		require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))
	})
	t.Run("its fate can be asked", func(t *testing.T) {
		answer, err := l.invoke(regulator, nil, "operation:Get", `{"operation":"key"}`)
		require.NoError(t, err)
		var fate metrology.Operation
		require.NoError(t, json.Unmarshal([]byte(answer), &fate))
		require.Equal(t, "merchant:Register", fate.Function)
		_, err = l.invoke(regulator, nil, "operation:Get", `{"operation":"never"}`)
		require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
	})
}

// FuzzDecode feeds requests to the decoder of the family with the most shapes.
// Whatever it lets through, it must read the same from its own encoding.
func FuzzDecode(f *testing.F) {
	f.Add(text(&testing.T{}, dispenser("i-1")))
	f.Add(`{"id":"i-1","id":"i-2"}`)
	f.Add(`{"id":1e999,"parts":[{"kind":"nozzle"}]}`)
	f.Fuzz(func(t *testing.T, request string) {
		command, err := decode[metrology.RegisterInstrument](request)
		if err != nil {
			_, coded := metrology.ParseError(err.Error())
			require.True(t, coded, "%v", err)
			return
		}
		again, err := decode[metrology.RegisterInstrument](text(t, command))
		require.NoError(t, err)
		require.Equal(t, text(t, command), text(t, again))
	})
}

// FuzzAnchor feeds whole requests to the anchoring transaction: it must answer
// with a code, and never write what was not signed.
func FuzzAnchor(f *testing.F) {
	seed := newLedger(&testing.T{})
	at := seed.addIssuer("inst-1", signature.GenerateP256)
	f.Add(text(&testing.T{}, at.batch(f, at.leaf(f, "1", nil))))
	f.Add(`{"issuer":"inst-1","leaves":[null],"root":"","key":"","signature":""}`)
	f.Add(`{"issuer":"inst-1","leaves":[{"number":NaN}]}`)
	good := text(&testing.T{}, at.batch(f, at.leaf(f, "1", nil)))
	f.Fuzz(func(t *testing.T, request string) {
		l := seed.fork(t)
		if _, err := l.invoke(at.officer, nil, "certificate:AnchorBatch", request, "op"); err == nil {
			var got, want metrology.AnchorBatch
			require.NoError(t, json.Unmarshal([]byte(request), &got))
			require.NoError(t, json.Unmarshal([]byte(good), &want))
			require.Equal(t, want.Root, got.Root)
		}
	})
}
