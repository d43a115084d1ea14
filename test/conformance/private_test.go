package conformance

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

const (
	disclosed  = "disclosed"  // all four organisations
	restricted = "restricted" // regulator and notary
)

func (m *member) putPrivate(t *testing.T, collection, key, value string, organizations ...string) error {
	t.Helper()
	options := []client.ProposalOption{
		client.WithArguments(collection, key),
		client.WithTransient(map[string][]byte{"value": []byte(value)}),
	}
	if len(organizations) > 0 {
		options = append(options, client.WithEndorsingOrganizations(organizations...))
	}
	code, err := m.trySubmit(t, "putPrivate", options...)
	if err == nil {
		require.Equal(t, peer.TxValidationCode_VALID.String(), code.String())
	}
	return err
}

func testPrivateData(t *testing.T, n *testnet) {
	m := n.connect(t, "RegulatorMSP")
	t.Run("MemberReadsWhatAnotherWrote", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		for mspID := range n.peers {
			other := n.connect(t, mspID)
			require.Eventually(t, func() bool {
				value, err := other.contract.EvaluateWithContext(deadline(t), "getPrivate", client.WithArguments(disclosed, key))
				return err == nil && string(value) == "secret"
			}, 15*time.Second, 50*time.Millisecond, mspID)
		}
	})
	t.Run("HashIsSHA256OfTheValue", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		sum := sha256.Sum256([]byte("secret"))
		require.Equal(t, string(sum[:]), m.evaluate(t, "privateHash", disclosed, key))
	})
	t.Run("AbsentKeyIsEmpty", func(t *testing.T) {
		require.Empty(t, m.evaluate(t, "getPrivate", disclosed, newKey()))
		require.Empty(t, m.evaluate(t, "privateHash", disclosed, newKey()))
	})
	t.Run("CollectionsAreApart", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		require.Empty(t, m.evaluate(t, "getPrivate", restricted, key))
		require.Empty(t, m.evaluate(t, "get", key))
	})
	t.Run("ManyAndRanges", func(t *testing.T) {
		prefix := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, prefix+"1", "one")))
		require.NoError(t, describe(m.putPrivate(t, disclosed, prefix+"2", "two")))
		require.Equal(t, [][]byte{[]byte("two"), nil, []byte("one")},
			decode[[][]byte](t, m.evaluate(t, "getManyPrivate", disclosed, prefix+"2", prefix+"3", prefix+"1")))
		require.Equal(t, []string{prefix + "1", prefix + "2"},
			decode[[]string](t, m.evaluate(t, "privateRange", disclosed, prefix, prefix+"~")))
	})
	t.Run("DeletedIsGoneWithItsHash", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		m.submit(t, "deletePrivate", disclosed, key)
		require.Empty(t, m.evaluate(t, "getPrivate", disclosed, key))
		require.Empty(t, m.evaluate(t, "privateHash", disclosed, key))
	})
	t.Run("PurgedIsGoneWithItsHash", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "secret")))
		m.submit(t, "purgePrivate", disclosed, key)
		require.Empty(t, m.evaluate(t, "getPrivate", disclosed, key))
		require.Empty(t, m.evaluate(t, "privateHash", disclosed, key))
	})
	t.Run("PurgedKeyCanBeWrittenAgain", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "old")))
		m.submit(t, "purgePrivate", disclosed, key)
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "new")))
		require.Equal(t, "new", m.evaluate(t, "getPrivate", disclosed, key))
	})
	t.Run("PrivateValueReadHasChanged/MVCC_READ_CONFLICT", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "a")))
		require.Eventually(t, func() bool { return n.allHave(t, disclosed, key) }, 15*time.Second, 50*time.Millisecond)
		late := m.endorse(t, "exchangePrivate", disclosed, key, "b")
		require.NoError(t, describe(m.putPrivate(t, disclosed, key, "c")))
		require.Equal(t, peer.TxValidationCode_MVCC_READ_CONFLICT.String(), m.commit(t, late).Code.String())
	})
	t.Run("Membership", func(t *testing.T) { testMembership(t, n, m) })
}

func (n *testnet) allHave(t *testing.T, collection, key string) bool {
	for mspID := range n.peers {
		value, err := n.connect(t, mspID).contract.EvaluateWithContext(deadline(t), "getPrivate", client.WithArguments(collection, key))
		if err != nil || len(value) == 0 {
			return false
		}
	}
	return true
}

func testMembership(t *testing.T, n *testnet, m *member) {
	outsider := n.connect(t, "InstituteMSP")
	majority := []string{"RegulatorMSP", "NotaryMSP", "InstituteMSP"}
	t.Run("UnknownCollection", func(t *testing.T) {
		_, err := m.contract.EvaluateWithContext(deadline(t), "getPrivate", client.WithArguments("nowhere", newKey()))
		n.requireFailure(t, failure{code: codes.Unknown, message: "collection", details: []detail{{"RegulatorMSP", "collection"}}}, err)
	})
	t.Run("GatewayWillNotShowTransientDataToNonMembers", func(t *testing.T) {
		n.requireFailure(t, failure{code: codes.FailedPrecondition,
			message: "requires endorsement from organisation(s) that are not in the distribution policy of the private data collection(s): [restricted]; retry specifying trusted endorsing organizations to protect transient data"},
			m.putPrivate(t, restricted, newKey(), "secret"))
	})
	t.Run("NamedOrganizationsMayEndorseAWriteTheyCannotKeep", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, restricted, key, "secret", majority...)))
		require.Equal(t, "secret", m.evaluate(t, "getPrivate", restricted, key))
		awaitHeight(t, outsider, chainInfo(t, m).GetHeight()) // its peer may be a block behind
		sum := sha256.Sum256([]byte("secret"))
		require.Equal(t, string(sum[:]), outsider.evaluate(t, "privateHash", restricted, key))
	})
	t.Run("NonMemberCannotRead", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, restricted, key, "secret", majority...)))
		_, err := outsider.contract.EvaluateWithContext(deadline(t), "getPrivate", client.WithArguments(restricted, key))
		n.requireFailure(t, failure{
			code:    codes.Unknown,
			message: "tx creator does not have read access permission on privatedata in chaincodeName:conformance collectionName: restricted",
			details: []detail{{"InstituteMSP", "tx creator does not have read access permission"}},
		}, err)
	})
	t.Run("NonMembersPeerHasNoData", func(t *testing.T) {
		key := newKey()
		require.NoError(t, describe(m.putPrivate(t, restricted, key, "secret", majority...)))
		guest := n.connectVia(t, "RegulatorMSP", "InstituteMSP")
		awaitHeight(t, guest, chainInfo(t, m).GetHeight())
		_, err := guest.contract.EvaluateWithContext(deadline(t), "getPrivate", client.WithArguments(restricted, key),
			client.WithEndorsingOrganizations("InstituteMSP"))
		n.requireFailure(t, failure{code: codes.Unknown, message: "private data", details: []detail{{"InstituteMSP", "private data"}}}, err)
	})
	t.Run("NonMemberCannotWrite", func(t *testing.T) {
		denied := "tx creator does not have write access permission on privatedata in chaincodeName:conformance collectionName: restricted"
		err := outsider.putPrivate(t, restricted, newKey(), "secret", majority...)
		n.requireFailure(t, failure{
			code: codes.Aborted, message: "failed to collect enough transaction endorsements, see attached details for more info",
			details: []detail{
				{"InstituteMSP", denied},
				{"NotaryMSP", denied},
				{"RegulatorMSP", denied},
			},
		}, err)
	})
}
