package consortium

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"
)

// post is one wallet entry that a new network starts with.
type post struct{ label, mspID, role string }

func posts() []post {
	return []post{
		{"regulator", "RegulatorMSP", "regulator"},
		{"inspector", "RegulatorMSP", "inspector"},
		{"inspector2", "RegulatorMSP", "inspector"},
		{"institute", "InstituteMSP", "institute"},
		{"merchant", "AssociationMSP", "merchant"},
		{"association", "AssociationMSP", "association"},
		{"notary", "NotaryMSP", "notary"},
	}
}

// WriteHandouts writes what a gateway needs: wallet, trust file and
// configuration. Identities that exist are kept, since the ledger knows them,
// and so is a configuration, since its owner may have changed it.
func (p *Plan) WriteHandouts(genesis *common.Block) error {
	for _, post := range posts() {
		if err := p.writePost(p.Path("wallet"), post); err != nil {
			return err
		}
	}
	trust, err := p.Trust(genesis)
	if err != nil {
		return err
	}
	if err := writeFile(p.Path("trust.json"), trust); err != nil {
		return err
	}
	if err := p.writeGateway("gateway.yaml", "wallet", p.Peers()[:len(Organizations())]); err != nil {
		return err
	}
	for i, name := range p.Joined {
		member := p.Members()[len(Organizations())+i]
		if err := p.writePost(p.Path("wallet-"+name), post{"reader", member.MSPID, "reader"}); err != nil {
			return err
		}
		peers := p.Peers()
		slices.SortStableFunc(peers, func(a, b Node) int { return cmp.Compare(distance(a, member), distance(b, member)) })
		if err := p.writeGateway("gateway-"+name+".yaml", "wallet-"+name, peers); err != nil {
			return err
		}
	}
	return nil
}

// distance orders an organisation's own peer before the others.
func distance(node Node, own Organization) int {
	if node.Organization == own {
		return 0
	}
	return 1
}

// writePost enrolls one post, once.
func (p *Plan) writePost(wallet string, post post) error {
	path := filepath.Join(wallet, post.label+".id")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	pair, err := p.Enroll(post.mspID, map[string]string{"role": post.role, "subject": rand.Text()})
	if err != nil {
		return fmt.Errorf("enroll %s: %w", post.label, err)
	}
	return writeIdentity(path, post.mspID, pair)
}

// writeGateway writes a gateway's configuration, once. A gateway beside the
// first needs a data directory and tokens of its own, named after its file.
func (p *Plan) writeGateway(file, wallet string, peers []Node) error {
	if _, err := os.Stat(p.Path(file)); err == nil {
		return nil
	}
	return render("gateway.yaml", p.Path(file), struct {
		Plan                    *Plan
		Chaincode, Name, Wallet string
		Peers                   []Node
	}{p, Chaincode, strings.TrimSuffix(file, ".yaml"), wallet, peers})
}

// trustFile is what a verifier pins: which ledger, and whose signatures count.
type trustFile struct {
	Version              int              `json:"version"`
	Channel              string           `json:"channel"`
	GenesisHash          string           `json:"genesisHash"`
	Organizations        map[string]roots `json:"organizations"`
	OrdererOrganizations map[string]roots `json:"ordererOrganizations"`
}

type roots struct {
	Roots []string `json:"roots"`
}

// Trust encodes the trust file of the network whose block 0 is given.
func (p *Plan) Trust(genesis *common.Block) ([]byte, error) {
	hash, err := HeaderHash(genesis.GetHeader())
	if err != nil {
		return nil, err
	}
	file := trustFile{
		Version:              1,
		Channel:              p.Channel,
		GenesisHash:          hex.EncodeToString(hash),
		Organizations:        map[string]roots{},
		OrdererOrganizations: map[string]roots{},
	}
	for _, organization := range p.Members() {
		certificates, err := p.roots(organization)
		if err != nil {
			return nil, fmt.Errorf("read roots of %s: %w", organization.MSPID, err)
		}
		file.Organizations[organization.MSPID] = roots{Roots: certificates}
	}
	for _, orderer := range p.Orderers() {
		file.OrdererOrganizations[orderer.MSPID] = file.Organizations[orderer.MSPID]
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode trust file: %w", err)
	}
	return append(data, '\n'), nil
}

// roots are the certificates of all CAs that the organisation has, sorted by
// the names of their files.
func (p *Plan) roots(organization Organization) ([]string, error) {
	files, err := filepath.Glob(p.Path("organizations", organization.Name, "msp", "cacerts", "*.pem"))
	if err != nil {
		return nil, err
	}
	var certificates []string
	for _, file := range files {
		certificate, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, string(certificate))
	}
	if len(certificates) == 0 {
		return nil, errors.New("there are none")
	}
	return certificates, nil
}

// HeaderHash is Fabric's block hash: SHA-256 over the header's ASN.1 DER.
func HeaderHash(header *common.BlockHeader) ([]byte, error) {
	der, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return nil, fmt.Errorf("encode block header: %w", err)
	}
	sum := sha256.Sum256(der)
	return sum[:], nil
}

// GenesisBlock reads the block 0 that configtxgen made.
func (p *Plan) GenesisBlock() (*common.Block, error) {
	data, err := os.ReadFile(p.Path("genesis.block"))
	if err != nil {
		return nil, fmt.Errorf("read genesis block: %w", err)
	}
	block := &common.Block{}
	if err := proto.Unmarshal(data, block); err != nil {
		return nil, fmt.Errorf("decode genesis block: %w", err)
	}
	return block, nil
}
