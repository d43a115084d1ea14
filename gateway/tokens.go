package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/steelyard-ledger/steelyard/gateway/api"
	"github.com/steelyard-ledger/steelyard/gateway/wallet"
)

// loadTokens reads the token file, a JSON object from wallet label to token.
// Identities without one get a random one, and the file is written back.
func loadTokens(path string, identities []wallet.Identity) (map[string]string, error) {
	tokens := map[string]string{}
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(content, &tokens); err != nil {
			return nil, fmt.Errorf("read tokens %s: %w", path, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	if err := refuseShared(tokens); err != nil {
		return nil, fmt.Errorf("read tokens %s: %w", path, err)
	}
	known, added := map[string]bool{}, false
	for _, identity := range identities {
		known[identity.Label] = true
		if tokens[identity.Label] == "" {
			tokens[identity.Label] = "sy_" + randomHex(20)
			added = true
		}
	}
	for label := range tokens {
		if !known[label] {
			return nil, fmt.Errorf("read tokens %s: the wallet has no identity %q", path, label)
		}
	}
	if !added {
		return tokens, nil
	}
	encoded, err := json.MarshalIndent(tokens, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode tokens: %w", err)
	}
	return tokens, writePrivate(path, append(encoded, '\n'))
}

// refuseShared refuses a token that two labels have: it would stand for either.
func refuseShared(tokens map[string]string) error {
	labels := make(map[string]string, len(tokens))
	for label, token := range tokens {
		if other, taken := labels[token]; taken && token != "" {
			return fmt.Errorf("%q and %q have the same token", min(label, other), max(label, other))
		}
		labels[token] = label
	}
	return nil
}

// bindTokens joins tokens with what the certificates say.
func bindTokens(tokens map[string]string, identities []wallet.Identity) map[string]api.Principal {
	bound := make(map[string]api.Principal, len(tokens))
	for _, identity := range identities {
		bound[tokens[identity.Label]] = principalOf(identity)
	}
	return bound
}

func principalOf(identity wallet.Identity) api.Principal {
	return api.Principal{Label: identity.Label, MSP: identity.MSPID, Role: identity.Role, Subject: identity.Subject}
}

// loadSecret reads the gateway's secret, or makes it.
func loadSecret(path string) (secret api.Secret, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := io.ReadFull(rand.Reader, secret[:]); err != nil {
			return secret, fmt.Errorf("make secret: %w", err)
		}
		return secret, writePrivate(path, secret[:])
	}
	if err != nil {
		return secret, fmt.Errorf("read secret: %w", err)
	}
	if len(content) != len(secret) {
		return secret, fmt.Errorf("read secret %s: it has %d bytes, want %d", path, len(content), len(secret))
	}
	copy(secret[:], content)
	return secret, nil
}

// writePrivate replaces a file whole, readable by its owner only.
func writePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return hex.EncodeToString(random)
}
