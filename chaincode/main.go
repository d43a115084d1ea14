// Command chaincode runs the contract as a service: one process beside each
// organisation's peer. It serves until its listener fails or it is terminated.
//
// Environment, as Fabric's chaincode-as-a-service packages set it:
// CHAINCODE_SERVER_ADDRESS (host:port to listen on), CORE_CHAINCODE_ID_NAME
// (the package id), and for TLS CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT and
// CHAINCODE_CLIENT_CA_CERT (PEM files; the last one makes the peer show a
// certificate too). Without a key the service speaks plain text, which it
// accepts on a loopback address only.
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/steelyard-ledger/steelyard/chaincode/contract"
)

func main() {
	if err := serve(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "chaincode:", err)
		os.Exit(1)
	}
}

func serve(env func(string) string) error {
	address, id := env("CHAINCODE_SERVER_ADDRESS"), env("CORE_CHAINCODE_ID_NAME")
	if address == "" || id == "" {
		return fmt.Errorf("set CHAINCODE_SERVER_ADDRESS and CORE_CHAINCODE_ID_NAME")
	}
	tls, err := tlsProperties(address, env)
	if err != nil {
		return err
	}
	chaincode, err := contract.New()
	if err != nil {
		return err
	}
	server := shim.ChaincodeServer{CCID: id, Address: address, CC: chaincode, TLSProps: tls}
	return server.Start()
}

func tlsProperties(address string, env func(string) string) (shim.TLSProperties, error) {
	if env("CHAINCODE_TLS_KEY") == "" {
		if !loopback(address) {
			return shim.TLSProperties{}, fmt.Errorf("%s is not a loopback address: set CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT and CHAINCODE_CLIENT_CA_CERT", address)
		}
		return shim.TLSProperties{Disabled: true}, nil
	}
	var files [3][]byte
	for i, name := range []string{"CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT"} {
		if env(name) == "" && name == "CHAINCODE_CLIENT_CA_CERT" {
			continue
		}
		content, err := os.ReadFile(env(name))
		if err != nil {
			return shim.TLSProperties{}, fmt.Errorf("read %s: %w", name, err)
		}
		files[i] = content
	}
	return shim.TLSProperties{Key: files[0], Cert: files[1], ClientCACerts: files[2]}, nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
