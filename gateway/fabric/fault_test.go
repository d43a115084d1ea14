package fabric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// answer is a gRPC error as a peer's gateway gives it, with details given as
// organisation, message pairs.
func answer(t testing.TB, code codes.Code, message string, details ...string) error {
	st := status.New(code, message)
	for i := 0; i < len(details); i += 2 {
		var err error
		st, err = st.WithDetails(&gateway.ErrorDetail{Address: "peer0:7051", MspId: details[i], Message: details[i+1]})
		require.NoError(t, err)
	}
	return st.Err()
}

func TestDecode(t *testing.T) {
	rule := &metrology.Error{Code: metrology.CodeState, Field: "term", Message: "the pledge is withdrawn"}
	for _, c := range []struct {
		name string
		err  error
		rule *metrology.Error
		kind Kind
	}{
		{"evaluate", answer(t, codes.Unknown, "evaluate call to endorser returned error: chaincode response 500, STATE term: the pledge is withdrawn",
			"RegulatorMSP", "chaincode response 500, STATE term: the pledge is withdrawn"), rule, ""},
		{"endorse at the first endorser", answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info",
			"RegulatorMSP", "chaincode response 500, STATE term: the pledge is withdrawn"), rule, ""},
		{"endorse at another organisation", answer(t, codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info",
			"InstituteMSP", "STATE term: the pledge is withdrawn"), rule, ""},
		{"wrapped", fmt.Errorf("call: %w", answer(t, codes.Unknown, "chaincode response 500, STATE term: the pledge is withdrawn")), rule, ""},
		{"contract API", answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info",
			"RegulatorMSP", "chaincode response 500, Function Nope not found in contract pledge"), nil, Internal},
		{"a code inside the text is no code", answer(t, codes.Unknown, "chaincode response 500, bad name FORBIDDEN: x"), nil, Internal},
		{"no connection", answer(t, codes.Unavailable, "connection refused"), nil, Unavailable},
		{"timeout at the peer", answer(t, codes.DeadlineExceeded, "endorsement timeout expired while collecting first endorsement"), nil, Unavailable},
		{"own timeout", context.DeadlineExceeded, nil, Unavailable},
		{"too few peers for the policy", answer(t, codes.FailedPrecondition, "no combination of peers can be derived which satisfy the endorsement policy"), nil, Unavailable},
		{"no contract at the own peer", answer(t, codes.FailedPrecondition, "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to protect transient data"), nil, Unavailable},
		{"chaincode died", answer(t, codes.Aborted, "failed to evaluate transaction, see attached details for more info",
			"RegulatorMSP", "error in simulation: chaincode stream terminated"), nil, Unavailable},
		{"contract service is down", answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info",
			"AssociationMSP", "error in simulation: failed to execute transaction b6c2: could not launch chaincode metrology_1:ab: connection to metrology_1:ab failed"), nil, Unavailable},
		{"private data went to a peer that is gone", answer(t, codes.Aborted, "failed to evaluate transaction, see attached details for more info",
			"RegulatorMSP", "error in simulation: failed to distribute private collection, txID 92ec, channel steelyard: Failed disseminating 1 out of 4 private dissemination plans"), nil, Unavailable},
		{"peer's limit", answer(t, codes.Unknown, "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"), nil, Overloaded},
		{"resource", answer(t, codes.ResourceExhausted, "x"), nil, Overloaded},
		{"creator of no channel member", answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info",
			"RegulatorMSP", "error validating proposal: access denied: channel [steelyard] creator org [OtherMSP]"), nil, Unauthenticated},
		{"creator whose certificate has ended", answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info",
			"RegulatorMSP", "proposal client identity expired"), nil, Unauthenticated},
		{"different answers", answer(t, codes.Aborted, "failed to collect enough transaction endorsements, see attached details for more info",
			"InstituteMSP", "ProposalResponsePayloads do not match"), nil, Disagreement},
		{"not gRPC", errors.New("x"), nil, Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Decode(c.err)
			if c.rule != nil {
				require.Equal(t, c.rule, got)
				return
			}
			var fault *Fault
			require.ErrorAs(t, got, &fault)
			require.Equal(t, c.kind, fault.Kind)
			require.ErrorIs(t, got, c.err)
		})
	}
	require.NoError(t, Decode(nil))
}

// TestDecodeRoundTrip: whatever rule the contract breaks comes out as it went in.
func TestDecodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rule := &metrology.Error{
			Code: rapid.SampledFrom([]metrology.Code{
				metrology.CodeInvalid, metrology.CodeNotFound, metrology.CodeForbidden, metrology.CodeConflict, metrology.CodeState, metrology.CodeScope,
				metrology.CodeSignature, metrology.CodeOperationReused, metrology.CodeAbandoned, metrology.CodeRejectedLeaves, metrology.CodeInternal,
			}).Draw(r, "code"),
			Field:   rapid.StringMatching(`([a-z]{1,8}(\[[0-9]{1,3}\])?(\.[a-z]{1,8})?)?`).Draw(r, "field"),
			Message: rapid.String().Draw(r, "message"),
		}
		message := "chaincode response 500, " + rule.Error()
		for _, err := range []error{
			answer(t, codes.Unknown, "evaluate call to endorser returned error: "+message, "RegulatorMSP", message),
			answer(t, codes.Aborted, "failed to endorse transaction, see attached details for more info", "RegulatorMSP", message),
		} {
			require.Equal(t, rule, Decode(err))
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(uint32(codes.Aborted), "failed to endorse transaction, see attached details for more info", "chaincode response 500, STATE: x")
	f.Add(uint32(codes.Unknown), "evaluate call to endorser returned error: chaincode response 500, INVALID a.b: x", "")
	f.Fuzz(func(t *testing.T, code uint32, message, detail string) {
		// Protobuf carries no other text than UTF-8; 1 to 16 are the codes of errors.
		err := answer(t, codes.Code(1+code%16), message, "RegulatorMSP", strings.ToValidUTF8(detail, "?"))
		got := Decode(err)
		var rule *metrology.Error
		var fault *Fault
		if errors.As(got, &rule) {
			require.NotEmpty(t, rule.Code)
			return
		}
		require.ErrorAs(t, got, &fault)
		require.NotEqual(t, Unknown, fault.Kind, "only a sent transaction is unknown")
	})
}

func TestDisagreement(t *testing.T) {
	rule := "chaincode response 500, NOT_FOUND: no site s1"
	for _, c := range []struct {
		name    string
		message string
		details []string
		named   []string
		want    bool
	}{
		{"first endorser refused", "failed to endorse transaction, see attached details for more info", []string{"RegulatorMSP", rule}, nil, false},
		{"another endorser refused", collecting + ", see attached details", []string{"InstituteMSP", rule}, nil, true},
		{"different answers", collecting, []string{"InstituteMSP", "ProposalResponsePayloads do not match"}, nil, true},
		{"all named refused alike", collecting, []string{"InstituteMSP", rule, "RegulatorMSP", rule}, []string{"InstituteMSP", "RegulatorMSP"}, false},
		{"one of two named refused", collecting, []string{"InstituteMSP", rule}, []string{"InstituteMSP", "RegulatorMSP"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, disagreement(answer(t, codes.Aborted, c.message, c.details...), c.named))
		})
	}
}
