package channel

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	fabric "github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

func newAdmin(t testing.TB, mspID string) identity.SigningIdentity {
	t.Helper()
	ca, err := devca.New("example", "ca.example")
	require.NoError(t, err)
	pair, err := ca.Node("admin", "admin")
	require.NoError(t, err)
	certificate, err := fabric.CertificateFromPEM(pair.Certificate)
	require.NoError(t, err)
	key, err := fabric.PrivateKeyFromPEM(pair.Key)
	require.NoError(t, err)
	id, err := identity.NewPrivateKeySigningIdentity(mspID, certificate, key)
	require.NoError(t, err)
	return id
}

// writeMSP writes an MSP directory in Fabric's layout.
func writeMSP(t *testing.T, units string, crl []byte) string {
	t.Helper()
	dir := t.TempDir()
	ca, err := devca.New("example", "ca.example")
	require.NoError(t, err)
	files := map[string][]byte{
		"config.yaml":       []byte(units),
		"cacerts/ca.pem":    ca.CertificatePEM(),
		"tlscacerts/ca.pem": ca.CertificatePEM(),
	}
	if crl != nil {
		files["crls/crl.pem"] = crl
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	return dir
}

const nodeUnitsFile = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {OrganizationalUnitIdentifier: orderer}
`

// member is an organisation's group in a configuration, with its MSP alone.
func member(t *testing.T, config *msp.FabricMSPConfig) *common.ConfigGroup {
	t.Helper()
	value, err := mspValue(config)
	require.NoError(t, err)
	return &common.ConfigGroup{Values: map[string]*common.ConfigValue{keyMSP: {ModPolicy: admins, Value: value}}}
}

func newConfig(t *testing.T) *common.Config {
	t.Helper()
	regulator := &msp.FabricMSPConfig{Name: "RegulatorMSP"}
	return &common.Config{Sequence: 4, ChannelGroup: &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{
		application: {ModPolicy: admins, Groups: map[string]*common.ConfigGroup{"RegulatorMSP": member(t, regulator)}},
		orderers:    {ModPolicy: admins, Groups: map[string]*common.ConfigGroup{"RegulatorMSP": member(t, regulator)}},
	}}}
}

func readBack(t *testing.T, config *common.Config, group, mspID string) *msp.FabricMSPConfig {
	t.Helper()
	var outer msp.MSPConfig
	var inner msp.FabricMSPConfig
	require.NoError(t, proto.Unmarshal(config.ChannelGroup.Groups[group].Groups[mspID].Values[keyMSP].Value, &outer))
	require.NoError(t, proto.Unmarshal(outer.Config, &inner))
	return &inner
}

func TestReadMSP(t *testing.T) {
	t.Run("WithRevocationList", func(t *testing.T) {
		crl := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte("list")})
		config, err := ReadMSP(writeMSP(t, nodeUnitsFile, crl), "ConsumersMSP")
		require.NoError(t, err)
		require.Equal(t, "ConsumersMSP", config.GetName())
		require.Len(t, config.GetRootCerts(), 1)
		require.Equal(t, [][]byte{crl}, config.GetRevocationList())
		require.Equal(t, "orderer", config.GetFabricNodeOus().GetOrdererOuIdentifier().GetOrganizationalUnitIdentifier())
		require.Equal(t, "SHA2", config.GetCryptoConfig().GetSignatureHashFamily())
	})
	for _, c := range []struct{ name, units, want string }{
		{"UnitsOff", "NodeOUs: {Enable: false}", "must be enabled"},
		{"UnitMissing", "NodeOUs: {Enable: true}", "are all needed"},
		{"NotYAML", "{", "config.yaml"},
		{"UnitOfOneIssuer", "NodeOUs:\n  Enable: true\n" +
			"  ClientOUIdentifier: {OrganizationalUnitIdentifier: client, Certificate: cacerts/ca.pem}\n" +
			"  PeerOUIdentifier: {OrganizationalUnitIdentifier: peer, Certificate: cacerts/ca.pem}\n" +
			"  AdminOUIdentifier: {OrganizationalUnitIdentifier: admin, Certificate: cacerts/ca.pem}\n" +
			"  OrdererOUIdentifier: {OrganizationalUnitIdentifier: orderer, Certificate: cacerts/ca.pem}\n", "leave the issuer out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadMSP(writeMSP(t, c.units, nil), "ConsumersMSP")
			require.ErrorContains(t, err, c.want)
		})
	}
	t.Run("EmptyDirectory", func(t *testing.T) {
		_, err := ReadMSP(t.TempDir(), "ConsumersMSP")
		require.ErrorContains(t, err, "must hold a certificate each")
	})
}

func TestAddOrganization(t *testing.T) {
	config := newConfig(t)
	consumers := &msp.FabricMSPConfig{Name: "ConsumersMSP"}
	require.NoError(t, AddOrganization(config, consumers, Address{Host: "peer.example", Port: 7051}))
	require.Equal(t, []string{"ConsumersMSP", "RegulatorMSP"}, Members(config))
	require.NotContains(t, config.ChannelGroup.Groups[orderers].Groups, "ConsumersMSP", "it orders nothing")
	group := config.ChannelGroup.Groups[application].Groups["ConsumersMSP"]
	for name, role := range map[string]msp.MSPRole_MSPRoleType{
		"Readers": msp.MSPRole_MEMBER, "Writers": msp.MSPRole_MEMBER, "Admins": msp.MSPRole_ADMIN, "Endorsement": msp.MSPRole_PEER,
	} {
		var policy common.SignaturePolicyEnvelope
		require.NoError(t, proto.Unmarshal(group.Policies[name].Policy.Value, &policy))
		require.Len(t, policy.Identities, 1)
		var principal msp.MSPRole
		require.NoError(t, proto.Unmarshal(policy.Identities[0].Principal, &principal))
		require.Equal(t, "ConsumersMSP", principal.MspIdentifier)
		require.Equal(t, role, principal.Role)
	}
	var anchors peer.AnchorPeers
	require.NoError(t, proto.Unmarshal(group.Values[keyAnchors].Value, &anchors))
	require.Equal(t, "peer.example", anchors.AnchorPeers[0].Host)
	require.EqualValues(t, 7051, anchors.AnchorPeers[0].Port)
	require.ErrorContains(t, AddOrganization(config, consumers, Address{}), "a member already")
	require.ErrorContains(t, AddOrganization(&common.Config{}, consumers, Address{}), "no organisations")
}

func TestSetMSP(t *testing.T) {
	config := newConfig(t)
	changed := &msp.FabricMSPConfig{Name: "RegulatorMSP", RevocationList: [][]byte{[]byte("list")}}
	require.NoError(t, SetMSP(config, changed))
	for _, group := range []string{application, orderers} {
		require.Equal(t, [][]byte{[]byte("list")}, readBack(t, config, group, "RegulatorMSP").GetRevocationList(), group)
	}
	require.ErrorContains(t, SetMSP(config, &msp.FabricMSPConfig{Name: "NobodyMSP"}), "no member")
}

func TestUpdate(t *testing.T) {
	update := &Update{Channel: "steelyard", difference: []byte("difference")}
	regulator, notary := newAdmin(t, "RegulatorMSP"), newAdmin(t, "NotaryMSP")
	require.NoError(t, update.Sign(regulator))
	require.NoError(t, update.Sign(regulator), "again: no second signature")
	path := filepath.Join(t.TempDir(), "update")
	require.NoError(t, update.WriteFile(path))
	read, err := ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, read.Sign(notary))
	signers, err := read.Signers()
	require.NoError(t, err)
	require.Equal(t, []string{"RegulatorMSP", "NotaryMSP"}, signers)

	envelope, err := read.Envelope(notary)
	require.NoError(t, err)
	require.NotEmpty(t, envelope.Signature)
	var payload common.Payload
	require.NoError(t, proto.Unmarshal(envelope.Payload, &payload))
	require.NotEmpty(t, payload.Header.SignatureHeader)

	require.NoError(t, os.WriteFile(path, []byte("no update"), 0o600))
	_, err = ReadFile(path)
	require.ErrorContains(t, err, "read channel update")
	require.NoError(t, (&Update{Channel: "steelyard"}).WriteFile(path))
	_, err = ReadFile(path)
	require.ErrorContains(t, err, "changes nothing")
}

// TestCompute needs Fabric's configtxlator.
func TestCompute(t *testing.T) {
	found, err := exec.LookPath("configtxlator")
	if err != nil {
		t.Skip("no configtxlator on PATH")
	}
	before := newConfig(t)
	after := proto.CloneOf(before)
	require.NoError(t, AddOrganization(after, &msp.FabricMSPConfig{Name: "ConsumersMSP"}, Address{Host: "peer.example", Port: 7051}))
	update, err := Translator(found).Compute(t.Context(), "steelyard", before, after)
	require.NoError(t, err)
	var difference common.ConfigUpdate
	require.NoError(t, proto.Unmarshal(update.difference, &difference))
	require.Equal(t, "steelyard", difference.GetChannelId())
	written := difference.GetWriteSet().GetGroups()[application]
	require.Contains(t, written.GetGroups(), "ConsumersMSP")
	require.EqualValues(t, 1, written.GetVersion(), "the group of organisations changes")

	_, err = Translator(found).Compute(t.Context(), "steelyard", before, before)
	require.ErrorContains(t, err, "nothing would change")
	_, err = Translator(filepath.Join(t.TempDir(), "none")).Compute(t.Context(), "steelyard", before, after)
	require.ErrorContains(t, err, "compute channel update with configtxlator")
}

func FuzzParse(f *testing.F) {
	update := &Update{Channel: "steelyard", difference: []byte("difference")}
	require.NoError(f, update.Sign(newAdmin(f, "RegulatorMSP")))
	envelope, err := update.envelope()
	require.NoError(f, err)
	data, err := proto.Marshal(envelope)
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := parse(data)
		if err != nil {
			return
		}
		again, err := read.envelope()
		require.NoError(t, err)
		encoded, err := proto.Marshal(again)
		require.NoError(t, err)
		second, err := parse(encoded)
		require.NoError(t, err)
		require.Equal(t, read.difference, second.difference)
	})
}
