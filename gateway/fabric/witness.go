package fabric

import (
	"context"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/protobuf/proto"
)

// Witness has peers endorse a reading transaction and returns the envelope
// with their signatures, unsigned by the submitter and never sent: proof of
// what these peers had in their state. Errors are as Evaluate's.
func (c *Client) Witness(ctx context.Context, label, function string, request []byte) (envelope []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Endorse)
	defer cancel()
	var prepared []byte
	err = c.try(ctx, label, func(peer *client.Gateway) error {
		proposal, err := peer.GetNetwork(c.config.Channel).GetContract(c.config.Chaincode).NewProposal(function, client.WithBytesArguments(request))
		if err != nil {
			return fmt.Errorf("make proposal: %w", err)
		}
		transaction, err := proposal.EndorseWithContext(ctx)
		if err != nil {
			return err
		}
		prepared, err = transaction.Bytes()
		return err
	})
	if err != nil {
		return nil, Decode(err)
	}
	var transaction gateway.PreparedTransaction
	if err := proto.Unmarshal(prepared, &transaction); err != nil {
		return nil, fmt.Errorf("read endorsed transaction: %w", err)
	}
	return proto.Marshal(transaction.GetEnvelope())
}
