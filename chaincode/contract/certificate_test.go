package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
)

// leaf is a good verification certificate of a dispenser, changed.
func (at institute) leaf(t require.TestingT, number string, change func(*metrology.Leaf)) json.RawMessage {
	leaf := metrology.Leaf{
		Issuer: at.id, Kind: metrology.KindVerification, Number: number, Regulation: "JJG 443-2023",
		Performed: "2026-03-01", Issued: "2026-03-02", ValidUntil: "2026-08-31",
		Digests:     []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: salt(number)}},
		Instruments: []metrology.LeafInstrument{{Category: "24-2", Serial: "S-" + number, Conclusion: metrology.ConclusionPass}},
	}
	if change != nil {
		change(&leaf)
	}
	raw, err := leaf.Bytes()
	require.NoError(t, err)
	return raw
}

// batch signs leaves as the institute does.
func (at institute) batch(t require.TestingT, leaves ...json.RawMessage) metrology.AnchorBatch {
	tree, err := newLeafTree(leaves)
	require.NoError(t, err)
	signed, err := at.signer.Sign(metrology.BatchMessage(at.id, tree.root, uint64(len(leaves))))
	require.NoError(t, err)
	return metrology.AnchorBatch{Issuer: at.id, Leaves: leaves, Root: tree.rootHex(), Key: at.signer.Key().ID(), Signature: signed}
}

// anchor anchors one certificate with a good leaf.
func (l *ledger) anchor(at institute, number string, change func(*metrology.Leaf)) json.RawMessage {
	l.t.Helper()
	leaf := at.leaf(l.t, number, change)
	batch := at.batch(l.t, leaf)
	l.must(at.officer, "certificate:Anchor",
		metrology.AnchorCertificate{Issuer: at.id, Leaf: leaf, Key: batch.Key, Signature: batch.Signature}, nil)
	return leaf
}

// rejectedLeaves reads the list out of an error.
func rejectedLeaves(t *testing.T, err error) (list []metrology.RejectedLeaf) {
	t.Helper()
	var e *metrology.Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.Equal(t, metrology.CodeRejectedLeaves, e.Code, "%v", err)
	require.NoError(t, json.Unmarshal([]byte(e.Message), &list))
	return list
}

func TestAnchorBatch(t *testing.T) {
	for name, generate := range map[string]func() (*signature.Signer, error){"P-256": signature.GenerateP256, "SM2": signature.GenerateSM2} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t)
			at := l.addIssuer("inst-1", generate)
			leaves := []json.RawMessage{at.leaf(t, "力字 2026/1", nil), at.leaf(t, "2", nil), at.leaf(t, "3", nil)}
			batch := at.batch(t, leaves...)
			event := l.must(at.officer, "certificate:AnchorBatch", batch, nil)
			require.Equal(t, metrology.NewEvent(metrology.EventCertificatesAnchored, "inst-1/"+batch.Root), event)

			stored := load[metrology.Batch](l, "batch/inst-1/"+batch.Root)
			require.Equal(t, 3, stored.Count)
			require.Equal(t, batch.Signature, stored.Signature)
			first := load[metrology.Certificate](l, metrology.CertificateKey("inst-1", "力字 2026/1"))
			require.Equal(t, metrology.Certificate{
				Batch: batch.Root, Index: 0, LeafHash: leafHash(leaves[0]), State: metrology.CertificateAnchored,
			}, first)
			require.Contains(t, l.state, "gate/InstituteMSP", "an anchor needs a peer of the institutes")
		})
	}
}

func TestAnchorOne(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	leaf := l.anchor(at, "1", nil)
	require.Equal(t, leafHash(leaf), load[metrology.Certificate](l, "certificate/inst-1/1").Batch, "the root of one leaf is its hash")
}

// TestAnchorBatchRefuses gives what makes a whole batch bad.
func TestAnchorBatchRefuses(t *testing.T) {
	l := newLedger(t)
	at, other := l.addIssuer("inst-1", signature.GenerateP256), l.addIssuer("inst-2", signature.GenerateP256)
	for name, test := range map[string]struct {
		by     actor
		change func(*metrology.AnchorBatch)
		code   metrology.Code
	}{
		"ErrForeignOfficer":  {other.officer, func(*metrology.AnchorBatch) {}, metrology.CodeForbidden},
		"ErrRegulator":       {l.as(metrology.RoleRegulator, "reg"), func(*metrology.AnchorBatch) {}, metrology.CodeForbidden},
		"ErrWrongRoot":       {at.officer, func(b *metrology.AnchorBatch) { b.Root = salt("root") }, metrology.CodeInvalid},
		"ErrUpperCaseRoot":   {at.officer, func(b *metrology.AnchorBatch) { b.Root = strings.ToUpper(b.Root) }, metrology.CodeInvalid},
		"ErrReordered":       {at.officer, func(b *metrology.AnchorBatch) { b.Leaves[0], b.Leaves[1] = b.Leaves[1], b.Leaves[0] }, metrology.CodeInvalid},
		"ErrNoSignature":     {at.officer, func(b *metrology.AnchorBatch) { b.Signature = nil }, metrology.CodeSignature},
		"ErrFlippedBit":      {at.officer, func(b *metrology.AnchorBatch) { b.Signature[len(b.Signature)-1] ^= 1 }, metrology.CodeSignature},
		"ErrUnknownKey":      {at.officer, func(b *metrology.AnchorBatch) { b.Key = salt("key") }, metrology.CodeSignature},
		"ErrKeyOfAnother":    {at.officer, func(b *metrology.AnchorBatch) { b.Key = other.signer.Key().ID() }, metrology.CodeSignature},
		"ErrNoLeaves":        {at.officer, func(b *metrology.AnchorBatch) { b.Leaves = nil }, metrology.CodeInvalid},
		"ErrIssuerNotOnFile": {l.as(metrology.RoleInstitute, "x"), func(b *metrology.AnchorBatch) { b.Issuer = "inst-9" }, metrology.CodeForbidden},
		"ErrSignedByAnother": {at.officer, func(b *metrology.AnchorBatch) {
			b.Signature = other.batch(t, b.Leaves...).Signature
		}, metrology.CodeSignature},
	} {
		t.Run(name, func(t *testing.T) {
			batch := at.batch(t, at.leaf(t, "1", nil), at.leaf(t, "2", nil))
			test.change(&batch)
			_, err := l.fork(t).submit(test.by, "certificate:AnchorBatch", batch, nil)
			require.Equal(t, test.code, metrology.ErrorCode(err), "%v", err)
		})
	}
	t.Run("ErrKeyExpired", func(t *testing.T) {
		late := l.fork(t)
		late.now = l.now.AddDate(1, 0, 0)
		_, err := late.submit(at.officer, "certificate:AnchorBatch", at.batch(t, at.leaf(t, "1", nil)), nil)
		require.Equal(t, metrology.CodeSignature, metrology.ErrorCode(err))
	})
	t.Run("ErrSuspended", func(t *testing.T) {
		stopped := l.fork(t)
		stopped.must(l.as(metrology.RoleRegulator, "reg"), "issuer:Suspend",
			metrology.SuspendIssuer{ID: "inst-1", Reason: metrology.IssuerInvestigated}, nil)
		_, err := stopped.submit(at.officer, "certificate:AnchorBatch", at.batch(t, at.leaf(t, "1", nil)), nil)
		require.Equal(t, metrology.CodeState, metrology.ErrorCode(err))
	})
}

// TestRejectedLeaves has one bad leaf of every sort between good ones. Nothing
// is written, CheckBatch says the same, and the good ones can go alone.
func TestRejectedLeaves(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	l.addDispenser("i-1")
	l.must(l.as(metrology.RoleRegulator, "reg"), "instrument:OpenDispute",
		metrology.InstrumentDecision{ID: "i-1", Reason: metrology.DisputeMediation}, nil)
	l.addDispenser("i-2")
	taken := l.anchor(at, "taken", nil)

	named := func(id, serial string) func(*metrology.Leaf) {
		return func(l *metrology.Leaf) { l.Instruments[0].ID, l.Instruments[0].Serial = id, serial }
	}
	leaves := []json.RawMessage{
		at.leaf(t, "good-1", nil),
		taken,
		at.leaf(t, "taken", func(l *metrology.Leaf) { l.ValidUntil = "2026-08-30" }),
		at.leaf(t, "scope", func(l *metrology.Leaf) { l.Regulation = "JJG 443-2015" }),
		at.leaf(t, "dispute", named("i-1", "i-1-serial")),
		at.leaf(t, "serial", named("i-2", "another")),
		at.leaf(t, "unknown", named("i-9", "x")),
		at.leaf(t, "good-2", named("i-2", "i-2-serial")),
		json.RawMessage(`{"validUntil":"2026-01-01"}`),
		at.leaf(t, "good-1", nil),
	}
	_, err := l.submit(at.officer, "certificate:AnchorBatch", at.batch(t, leaves...), nil)
	rejected := rejectedLeaves(t, err)
	type short struct {
		index int
		code  metrology.Code
		field string
		same  bool
	}
	var got []short
	for _, leaf := range rejected {
		got = append(got, short{leaf.Index, leaf.Code, leaf.Field, leaf.Same})
	}
	require.Equal(t, []short{
		{1, metrology.CodeConflict, "number", true},
		{2, metrology.CodeConflict, "number", false},
		{3, metrology.CodeScope, "instruments[0].category", false},
		{4, metrology.CodeState, "instruments[0].id", false},
		{5, metrology.CodeInvalid, "instruments[0].serial", false},
		{6, metrology.CodeNotFound, "instruments[0].id", false},
		{8, metrology.CodeInvalid, "version", false},
		{9, metrology.CodeConflict, "number", false},
	}, got)
	require.NotContains(t, l.state, "certificate/inst-1/good-1")

	answer, err := l.invoke(at.officer, nil, "certificate:CheckBatch", text(t, metrology.CheckBatch{Issuer: "inst-1", Leaves: leaves}))
	require.NoError(t, err)
	var checked []metrology.RejectedLeaf
	require.NoError(t, json.Unmarshal([]byte(answer), &checked))
	require.Equal(t, rejected, checked)
	l.must(at.officer, "certificate:AnchorBatch", at.batch(t, leaves[0], leaves[7]), nil)
}

func TestCheckBatchAnswersWithAnEmptyList(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	check := metrology.CheckBatch{Issuer: "inst-1", Leaves: []json.RawMessage{at.leaf(t, "1", nil)}}
	answer, err := l.invoke(at.officer, nil, "certificate:CheckBatch", text(t, check))
	require.NoError(t, err)
	require.Equal(t, "[]", answer)
	check.Issuer = "inst-9"
	_, err = l.invoke(at.officer, nil, "certificate:CheckBatch", text(t, check))
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))
}

func TestThousandLeavesInOneTransaction(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	leaves := make([]json.RawMessage, metrology.MaxBatchLeaves)
	for i := range leaves {
		leaves[i] = at.leaf(t, fmt.Sprintf("2026-%04d", i), nil)
	}
	l.must(at.officer, "certificate:AnchorBatch", at.batch(t, leaves...), nil)
	require.Equal(t, 999, load[metrology.Certificate](l, "certificate/inst-1/2026-0999").Index)
	_, err := l.submit(at.officer, "certificate:AnchorBatch", at.batch(t, append(leaves, leaves[0])...), nil)
	require.Equal(t, metrology.CodeInvalid, metrology.ErrorCode(err))
}

func TestRevokeCertificate(t *testing.T) {
	l := newLedger(t)
	at, other := l.addIssuer("inst-1", signature.GenerateP256), l.addIssuer("inst-2", signature.GenerateP256)
	regulator := l.as(metrology.RoleRegulator, "reg")
	l.anchor(at, "1", nil)
	revoke := metrology.RevokeCertificate{Issuer: "inst-1", Number: "1", Reason: metrology.RevokedMistake}

	_, err := l.submit(other.officer, "certificate:Revoke", revoke, nil)
	require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	_, err = l.submit(at.officer, "certificate:Revoke", metrology.RevokeCertificate{Issuer: "inst-1", Number: "2", Reason: metrology.RevokedMistake}, nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err))

	t.Run("by the regulator", func(t *testing.T) {
		fork := l.fork(t)
		event := fork.must(regulator, "certificate:Revoke",
			metrology.RevokeCertificate{Issuer: "inst-1", Number: "1", Reason: metrology.RevokedFabricated}, nil)
		require.Equal(t, metrology.Event{Type: metrology.EventCertificateRevoked, Version: 1, ID: "inst-1/1", Reason: "fabricated"}, event)
		require.Equal(t, metrology.RoleRegulator, load[metrology.Certificate](fork, "certificate/inst-1/1").ChangedBy)
	})
	t.Run("by the successor of an issuer that has ended", func(t *testing.T) {
		fork := l.fork(t)
		fork.must(regulator, "issuer:End", metrology.EndIssuer{ID: "inst-1", Reason: metrology.IssuerMerged, Successor: "inst-2"}, nil)
		fork.must(other.officer, "certificate:Revoke", revoke, nil)
		_, err := fork.submit(l.as(metrology.RoleInstitute, "third"), "certificate:Revoke", revoke, nil)
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
	})
	t.Run("by the successor's successor", func(t *testing.T) {
		fork := l.fork(t)
		third := fork.addIssuer("inst-3", signature.GenerateP256)
		fork.must(regulator, "issuer:End", metrology.EndIssuer{ID: "inst-1", Reason: metrology.IssuerMerged, Successor: "inst-2"}, nil)
		_, err := fork.submit(third.officer, "certificate:Revoke", revoke, nil)
		require.Equal(t, metrology.CodeForbidden, metrology.ErrorCode(err))
		fork.must(regulator, "issuer:End", metrology.EndIssuer{ID: "inst-2", Reason: metrology.IssuerMerged, Successor: "inst-3"}, nil)
		fork.must(third.officer, "certificate:Revoke", revoke, nil)
	})
	l.must(at.officer, "certificate:Revoke", revoke, nil)
	_, err = l.submit(at.officer, "certificate:Revoke", revoke, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "already revoked")
}

func TestSupersedeCertificate(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	l.anchor(at, "1", nil)
	supersede := metrology.SupersedeCertificate{Issuer: "inst-1", Number: "1", Successor: "2", Reason: metrology.SupersededAmended}
	_, err := l.submit(at.officer, "certificate:Supersede", supersede, nil)
	require.Equal(t, metrology.CodeNotFound, metrology.ErrorCode(err), "the successor must be anchored")
	l.anchor(at, "2", nil)
	l.must(at.officer, "certificate:Supersede", supersede, nil)
	require.Equal(t, "2", load[metrology.Certificate](l, "certificate/inst-1/1").Successor)
	supersede.Number, supersede.Successor = "2", "1"
	_, err = l.submit(at.officer, "certificate:Supersede", supersede, nil)
	require.Equal(t, metrology.CodeState, metrology.ErrorCode(err), "no circles")
}

func TestAddRendition(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	leaf := l.anchor(at, "1", nil)
	digests := []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: salt("reprint")}, {Algorithm: metrology.AlgorithmSM3, Value: salt("sm3")}}
	signed, err := at.signer.Sign(metrology.RenditionMessage("inst-1", leafHash(leaf), digests))
	require.NoError(t, err)
	add := metrology.AddRendition{Issuer: "inst-1", Number: "1", Digests: digests, Key: at.signer.Key().ID(), Signature: signed}

	t.Run("ErrUnsignedDigest", func(t *testing.T) {
		forged := add
		forged.Digests = []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: salt("forged")}}
		_, err := l.submit(at.officer, "certificate:AddRendition", forged, nil)
		require.Equal(t, metrology.CodeSignature, metrology.ErrorCode(err))
	})
	t.Run("ErrOtherCertificate", func(t *testing.T) {
		fork := l.fork(t)
		fork.anchor(at, "2", nil)
		moved := add
		moved.Number = "2"
		_, err := fork.submit(at.officer, "certificate:AddRendition", moved, nil)
		require.Equal(t, metrology.CodeSignature, metrology.ErrorCode(err))
	})
	l.must(at.officer, "certificate:AddRendition", add, nil)
	require.Equal(t, digests, load[metrology.Certificate](l, "certificate/inst-1/1").Renditions)
}

// TestAnchorOnOwnStandards: an institution whose standards were assessed for
// its own work verifies no instrument under compulsory verification.
func TestAnchorOnOwnStandards(t *testing.T) {
	l := newLedger(t)
	at := l.addIssuer("inst-1", signature.GenerateP256)
	agent := l.addDispenser("on-duty")
	free := dispenser("free")
	free.Use, free.Mode = metrology.UseOther, metrology.ModeNone
	l.must(agent, "instrument:Register", free, nil)
	own := grants()
	own[0].Authority = metrology.AuthorityEstablished
	issuer := load[metrology.Issuer](l, "issuer/inst-1")
	issuer.Grants = own
	l.state["issuer/inst-1"] = []byte(text(t, issuer))

	for name, test := range map[string]struct {
		instrument metrology.LeafInstrument
		code       metrology.Code
	}{
		"ErrCompulsory":           {metrology.LeafInstrument{ID: "on-duty", Category: "24-2", Conclusion: metrology.ConclusionPass}, metrology.CodeScope},
		"no duty":                 {metrology.LeafInstrument{ID: "free", Category: "24-2", Conclusion: metrology.ConclusionPass}, ""},
		"not known to the ledger": {metrology.LeafInstrument{Serial: "S", Category: "24-2", Conclusion: metrology.ConclusionPass}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := at.leaf(t, "n", func(l *metrology.Leaf) { l.Instruments[0] = test.instrument })
			_, err := l.fork(t).submit(at.officer, "certificate:AnchorBatch", at.batch(t, leaf), nil)
			if test.code == "" {
				require.NoError(t, err)
				return
			}
			rejected := rejectedLeaves(t, err)
			require.Equal(t, test.code, rejected[0].Code)
			require.Equal(t, "instruments[0].category", rejected[0].Field)
		})
	}
}
