package lifecycle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
)

// Package makes the chaincode package for a service in the given slot. It
// holds no code and no address: each peer's builder fills in its own service
// from CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG, so that all organisations
// install, and can compare, the same package.
func Package(label string, slot int) (id string, archive []byte, err error) {
	connection, err := json.Marshal(map[string]any{
		"address":              fmt.Sprintf("{{index .addresses %d}}", slot),
		"dial_timeout":         "10s",
		"tls_required":         true,
		"client_auth_required": true,
		"root_cert":            "{{.root_cert}}",
		"client_cert":          "{{.client_cert}}",
		"client_key":           "{{.client_key}}",
	})
	if err != nil {
		return "", nil, fmt.Errorf("encode connection: %w", err)
	}
	code, err := pack(file{"connection.json", connection})
	if err != nil {
		return "", nil, err
	}
	metadata, err := json.Marshal(map[string]string{"type": "ccaas", "label": label})
	if err != nil {
		return "", nil, fmt.Errorf("encode metadata: %w", err)
	}
	archive, err = pack(file{"metadata.json", metadata}, file{"code.tar.gz", code})
	if err != nil {
		return "", nil, err
	}
	return chaincode.GetPackageID(label, archive), archive, nil
}

type file struct {
	name string
	data []byte
}

// pack writes a tar.gz without times and owners: equal content, equal package.
func pack(files ...file) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("close archive: %w", err)
	}
	if err := compressed.Close(); err != nil {
		return nil, fmt.Errorf("close archive: %w", err)
	}
	return out.Bytes(), nil
}
