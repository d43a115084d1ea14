package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"github.com/steelyard-ledger/steelyard/network/enroll/authority"
)

// config is the configuration file. Paths are relative to it. Secrets never
// stand in it.
type config struct {
	// MSP is the organisation's id on the channel, such as AssociationMSP.
	MSP string `yaml:"msp"`
	CA  struct {
		// URL is https://host:port.
		URL string `yaml:"url"`
		// Name of the CA, where a server has several.
		Name string `yaml:"name"`
		// TLSRoots is the PEM file with which the CA's server is checked.
		TLSRoots string `yaml:"tlsRoots"`
	} `yaml:"ca"`
	// Registrar is the directory of the registrar's own identity. Those who
	// only enroll need none there.
	Registrar string `yaml:"registrar"`
	// Wallet is the directory that the gateway reads identities from.
	Wallet string `yaml:"wallet"`
}

func loadConfig(path string) (config, error) {
	c, err := readConfig(path)
	if err != nil {
		return config{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

func readConfig(path string) (config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return config{}, err
	}
	c := config{Registrar: "registrar", Wallet: "wallet"}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return config{}, err
	}
	if c.MSP == "" || c.CA.URL == "" {
		return config{}, errors.New("msp and ca.url must be given")
	}
	for _, relative := range []*string{&c.CA.TLSRoots, &c.Registrar, &c.Wallet} {
		if *relative != "" && !filepath.IsAbs(*relative) {
			*relative = filepath.Join(filepath.Dir(path), *relative)
		}
	}
	return c, nil
}

func (c config) authority() (*authority.CA, error) {
	return authority.New(authority.Config{
		MSPID: c.MSP, URL: c.CA.URL, Name: c.CA.Name, TLSRoots: c.CA.TLSRoots, Directory: c.Registrar,
	})
}
