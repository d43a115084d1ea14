// Package channel changes a channel's configuration: what is changed, and the
// signed update that carries it. The steps are Fabric's own: take the
// configuration in force, change it, have configtxlator compute the
// difference, collect signatures of a majority of administrators, submit. An
// update travels between organisations as the same file that "peer channel
// signconfigtx" reads and writes.
package channel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Translator is the path of Fabric's configtxlator.
type Translator string

// Update is a change of a channel's configuration with the signatures that it
// has so far.
type Update struct {
	Channel    string
	difference []byte // common.ConfigUpdate
	signatures []*common.ConfigSignature
}

// Compute makes the update that leads from one configuration to another.
func (t Translator) Compute(ctx context.Context, channel string, before, after *common.Config) (*Update, error) {
	if proto.Equal(before, after) {
		return nil, errors.New("compute channel update: nothing would change")
	}
	dir, err := os.MkdirTemp("", "steelyard-update-")
	if err != nil {
		return nil, fmt.Errorf("compute channel update: %w", err)
	}
	defer os.RemoveAll(dir)
	for name, config := range map[string]*common.Config{"before": before, "after": after} {
		data, err := proto.Marshal(config)
		if err != nil {
			return nil, fmt.Errorf("encode configuration: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, fmt.Errorf("compute channel update: %w", err)
		}
	}
	result := filepath.Join(dir, "update")
	command := exec.CommandContext(ctx, string(t), "compute_update", "--channel_id", channel,
		"--original", filepath.Join(dir, "before"), "--updated", filepath.Join(dir, "after"), "--output", result)
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compute channel update with configtxlator: %w\n%s", err, output)
	}
	difference, err := os.ReadFile(result)
	if err != nil {
		return nil, fmt.Errorf("compute channel update: %w", err)
	}
	return &Update{Channel: channel, difference: difference}, nil
}

// Sign adds an administrator's signature, once per identity.
func (u *Update) Sign(id identity.SigningIdentity) error {
	header, err := signatureHeader(id)
	if err != nil {
		return err
	}
	for _, one := range u.signatures {
		var signed common.SignatureHeader
		if err := proto.Unmarshal(one.GetSignatureHeader(), &signed); err != nil {
			return fmt.Errorf("decode signature of channel update: %w", err)
		}
		var mine common.SignatureHeader
		if err := proto.Unmarshal(header, &mine); err != nil {
			return fmt.Errorf("decode signature of channel update: %w", err)
		}
		if string(signed.GetCreator()) == string(mine.GetCreator()) {
			return nil
		}
	}
	signature, err := id.Sign(append(append([]byte{}, header...), u.difference...))
	if err != nil {
		return fmt.Errorf("sign channel update: %w", err)
	}
	u.signatures = append(u.signatures, &common.ConfigSignature{SignatureHeader: header, Signature: signature})
	return nil
}

// Signers lists the organisations that have signed, in the order they did.
func (u *Update) Signers() ([]string, error) {
	var signers []string
	for _, one := range u.signatures {
		var header common.SignatureHeader
		if err := proto.Unmarshal(one.GetSignatureHeader(), &header); err != nil {
			return nil, fmt.Errorf("decode signature of channel update: %w", err)
		}
		var creator msp.SerializedIdentity
		if err := proto.Unmarshal(header.GetCreator(), &creator); err != nil {
			return nil, fmt.Errorf("decode signer of channel update: %w", err)
		}
		signers = append(signers, creator.GetMspid())
	}
	return signers, nil
}

// Envelope is what ordering nodes take, signed by the one who submits.
func (u *Update) Envelope(id identity.SigningIdentity) (*common.Envelope, error) {
	envelope, err := u.envelope()
	if err != nil {
		return nil, err
	}
	var payload common.Payload
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return nil, fmt.Errorf("decode channel update: %w", err)
	}
	if payload.Header.SignatureHeader, err = signatureHeader(id); err != nil {
		return nil, err
	}
	if envelope.Payload, err = proto.Marshal(&payload); err != nil {
		return nil, fmt.Errorf("encode channel update: %w", err)
	}
	if envelope.Signature, err = id.Sign(envelope.Payload); err != nil {
		return nil, fmt.Errorf("sign channel update: %w", err)
	}
	return envelope, nil
}

func (u *Update) envelope() (*common.Envelope, error) {
	header, err := proto.Marshal(&common.ChannelHeader{
		Type: int32(common.HeaderType_CONFIG_UPDATE), ChannelId: u.Channel, Timestamp: timestamppb.Now(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode channel header: %w", err)
	}
	data, err := proto.Marshal(&common.ConfigUpdateEnvelope{ConfigUpdate: u.difference, Signatures: u.signatures})
	if err != nil {
		return nil, fmt.Errorf("encode channel update: %w", err)
	}
	payload, err := proto.Marshal(&common.Payload{Header: &common.Header{ChannelHeader: header}, Data: data})
	if err != nil {
		return nil, fmt.Errorf("encode channel update: %w", err)
	}
	return &common.Envelope{Payload: payload}, nil
}

// WriteFile writes the update for the next organisation to sign.
func (u *Update) WriteFile(path string) error {
	envelope, err := u.envelope()
	if err != nil {
		return err
	}
	data, err := proto.Marshal(envelope)
	if err != nil {
		return fmt.Errorf("encode channel update: %w", err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("write channel update: %w", err)
	}
	return nil
}

// ReadFile reads what WriteFile, or Fabric's peer command, wrote.
func ReadFile(path string) (*Update, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read channel update: %w", err)
	}
	update, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read channel update %s: %w", path, err)
	}
	return update, nil
}

func parse(data []byte) (*Update, error) {
	var envelope common.Envelope
	var payload common.Payload
	var header common.ChannelHeader
	var update common.ConfigUpdateEnvelope
	if err := proto.Unmarshal(data, &envelope); err != nil {
		return nil, fmt.Errorf("decode envelope: %w", err)
	}
	if err := proto.Unmarshal(envelope.GetPayload(), &payload); err != nil {
		return nil, fmt.Errorf("decode payload: %w", err)
	}
	if err := proto.Unmarshal(payload.GetHeader().GetChannelHeader(), &header); err != nil {
		return nil, fmt.Errorf("decode channel header: %w", err)
	}
	if header.GetType() != int32(common.HeaderType_CONFIG_UPDATE) {
		return nil, fmt.Errorf("it is of type %s, want CONFIG_UPDATE", common.HeaderType(header.GetType()))
	}
	if err := proto.Unmarshal(payload.GetData(), &update); err != nil {
		return nil, fmt.Errorf("decode update: %w", err)
	}
	if len(update.GetConfigUpdate()) == 0 || header.GetChannelId() == "" {
		return nil, errors.New("it changes nothing")
	}
	return &Update{Channel: header.GetChannelId(), difference: update.GetConfigUpdate(), signatures: update.GetSignatures()}, nil
}

func signatureHeader(id identity.SigningIdentity) ([]byte, error) {
	creator, err := proto.Marshal(&msp.SerializedIdentity{Mspid: id.MspID(), IdBytes: id.Credentials()})
	if err != nil {
		return nil, fmt.Errorf("encode identity: %w", err)
	}
	nonce := make([]byte, 24) // as long as Fabric's own
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	header, err := proto.Marshal(&common.SignatureHeader{Creator: creator, Nonce: nonce})
	if err != nil {
		return nil, fmt.Errorf("encode signature header: %w", err)
	}
	return header, nil
}
