package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestServeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		says string
	}{
		"NoAddress":            {map[string]string{"CORE_CHAINCODE_ID_NAME": "x"}, "CHAINCODE_SERVER_ADDRESS"},
		"NoID":                 {map[string]string{"CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0"}, "CORE_CHAINCODE_ID_NAME"},
		"PlainTextOffLoopback": {map[string]string{"CHAINCODE_SERVER_ADDRESS": "0.0.0.0:9999", "CORE_CHAINCODE_ID_NAME": "x"}, "loopback"},
		"KeyMissing": {map[string]string{
			"CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0", "CORE_CHAINCODE_ID_NAME": "x", "CHAINCODE_TLS_KEY": "/nowhere/key.pem",
		}, "CHAINCODE_TLS_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, serve(environment(test.env)), test.says)
		})
	}
}

func TestTLSProperties(t *testing.T) {
	directory := t.TempDir()
	env := map[string]string{}
	for _, name := range []string{"CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT"} {
		env[name] = filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(env[name], []byte(name), 0o600))
	}
	properties, err := tlsProperties("0.0.0.0:9999", environment(env))
	require.NoError(t, err)
	require.False(t, properties.Disabled)
	require.Equal(t, "CHAINCODE_TLS_KEY", string(properties.Key))
	require.Equal(t, "CHAINCODE_TLS_CERT", string(properties.Cert))
	require.Equal(t, "CHAINCODE_CLIENT_CA_CERT", string(properties.ClientCACerts), "the peer must show a certificate too")

	plain, err := tlsProperties("localhost:9999", environment(nil))
	require.NoError(t, err)
	require.True(t, plain.Disabled)
}
