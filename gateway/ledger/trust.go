package ledger

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Trust is the pinned trust file: what a reader must have got elsewhere to
// believe a block. Without it a peer could show any ledger.
type Trust struct {
	Channel       string
	Genesis       Hash                 // hash of block 0's header
	Organizations map[string]Authority // by MSP id; their clients and peers
	Orderers      map[string]Authority // by MSP id; who may sign blocks
}

// Authority is the root certificates of one organisation.
type Authority struct {
	Roots []*x509.Certificate
}

// trustVersion is the only version of the file there is.
const trustVersion = 1

// ParseTrust reads a trust file: {"version":1,"channel":…,"genesisHash":hex,
// "organizations":{MSP id:{"roots":[PEM…]}},"ordererOrganizations":{…}}.
// Unknown, duplicate and missing members are refused.
func ParseTrust(data []byte) (Trust, error) {
	trust, err := parseTrust(data)
	if err != nil {
		return Trust{}, fmt.Errorf("parse trust file: %w", err)
	}
	return trust, nil
}

func parseTrust(data []byte) (Trust, error) {
	members, err := object(data, "version", "channel", "genesisHash", "organizations", "ordererOrganizations")
	if err != nil {
		return Trust{}, err
	}
	var version int
	var genesis string
	var trust Trust
	for name, target := range map[string]any{"version": &version, "channel": &trust.Channel, "genesisHash": &genesis} {
		if err := json.Unmarshal(members[name], target); err != nil {
			return Trust{}, fmt.Errorf("decode %s: %w", name, err)
		}
	}
	if version != trustVersion {
		return Trust{}, fmt.Errorf("version %d, want %d", version, trustVersion)
	}
	if trust.Channel == "" {
		return Trust{}, errors.New("channel is empty")
	}
	raw, err := hex.DecodeString(genesis)
	if err != nil || len(raw) != len(trust.Genesis) {
		return Trust{}, fmt.Errorf("genesisHash %q is not a SHA-256 digest in hexadecimal", genesis)
	}
	trust.Genesis = Hash(raw)
	if trust.Organizations, err = authorities(members["organizations"]); err != nil {
		return Trust{}, fmt.Errorf("organizations: %w", err)
	}
	if trust.Orderers, err = authorities(members["ordererOrganizations"]); err != nil {
		return Trust{}, fmt.Errorf("ordererOrganizations: %w", err)
	}
	return trust, nil
}

func authorities(data []byte) (map[string]Authority, error) {
	members, err := object(data)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, errors.New("no organization")
	}
	result := make(map[string]Authority, len(members))
	for mspID, value := range members {
		authority, err := parseAuthority(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mspID, err)
		}
		result[mspID] = authority
	}
	return result, nil
}

func parseAuthority(data []byte) (Authority, error) {
	members, err := object(data, "roots")
	if err != nil {
		return Authority{}, err
	}
	var roots []string
	if err := json.Unmarshal(members["roots"], &roots); err != nil {
		return Authority{}, fmt.Errorf("decode roots: %w", err)
	}
	if len(roots) == 0 {
		return Authority{}, errors.New("no root certificate")
	}
	var authority Authority
	for _, root := range roots {
		certificate, err := parseCertificate([]byte(root))
		if err != nil {
			return Authority{}, err
		}
		if !certificate.IsCA {
			return Authority{}, fmt.Errorf("root certificate %q is not a certificate authority's", certificate.Subject)
		}
		authority.Roots = append(authority.Roots, certificate)
	}
	return authority, nil
}

// object splits one JSON object into its members. With names it wants exactly
// these. It exists because encoding/json takes the last of duplicate members
// and matches names without regard to case.
func object(data []byte, names ...string) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("read member name: %w", err)
		}
		if _, ok := members[name.(string)]; ok {
			return nil, fmt.Errorf("member %q appears twice", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("read member %q: %w", name, err)
		}
		members[name.(string)] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("read end of object: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the object")
	}
	for _, name := range names {
		if value, ok := members[name]; !ok || string(value) == "null" {
			return nil, fmt.Errorf("member %q is missing", name)
		}
	}
	if len(names) > 0 && len(members) != len(names) {
		return nil, fmt.Errorf("unknown members: want only %q", names)
	}
	return members, nil
}
