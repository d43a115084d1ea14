package lifecycle

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/stretchr/testify/require"
)

func TestPackage(t *testing.T) {
	id, archive, err := Package("metrology_1", 2)
	require.NoError(t, err)
	t.Run("IDIsWhatFabricComputes", func(t *testing.T) {
		computed, err := chaincode.PackageID(bytes.NewReader(archive))
		require.NoError(t, err)
		require.Equal(t, computed, id)
		require.True(t, strings.HasPrefix(id, "metrology_1:"))
	})
	t.Run("EveryOrganizationMakesTheSame", func(t *testing.T) {
		again, other, err := Package("metrology_1", 2)
		require.NoError(t, err)
		require.Equal(t, id, again)
		require.Equal(t, archive, other)
	})
	t.Run("TypeIsService", func(t *testing.T) {
		metadata, code, err := chaincode.ParseChaincodePackage(archive)
		require.NoError(t, err)
		require.Equal(t, "ccaas", metadata.Type)
		require.NotEmpty(t, code)
	})
	t.Run("OtherSlotOtherPackage", func(t *testing.T) {
		other, _, err := Package("metrology_1", 3)
		require.NoError(t, err)
		require.NotEqual(t, id, other)
	})
}

func TestDefinition(t *testing.T) {
	t.Run("NoPolicyLeavesTheChannels", func(t *testing.T) {
		sdk, err := Definition{Channel: "c", Name: "n", Version: "1", Sequence: 1}.sdk()
		require.NoError(t, err)
		require.Nil(t, sdk.ApplicationPolicy)
		require.Nil(t, sdk.Collections)
	})
	t.Run("BadPolicyIsAnError", func(t *testing.T) {
		_, err := Definition{Policy: "OR("}.sdk()
		require.ErrorContains(t, err, "parse endorsement policy")
	})
	t.Run("PolicyIsParsed", func(t *testing.T) {
		sdk, err := Definition{Policy: "OutOf(2, 'RegulatorMSP.peer', 'NotaryMSP.peer')"}.sdk()
		require.NoError(t, err)
		data, err := json.Marshal(sdk.ApplicationPolicy.GetSignaturePolicy().GetIdentities())
		require.NoError(t, err)
		require.NotEmpty(t, data)
		require.Len(t, sdk.ApplicationPolicy.GetSignaturePolicy().GetIdentities(), 2)
	})
}
