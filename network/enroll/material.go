package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/enroll/authority"
	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

func newRevoke(file *string) *cobra.Command {
	var name, label, reason string
	command := &cobra.Command{
		Use:   "revoke --label LABEL | --name NAME",
		Short: "Revoke one certificate, or a holder with all certificates; in force once the network has the list (crl)",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if (name == "") == (label == "") {
				return errors.New("revoke: give --label or --name")
			}
			c, ca, err := open(*file)
			if err != nil {
				return err
			}
			registrar, err := c.registrar()
			if err != nil {
				return err
			}
			what := "holder " + name
			count := 1
			if label != "" {
				what = "certificate of " + label
				var one *identity.Identity
				if one, err = c.own(label); err == nil {
					err = ca.Revoke(command.Context(), registrar, one.Certificate, reason)
				}
			} else {
				count, err = ca.RevokeHolder(command.Context(), registrar, name, reason)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s revoked, certificates: %d\nNext: enroll crl, and give the list to the network\n", what, count)
			return nil
		},
	}
	command.Flags().StringVar(&label, "label", "", "identity of the wallet: its certificate alone")
	command.Flags().StringVar(&name, "name", "", "name at the CA: all its certificates, and no new ones")
	command.Flags().StringVar(&reason, "reason", "unspecified", "one of "+strings.Join(authority.Reasons(), ", "))
	return command
}

func newCRL(file *string) *cobra.Command {
	var msp string
	command := &cobra.Command{
		Use:     "crl --msp DIR",
		Aliases: []string{"gencrl"},
		Short:   "Write the CA's revocation list, and its certificate, into an MSP directory",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, ca, err := open(*file)
			if err != nil {
				return err
			}
			registrar, err := c.registrar()
			if err != nil {
				return err
			}
			if err := c.writeChain(command, ca, msp); err != nil {
				return err
			}
			text, list, err := ca.RevocationList(command.Context(), registrar)
			if err != nil {
				return err
			}
			path := filepath.Join(msp, "crls", c.fileName())
			if err := identity.WriteFile(path, text, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%d revoked certificates, list in %s\n", len(list.RevokedCertificateEntries), path)
			return nil
		},
	}
	command.Flags().StringVar(&msp, "msp", "", "the organisation's MSP directory")
	return needs(command, "msp")
}

func newCACert(file *string) *cobra.Command {
	var msp string
	command := &cobra.Command{
		Use:     "cacert --msp DIR",
		Aliases: []string{"getcacert"},
		Short:   "Write the CA's certificate into an MSP directory",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, ca, err := open(*file)
			if err != nil {
				return err
			}
			return c.writeChain(command, ca, msp)
		},
	}
	command.Flags().StringVar(&msp, "msp", "", "the organisation's MSP directory")
	return needs(command, "msp")
}

// writeChain writes roots and intermediates where Fabric looks for them.
func (c config) writeChain(command *cobra.Command, ca *authority.CA, msp string) error {
	chain, err := ca.Chain(command.Context())
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, certificate := range chain {
		path := filepath.Join(msp, placeOf(certificate), c.fileName())
		files[path] = append(files[path], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	for path, content := range files {
		if bytes.Count(content, []byte("-----BEGIN")) > 1 {
			return fmt.Errorf("the CA has more than one certificate for %s: Fabric wants each in a file of its own; put them there by hand", path)
		}
		if err := identity.WriteFile(path, content, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(command.OutOrStdout(), "the CA's certificate in %s\n", path)
	}
	return nil
}

func placeOf(certificate *x509.Certificate) string {
	if bytes.Equal(certificate.RawIssuer, certificate.RawSubject) {
		return "cacerts"
	}
	return "intermediatecerts"
}

// fileName is the name of this CA's files in an MSP directory, beside those of
// other CAs of the organisation.
func (c config) fileName() string { return cmp.Or(c.CA.Name, "fabric-ca") + ".pem" }
