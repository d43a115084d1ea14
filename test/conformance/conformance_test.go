package conformance

import "testing"

func TestConformance(t *testing.T) {
	n := open(t)
	parts := []struct {
		name string
		run  func(*testing.T, *testnet)
	}{
		{"Transactions", testTransactions},
		{"Errors", testErrors},
		{"Identity", testIdentity},
		{"Revocation", testRevocation},
		{"OfflineSigning", testOfflineSigning},
		{"Validation", testValidation},
		{"State", testState},
		{"Ranges", testRanges},
		{"KeyLevelPolicy", testKeyLevelPolicy},
		{"Gates", testGates},
		{"PrivateData", testPrivateData},
		{"BlockEvents", testBlockEvents},
		{"ChaincodeEvents", testChaincodeEvents},
		{"SystemContracts", testSystemContracts},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) { part.run(t, n) })
	}
}
