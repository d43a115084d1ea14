package conformance

import (
	"testing"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

func testErrors(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	const own = "RegulatorMSP"
	evaluate := func(contract *client.Contract, name string, args ...string) func(*testing.T) error {
		return func(t *testing.T) error {
			_, err := contract.EvaluateWithContext(deadline(t), name, client.WithArguments(args...))
			return err
		}
	}
	submit := func(contract *client.Contract, name string, args ...string) func(*testing.T) error {
		return func(t *testing.T) error {
			_, err := contract.SubmitWithContext(deadline(t), name, client.WithArguments(args...))
			return err
		}
	}
	unknown := m.network.GetContract("nonexistent")
	elsewhere := m.gateway.GetNetwork("nowhere").GetContract(chaincodeName)
	cases := []struct {
		name string
		call func(*testing.T) error
		want failure
	}{
		{
			"EvaluateTellsTheContractsError", evaluate(m.contract, "fail", "NO_SUCH_THING: gone"),
			failure{code: codes.Unknown, message: "evaluate call to endorser returned error: chaincode response 500, NO_SUCH_THING: gone", details: []detail{
				{own, "chaincode response 500, NO_SUCH_THING: gone"},
			}},
		},
		{
			"SubmitTellsTheContractsError", submit(m.contract, "fail", "NO_SUCH_THING: gone"),
			failure{code: codes.Aborted, message: "failed to endorse transaction, see attached details for more info", details: []detail{
				{own, "chaincode response 500, NO_SUCH_THING: gone"},
			}},
		},
		{
			"EvaluateRefusesStatus400", evaluate(m.contract, "respond", "400", "bad", "payload"),
			failure{code: codes.Unknown, message: "evaluate call to endorser returned error: chaincode response 400, bad", details: []detail{
				{own, "chaincode response 400, bad"},
			}},
		},
		{
			"SubmitRefusesStatus400", submit(m.contract, "respond", "400", "bad", "payload"),
			failure{code: codes.Aborted, message: "failed to endorse transaction, see attached details for more info", details: []detail{
				{own, "chaincode response 400, bad"},
			}},
		},
		{
			"EvaluateOnAnUnknownContract", evaluate(unknown, "echo", "x"),
			failure{code: codes.FailedPrecondition, message: "no peers available to evaluate chaincode nonexistent in channel steelyard"},
		},
		{
			"SubmitOnAnUnknownContract", submit(unknown, "echo", "x"),
			failure{code: codes.FailedPrecondition, message: "no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode nonexistent in channel steelyard"},
		},
		{
			"EvaluateOnAnUnknownChannel", evaluate(elsewhere, "echo", "x"),
			failure{code: codes.Unavailable, message: "failed to get config for channel [nowhere]"},
		},
		{
			"SubmitOnAnUnknownChannel", submit(elsewhere, "echo", "x"),
			failure{code: codes.FailedPrecondition, message: "no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode conformance in channel nowhere"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { n.requireFailure(t, c.want, c.call(t)) })
	}
	t.Run("Status300IsASuccess", func(t *testing.T) {
		result, err := m.contract.EvaluateWithContext(deadline(t), "respond", client.WithArguments("300", "odd", "payload"))
		require.NoError(t, describe(err))
		require.Equal(t, "payload", string(result))
	})
	t.Run("DifferingResultsAreNotEndorsed", func(t *testing.T) {
		if !n.real {
			t.Skip("one process executes once for all its organisations")
		}
		err := submit(m.contract, "random")(t)
		n.requireFailure(t, failure{
			code:    codes.Aborted,
			message: "failed to collect enough transaction endorsements, see attached details for more info",
			others:  true,
		}, err)
		require.Contains(t, describe(err).Error(), "ProposalResponsePayloads do not match")
	})
	t.Run("UnknownEndorsingOrganization", func(t *testing.T) {
		_, err := m.trySubmit(t, "put", client.WithArguments(newKey(), "x"),
			client.WithEndorsingOrganizations("NobodyMSP"))
		n.requireFailure(t, failure{code: codes.Unavailable, message: "NobodyMSP"}, err)
	})
}
