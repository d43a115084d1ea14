package readmodel_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/readmodel"
)

// Digests that begin alike, which somebody can make, are told apart by the rest
// and by their algorithms, also when there are more of them than one answer
// holds.
func TestDigestsThatBeginAlike(t *testing.T) {
	alike := func(i int) metrology.Digest {
		return metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: strings.Repeat("f", 56) + fmt.Sprintf("%08x", i)}
	}
	of := func(digests ...metrology.Digest) func(*metrology.Leaf) {
		return func(l *metrology.Leaf) { l.Digests = digests }
	}
	onEach(t, func(t *testing.T, r *register) {
		const count = 2*public.DefaultLimit + 10
		var leaves []metrology.Leaf
		for i := range count {
			leaves = append(leaves, leaf(fmt.Sprint("N-", i), "", of(alike(i))))
		}
		for i := range count {
			leaves = append(leaves, leaf(fmt.Sprint("SAME-", i), "", of(digestOf("same"))))
		}
		r.apply(anchors("r1", leaves...))
		find := func(d metrology.Digest) (numbers []string) {
			found, err := r.CertificatesByDigest(t.Context(), d.Algorithm, d.Value, today)
			require.NoError(t, err)
			require.NotNil(t, found)
			for _, c := range found {
				numbers = append(numbers, c.Leaf.Number)
			}
			return numbers
		}
		for i := range count {
			require.Equal(t, []string{fmt.Sprint("N-", i)}, find(alike(i)))
		}
		require.Empty(t, find(alike(count)))
		require.Empty(t, find(metrology.Digest{Algorithm: metrology.AlgorithmSM3, Value: alike(0).Value}))
		require.Empty(t, find(metrology.Digest{Algorithm: metrology.AlgorithmSHA256, Value: "no digest at all"}))
		same := find(digestOf("same"))
		require.Len(t, same, public.DefaultLimit)
		require.Equal(t, "SAME-0", same[0])
		// A file added to a certificate later is found like those it was anchored with.
		record := recordOf(leaves[3], "r1", 3)
		record.Renditions = []metrology.Digest{alike(count)}
		r.apply(act(metrology.EventCertificateRendition, "lab/N-3", put(metrology.CertificateKey("lab", "N-3"), record)))
		require.Equal(t, []string{"N-3"}, find(alike(count)))
		require.Equal(t, []string{"N-3"}, find(alike(3)))
	})
}

// A read model of an older schema is emptied, and takes the ledger again.
func TestOlderSchema(t *testing.T) {
	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		want := r.dump()
		require.NoError(t, r.Age(t.Context(), 7))
		require.NoError(t, r.Close())
		r.open()
		position, err := r.Position(t.Context())
		require.NoError(t, err)
		require.Nil(t, position)
		require.NoError(t, r.Apply(t.Context(), r.blocks...))
		require.Equal(t, want, r.dump())
	})
}

// A look-up that fails leaves nothing behind that the next one stumbles over.
func TestLookUpAfterFailure(t *testing.T) {
	values := readmodel.Values{int64(1), "text", int64(-1)}
	var number int
	var text metrology.Role
	var flag bool
	require.NoError(t, values.Scan(&number, &text, &flag))
	require.Equal(t, 1, number)
	require.Equal(t, metrology.Role("text"), text)
	require.True(t, flag)
	var height uint64
	require.Error(t, values.Scan(&number, &text, &height), "a negative height")
	require.Error(t, values.Scan(&text, &number, &flag))
	require.Error(t, values.Scan(&number))

	onEach(t, func(t *testing.T, r *register) {
		populate(r)
		stop := errors.New("enough")
		for range 20 {
			require.ErrorIs(t, r.LookUpStatus(t.Context(), stop), stop)
			_, err := r.Merchant(t.Context(), "m1", today)
			require.NoError(t, err)
		}
	})
}
