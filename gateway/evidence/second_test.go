package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// secondProgram is the check that the downloadable page makes, written from
// FORMAT.md in another language. It prints one word for each case: holds,
// other-file, refused, beyond or broken.
const secondProgram = `
const { checkEvidence, readTrust, OtherFile, Refused, Beyond } = require(process.argv[1]);
for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const { trust, bundle, flip, digests } = JSON.parse(line);
  const file = new Uint8Array(Buffer.from(bundle, 'base64'));
  if (flip !== undefined) file[Math.floor(flip / 8)] ^= 1 << (flip % 8);
  let said = 'holds';
  try {
    const { leaf, block, endorsers, readers, orderers } = checkEvidence(file, readTrust(Buffer.from(trust, 'base64').toString()), digests ?? []);
    said = ['holds', leaf.number, block, endorsers, readers, orderers].join(' ');
  } catch (error) {
    said = error instanceof OtherFile ? 'other-file' : error instanceof Refused ? 'refused' : error instanceof Beyond ? 'beyond' : 'broken ' + error.stack;
  }
  console.log(said);
}`

// shown is one case for the second program.
type shown struct {
	Trust   []byte             `json:"trust"`
	Bundle  []byte             `json:"bundle"`
	Flip    *int               `json:"flip,omitempty"` // bit of the file
	Digests []metrology.Digest `json:"digests,omitempty"`
}

// ask gives the cases to the second program.
func ask(t *testing.T, cases []shown) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH: the second program is not asked")
	}
	var in bytes.Buffer
	for _, one := range cases {
		require.NoError(t, json.NewEncoder(&in).Encode(one))
	}
	command := exec.CommandContext(t.Context(), node, "-e", secondProgram, "../web/assets/evidence.js")
	command.Stdin = &in
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	said := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	require.Len(t, said, len(cases))
	words := make([]string, len(said))
	for i, word := range said {
		words[i] = string(word)
	}
	return words
}

// encodeAny writes a bundle whether or not it holds.
func encodeAny(t *testing.T, bundle Bundle) []byte {
	encoded, err := bundle.Encode()
	require.NoError(t, err)
	return encoded
}

func TestSecondProgram_Holds(t *testing.T) {
	for _, consensus := range []string{"BFT", "etcdraft"} {
		s := newScene(t, consensus, nil)
		s.from.Reading = s.reading(3, 1, s.peers["RegulatorMSP"], s.peers["AssociationMSP"])
		bundle, err := Build(s.trust(), s.from, "JL2026-0002")
		require.NoError(t, err)
		encoded := encodeAny(t, bundle)
		stranger := newConsortium(t, consensus).trustFile()
		said := ask(t, []shown{
			{Trust: s.trustFile(), Bundle: encoded, Digests: leaf(2).Digests},
			{Trust: s.trustFile(), Bundle: encoded},
			{Trust: s.trustFile(), Bundle: encoded, Digests: leaf(1).Digests},
			{Trust: stranger, Bundle: encoded, Digests: leaf(2).Digests},
			{Trust: s.trustFile(), Bundle: []byte(" " + string(encoded))},
			{Trust: s.trustFile(), Bundle: []byte("evidence")},
		})
		require.Contains(t, said[0], "holds JL2026-0002 3 InstituteMSP,NotaryMSP,RegulatorMSP AssociationMSP,RegulatorMSP ")
		require.Equal(t, said[0], said[1])
		require.Equal(t, []string{"other-file", "refused", "refused", "refused"}, said[2:])
	}
}

func TestSecondProgram_SM2(t *testing.T) {
	s := newScene(t, "etcdraft", func(_ *consortium, a *anchoring) {
		signer, err := signature.GenerateSM2()
		require.NoError(t, err)
		root := [32]byte(fromHex(t, a.batch.Root))
		a.batch.Signature, err = signer.Sign(metrology.BatchMessage(a.batch.Issuer, root, uint64(a.batch.Count)))
		require.NoError(t, err)
		a.batch.Key, a.spki = signer.Key().ID(), signer.Key().SPKI()
		a.write()
	})
	bundle, err := Build(s.trust(), s.from, "JL2026-0003")
	require.NoError(t, err)
	require.Contains(t, ask(t, []shown{{Trust: s.trustFile(), Bundle: encodeAny(t, bundle)}})[0], "holds JL2026-0003")
}

// What the verify program refuses, the second program refuses.
func TestSecondProgram_Refuses(t *testing.T) {
	var names []string
	var cases []shown
	add := func(name string, s scene, bundle Bundle) {
		names, cases = append(names, name), append(cases, shown{Trust: s.trustFile(), Bundle: encodeAny(t, bundle)})
	}
	for name, change := range forgeries() {
		s := newScene(t, "BFT", change)
		bundle, err := build(s.trust(), s.from, "JL2026-0002")
		require.NoError(t, err)
		add(name, s, bundle)
	}
	s := newScene(t, "BFT", nil)
	for name, reading := range s.falseReadings() {
		from := s.from
		from.Reading = reading
		bundle, err := build(s.trust(), from, "JL2026-0002")
		require.NoError(t, err)
		add(name, s, bundle)
	}
	good, err := Build(s.trust(), s.from, "JL2026-0002")
	require.NoError(t, err)
	for name, change := range patchworks() {
		add(name, s, good.patched(change))
	}
	for i, said := range ask(t, cases) {
		require.Equal(t, "refused", said, names[i])
	}
}

// No single flipped bit leaves the evidence holding for the second program
// either. It tries some hundreds, in the file and below its encoding, where
// base64 and JSON catch nothing.
func TestSecondProgram_FlippedBits(t *testing.T) {
	encoded, err := os.ReadFile(filepath.Join(kept, "bundle.json"))
	require.NoError(t, err)
	trust, err := os.ReadFile(filepath.Join(kept, "trust.json"))
	require.NoError(t, err)
	bundle, err := Parse(encoded)
	require.NoError(t, err)
	var cases []shown
	for bit := 0; bit < len(encoded)*8; bit += 809 {
		cases = append(cases, shown{Trust: trust, Bundle: encoded, Flip: &bit})
	}
	parts := [][]byte{bundle.Leaf, bundle.Hashes[0], bundle.IssuerKey, bundle.Block.Signatures, bundle.Block.PreviousHash,
		bundle.Configurations[1].Signatures, bundle.Block.Envelopes[1], bundle.Reading.Response, bundle.Reading.Endorsements[0].Signature,
		bundle.Reading.Endorsements[1].Endorser}
	for i, part := range parts {
		for bit := i; bit < len(part)*8; bit += len(part)*8/16 + 1 {
			part[bit/8] ^= 1 << (bit % 8)
			cases = append(cases, shown{Trust: trust, Bundle: encodeAny(t, bundle)})
			part[bit/8] ^= 1 << (bit % 8)
		}
	}
	for i, said := range ask(t, cases) {
		require.NotContains(t, said, "holds", i)
		require.NotContains(t, said, "broken", i)
	}
	require.Contains(t, ask(t, []shown{{Trust: trust, Bundle: encodeAny(t, bundle)}})[0], "holds", "all bits are back")
	t.Logf("%d bits flipped, none unseen", len(cases))
}

func fromHex(t *testing.T, text string) []byte {
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	return raw
}
