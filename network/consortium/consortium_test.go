package consortium

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/network/devca"
)

func newPlan(t *testing.T, plan Plan) *Plan {
	t.Helper()
	p, err := New(t.TempDir(), plan)
	require.NoError(t, err)
	return p
}

func TestPlan(t *testing.T) {
	t.Run("PortsAreDistinct", func(t *testing.T) {
		p := newPlan(t, Plan{})
		seen := map[string]bool{}
		for _, node := range append(p.Peers(), p.Orderers()...) {
			for _, address := range []string{node.Endpoint, node.Operations, node.Cluster, node.Admin, node.Callback} {
				require.False(t, address != "" && seen[address], "%s twice", address)
				seen[address] = true
			}
		}
		for _, organization := range Organizations() {
			for slot := range Slots {
				address := p.ChaincodeAddress(organization, slot)
				require.False(t, seen[address], "%s twice", address)
				seen[address] = true
			}
		}
		require.Equal(t, "127.0.0.1:7051", p.Peers()[0].Endpoint)
	})
	t.Run("FourBFTOrThreeRaftOrderingNodes", func(t *testing.T) {
		require.Len(t, newPlan(t, Plan{}).Orderers(), 4)
		require.Len(t, newPlan(t, Plan{Orderer: Raft}).Orderers(), 3)
	})
	for name, plan := range map[string]Plan{
		"UnknownOrderer": {Orderer: "solo"},
		"PrivilegedPort": {Port: 80},
		"PortTooHigh":    {Port: 65530},
	} {
		t.Run(name+"IsRefused", func(t *testing.T) {
			_, err := New(t.TempDir(), plan)
			require.Error(t, err)
		})
	}
	t.Run("SavedAndLoaded", func(t *testing.T) {
		p := newPlan(t, Plan{Port: 9000, Orderer: Raft, Tuning: Tuning{MaxMessageCount: 7}})
		require.NoError(t, p.Save())
		loaded, err := Load(p.Path())
		require.NoError(t, err)
		require.Equal(t, p, loaded)
	})
	t.Run("EmptyDirectoryHasNone", func(t *testing.T) {
		_, err := Load(t.TempDir())
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
	t.Run("OtherFormatIsRefused", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, PlanFile), []byte(`{"version":2}`), 0o600))
		_, err := Load(dir)
		require.ErrorContains(t, err, "format 2")
	})
}

func TestMaterial(t *testing.T) {
	p := newPlan(t, Plan{})
	require.NoError(t, p.WriteMaterial())
	t.Run("KeysAreForTheOwnerOnly", func(t *testing.T) {
		err := filepath.WalkDir(p.Path(), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".key") {
				info, statErr := entry.Info()
				require.NoError(t, statErr)
				require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), path)
			}
			return err
		})
		require.NoError(t, err)
	})
	t.Run("ServerCertificatesNameNodeAndAddress", func(t *testing.T) {
		for _, node := range append(p.Peers(), p.Orderers()...) {
			data, err := os.ReadFile(filepath.Join(node.Dir, "tls", "server.crt"))
			require.NoError(t, err)
			certificate, err := devca.ParseCertificate(data)
			require.NoError(t, err)
			for _, host := range []string{node.Name, "localhost", "127.0.0.1"} {
				require.NoError(t, certificate.VerifyHostname(host))
			}
			require.Contains(t, certificate.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		}
	})
	t.Run("EnrolledUserCarriesAttributes", func(t *testing.T) {
		pair, err := p.Enroll("NotaryMSP", map[string]string{"role": "notary"})
		require.NoError(t, err)
		certificate, err := devca.ParseCertificate(pair.Certificate)
		require.NoError(t, err)
		require.Equal(t, "ca.notary.steelyard", certificate.Issuer.CommonName)
	})
	t.Run("UnknownOrganizationEnrollsNobody", func(t *testing.T) {
		_, err := p.Enroll("NobodyMSP", nil)
		require.ErrorContains(t, err, "NobodyMSP")
	})
}

func TestSettings(t *testing.T) {
	for _, orderer := range []string{BFT, Raft} {
		t.Run(orderer, func(t *testing.T) {
			p := newPlan(t, Plan{Orderer: orderer})
			require.NoError(t, p.WriteSettings("/opt/builder"))
			files := []string{p.Path("configtx.yaml")}
			for _, peer := range p.Peers() {
				files = append(files, filepath.Join(peer.Dir, "core.yaml"))
			}
			for _, node := range p.Orderers() {
				files = append(files, filepath.Join(node.Dir, "orderer.yaml"))
			}
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, yaml.Unmarshal(data, &map[string]any{}), file)
				require.NotContains(t, string(data), "<no value>")
			}
		})
	}
}

func TestHandouts(t *testing.T) {
	p := newPlan(t, Plan{})
	require.NoError(t, p.WriteMaterial())
	genesis := &common.Block{Header: &common.BlockHeader{DataHash: []byte("data")}}
	require.NoError(t, p.WriteHandouts(genesis))
	t.Run("WalletHasEveryPost", func(t *testing.T) {
		for _, post := range posts() {
			mspID, pair, err := ReadIdentity(p.Path("wallet", post.label+".id"))
			require.NoError(t, err)
			require.Equal(t, post.mspID, mspID)
			certificate, err := devca.ParseCertificate(pair.Certificate)
			require.NoError(t, err)
			extension := certificate.Extensions[len(certificate.Extensions)-1]
			require.True(t, extension.Id.Equal(asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}))
			var attributes struct{ Attrs map[string]string }
			require.NoError(t, json.Unmarshal(extension.Value, &attributes))
			require.Equal(t, post.role, attributes.Attrs["role"])
			require.Len(t, attributes.Attrs["subject"], 26)
		}
	})
	t.Run("SecondTimeKeepsIdentitiesAndConfiguration", func(t *testing.T) {
		require.NoError(t, os.WriteFile(p.Path("gateway.yaml"), []byte("changed"), 0o600))
		before, err := os.ReadFile(p.Path("wallet", "merchant.id"))
		require.NoError(t, err)
		require.NoError(t, p.WriteHandouts(genesis))
		after, err := os.ReadFile(p.Path("wallet", "merchant.id"))
		require.NoError(t, err)
		require.Equal(t, before, after)
		configuration, err := os.ReadFile(p.Path("gateway.yaml"))
		require.NoError(t, err)
		require.Equal(t, "changed", string(configuration))
		require.NoError(t, os.Remove(p.Path("gateway.yaml")))
		require.NoError(t, p.WriteHandouts(genesis))
	})
	t.Run("TrustFileNamesBlock0AndRoots", func(t *testing.T) {
		data, err := os.ReadFile(p.Path("trust.json"))
		require.NoError(t, err)
		var file trustFile
		require.NoError(t, json.Unmarshal(data, &file))
		require.Equal(t, Channel, file.Channel)
		require.Len(t, file.GenesisHash, 64)
		require.Len(t, file.Organizations, 4)
		require.Len(t, file.OrdererOrganizations, 4)
		for _, organization := range file.Organizations {
			_, err := devca.ParseCertificate([]byte(organization.Roots[0]))
			require.NoError(t, err)
		}
	})
	t.Run("GatewayConfigurationNamesEveryPeer", func(t *testing.T) {
		data, err := os.ReadFile(p.Path("gateway.yaml"))
		require.NoError(t, err)
		var file struct {
			Network struct {
				Channel, Chaincode, Wallet, Trust string
				Peers                             []struct {
					MSPID      string `yaml:"mspId"`
					Endpoint   string
					ServerName string `yaml:"serverName"`
					TLSRoots   string `yaml:"tlsRoots"`
				}
			}
		}
		require.NoError(t, yaml.Unmarshal(data, &file))
		require.Equal(t, Chaincode, file.Network.Chaincode)
		require.Len(t, file.Network.Peers, 4)
		for _, peer := range file.Network.Peers {
			require.FileExists(t, p.Path(peer.TLSRoots))
			require.NotEmpty(t, peer.ServerName)
		}
	})
}

// TestHeaderHash builds the DER by hand: Fabric hashes the header's ASN.1
// form, number first, with nil and empty hashes alike.
func TestHeaderHash(t *testing.T) {
	header := &common.BlockHeader{Number: 300, PreviousHash: []byte{1, 2}, DataHash: []byte{3}}
	got, err := HeaderHash(header)
	require.NoError(t, err)
	want := sha256.Sum256([]byte{0x30, 0x0b, 0x02, 0x02, 0x01, 0x2c, 0x04, 0x02, 1, 2, 0x04, 0x01, 3})
	require.Equal(t, want[:], got)
	number := new(big.Int).SetUint64(1 << 63)
	require.Len(t, number.Bytes(), 8)
	_, err = HeaderHash(&common.BlockHeader{Number: 1 << 63})
	require.NoError(t, err)
}

func TestCollections(t *testing.T) {
	configs, err := Collections()
	require.NoError(t, err)
	require.Len(t, configs, 2)
	members := map[string]int{}
	for _, config := range configs {
		members[config.GetName()] = len(config.GetMemberOrgsPolicy().GetSignaturePolicy().GetIdentities())
		require.True(t, config.GetMemberOnlyRead())
		require.True(t, config.GetMemberOnlyWrite())
	}
	require.Equal(t, map[string]int{"disclosed": 4, "restricted": 2}, members)
}

// composeService is what Docker would be told of one node.
type composeService struct {
	Image       string
	Command     []string
	NetworkMode string `yaml:"network_mode"`
	Environment map[string]string
	WorkingDir  string                  `yaml:"working_dir"`
	Volumes     []string                // source:target
	EnvFile     []struct{ Path string } `yaml:"env_file"`
}

// TestCompose checks, without Docker, that the compose file runs exactly the
// nodes of the plan, each from the files that the scripts' nodes use: the
// variable is filled in as Docker would, and every path looked up.
func TestCompose(t *testing.T) {
	p := newPlan(t, Plan{})
	require.NoError(t, p.WriteMaterial())
	require.NoError(t, p.WriteSettings("/opt/hyperledger/ccaas_builder"))
	data, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	text := regexp.MustCompile(`\$\{STEELYARD_FABRIC(:\?[^}]*)?\}`).ReplaceAllLiteralString(string(data), p.Path())
	require.NotContains(t, regexp.MustCompile(`(?m)#.*$`).ReplaceAllString(text, ""), "$", "no other variable")
	var file struct{ Services map[string]composeService }
	require.NoError(t, yaml.Unmarshal([]byte(text), &file))
	require.Len(t, file.Services, len(p.Peers())+len(p.Orderers()))
	for _, node := range p.Peers() {
		service := file.Services["peer-"+node.Organization.Name]
		requireRuns(t, p, service, node, "hyperledger/fabric-peer:3.1.5", "core.yaml")
		require.Equal(t, []string{"peer", "node", "start"}, service.Command)
		require.Equal(t, filepath.Join(node.Dir, "peer.env"), service.EnvFile[0].Path, "where prepare writes what the builder is told")
	}
	for _, node := range p.Orderers() {
		service := file.Services["orderer-"+node.Organization.Name]
		requireRuns(t, p, service, node, "hyperledger/fabric-orderer:3.1.5", "orderer.yaml")
		require.Equal(t, []string{"orderer"}, service.Command)
	}
}

// requireRuns checks that a service is one node of the plan, on its files.
func requireRuns(t *testing.T, p *Plan, service composeService, node Node, image, settings string) {
	t.Helper()
	require.Equal(t, image, service.Image, node.Name)
	require.Equal(t, "host", service.NetworkMode, "addresses are those of the plan")
	require.Equal(t, []string{p.Path() + ":" + p.Path()}, service.Volumes, "paths in the settings hold inside too")
	require.Equal(t, node.Dir, service.WorkingDir)
	require.Equal(t, node.Dir, service.Environment["FABRIC_CFG_PATH"])
	data, err := os.ReadFile(filepath.Join(service.WorkingDir, settings))
	require.NoError(t, err)
	var parsed any
	require.NoError(t, yaml.Unmarshal(data, &parsed))
	for _, path := range pathsIn(parsed) {
		if strings.HasPrefix(path, "/opt/hyperledger/") {
			continue // in the image
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(service.WorkingDir, path)
		}
		require.True(t, strings.HasPrefix(path, p.Path()), "%s names %s, which is not mounted", settings, path)
		if !strings.HasPrefix(path, filepath.Join(node.Dir, "data")) {
			require.FileExists(t, path)
		}
	}
}

// pathsIn lists the values in settings that name certificates, keys and
// directories of data.
func pathsIn(settings any) []string {
	var paths []string
	switch v := settings.(type) {
	case map[string]any:
		for _, value := range v {
			paths = append(paths, pathsIn(value)...)
		}
	case []any:
		for _, value := range v {
			paths = append(paths, pathsIn(value)...)
		}
	case string:
		if filepath.IsAbs(v) || strings.HasSuffix(v, ".crt") || strings.HasSuffix(v, ".key") || strings.HasSuffix(v, ".pem") {
			paths = append(paths, v)
		}
	}
	return paths
}

func TestFurtherOrganization(t *testing.T) {
	p := newPlan(t, Plan{})
	with, err := p.With("consumers")
	require.NoError(t, err)
	require.Len(t, p.Members(), 4, "the plan itself is as it was")
	require.Len(t, with.Members(), 5)
	require.Equal(t, "ConsumersMSP", with.Members()[4].MSPID)
	require.Equal(t, "127.0.0.1:7131", with.Peers()[4].Endpoint)
	require.Len(t, with.Orderers(), 4)
	require.NoError(t, with.Save())
	loaded, err := Load(p.Path())
	require.NoError(t, err)
	require.Equal(t, with, loaded)

	for _, name := range []string{"", "c", "Consumers", "con-sumers", "2nd", "regulator", "a12345678901234567890"} {
		_, err := p.With(name)
		require.Error(t, err, name)
	}
	_, err = p.Member("consumers")
	require.ErrorContains(t, err, "consumers")

	require.Equal(t, "OutOf(3, 'RegulatorMSP.peer', 'InstituteMSP.peer', 'AssociationMSP.peer', 'NotaryMSP.peer')", p.Majority())
	require.Contains(t, with.Majority(), "OutOf(3, ")
	require.Contains(t, with.Majority(), "'ConsumersMSP.peer'")

	configs, err := with.Collections()
	require.NoError(t, err)
	members := map[string]int{}
	for _, config := range configs {
		members[config.GetName()] = len(config.GetMemberOrgsPolicy().GetSignaturePolicy().GetIdentities())
	}
	require.Equal(t, map[string]int{"disclosed": 5, "restricted": 2}, members)

	require.NoError(t, with.WriteMaterial())
	require.NoError(t, with.WriteHandouts(&common.Block{Header: &common.BlockHeader{}}))
	mspID, _, err := ReadIdentity(with.Path("wallet-consumers", "reader.id"))
	require.NoError(t, err)
	require.Equal(t, "ConsumersMSP", mspID)
	data, err := os.ReadFile(with.Path("gateway-consumers.yaml"))
	require.NoError(t, err)
	var file struct {
		Data, Tokens string
		Network      struct {
			Wallet string
			Peers  []struct {
				MSPID string `yaml:"mspId"`
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &file))
	require.Len(t, file.Network.Peers, 5)
	require.Equal(t, "ConsumersMSP", file.Network.Peers[0].MSPID, "its own peer first")
	require.Equal(t, []string{"./gateway-consumers-data", "./gateway-consumers-tokens.json", "./wallet-consumers"}, []string{file.Data, file.Tokens, file.Network.Wallet})
	require.NoError(t, with.WriteSettings("/opt/builder"))
	channel, err := os.ReadFile(with.Path("configtx.yaml"))
	require.NoError(t, err)
	require.NotContains(t, string(channel), "consumers", "block 0 is the founders'")
}

// TestTrustNamesEveryRoot: a CA that an organisation adds counts for verifiers too.
func TestTrustNamesEveryRoot(t *testing.T) {
	p := newPlan(t, Plan{})
	require.NoError(t, p.WriteMaterial())
	further, err := devca.New("association", "fabric-ca")
	require.NoError(t, err)
	dir := p.Path("organizations", "association", "msp", "cacerts")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fabric-ca.pem"), further.CertificatePEM(), 0o600))
	content, err := p.Trust(&common.Block{Header: &common.BlockHeader{}})
	require.NoError(t, err)
	var trust trustFile
	require.NoError(t, json.Unmarshal(content, &trust))
	for _, organizations := range []map[string]roots{trust.Organizations, trust.OrdererOrganizations} {
		require.Len(t, organizations["AssociationMSP"].Roots, 2)
		require.Contains(t, organizations["AssociationMSP"].Roots, string(further.CertificatePEM()))
		require.Len(t, organizations["NotaryMSP"].Roots, 1)
	}
	require.NoError(t, os.RemoveAll(dir))
	_, err = p.Trust(&common.Block{Header: &common.BlockHeader{}})
	require.ErrorContains(t, err, "read roots of AssociationMSP: there are none")
}
