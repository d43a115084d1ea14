// Command chaincode serves the conformance contract to a Fabric peer.
package main

import (
	"fmt"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/steelyard-ledger/steelyard/test/conformance/chaincode/contract"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run serves until the process ends; its environment is set by network/admin.
func run() error {
	var tls shim.TLSProperties
	for name, target := range map[string]*[]byte{
		"CHAINCODE_TLS_CERT":       &tls.Cert,
		"CHAINCODE_TLS_KEY":        &tls.Key,
		"CHAINCODE_CLIENT_CA_CERT": &tls.ClientCACerts,
	} {
		data, err := os.ReadFile(os.Getenv(name))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		*target = data
	}
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       contract.New(),
		TLSProps: tls,
	}
	return server.Start()
}
