package embedded_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	mb "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	pb "github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/embedded/msp"
)

// TestPeerCommand drives the network with Fabric's own command line.
func TestPeerCommand(t *testing.T) {
	if _, err := exec.LookPath("peer"); err != nil {
		t.Skip("the peer command is not on PATH")
	}
	cfg := config(t, t.TempDir())
	one, err := msp.AnyRole("RegulatorMSP", []mb.MSPRole_MSPRoleType{mb.MSPRole_PEER})
	require.NoError(t, err)
	cfg.Chaincodes[0].Policy = &pb.ApplicationPolicy{Type: &pb.ApplicationPolicy_SignaturePolicy{SignaturePolicy: one}}
	network := start(t, cfg)

	_, port, err := net.SplitHostPort(network.Endpoint())
	require.NoError(t, err)
	base := filepath.Join(cfg.Dir, "organizations", "peerOrganizations", "regulator.example.com")
	roots := filepath.Join(base, "peers", "peer0.regulator.example.com", "tls", "ca.crt")
	peer := func(arguments ...string) string {
		command := exec.Command("peer", arguments...)
		command.Env = append(os.Environ(), "FABRIC_CFG_PATH="+coreSettings(t), "CORE_PEER_TLS_ENABLED=true",
			"CORE_PEER_LOCALMSPID=RegulatorMSP", "CORE_PEER_ADDRESS=localhost:"+port,
			"CORE_PEER_TLS_ROOTCERT_FILE="+roots,
			"CORE_PEER_MSPCONFIGPATH="+filepath.Join(base, "users", "User1@regulator.example.com", "msp"))
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}
	orderer := []string{"-o", "localhost:" + port, "--tls", "--cafile", roots}
	invoke := append([]string{"chaincode", "invoke", "-C", "steelyard", "-n", chaincodeName, "-c", `{"Args":["put","k","from the command line"]}`, "--waitForEvent"}, orderer...)
	require.Contains(t, peer(invoke...), "committed with status (VALID)")
	require.Contains(t, peer("chaincode", "query", "-C", "steelyard", "-n", chaincodeName, "-c", `{"Args":["get","k"]}`), "from the command line")
	file := filepath.Join(t.TempDir(), "block")
	peer(append([]string{"channel", "fetch", "1", file, "-c", "steelyard"}, orderer...)...)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.EqualValues(t, 1, unmarshal(t, content, &cb.Block{}).GetHeader().GetNumber())
}

// coreSettings makes the least core.yaml the command starts with.
func coreSettings(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "core.yaml"), []byte("peer:\n  BCCSP:\n    Default: SW\n    SW:\n      Hash: SHA2\n      Security: 256\n"), 0o600))
	return dir
}
