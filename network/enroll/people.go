package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/network/enroll/authority"
	"github.com/steelyard-ledger/steelyard/network/enroll/identity"
)

// The attributes by which the contract knows who acts: the role, bound to the
// organisation, and the subject, which the ledger binds to a merchant or an
// institution.
const (
	attributeRole    = "role"
	attributeSubject = "subject"
)

// registrarLabel is the registrar's identity in its directory.
const registrarLabel = "registrar"

// word is a role, which the contract judges, or a subject: short, and nothing
// that could be a person's name, number or address by accident.
var word = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

func newRegistrar(file *string) *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:   "registrar --name NAME",
		Short: "Enroll the registrar, whom the CA allows to register others",
		Args:  cobra.NoArgs,
	}
	command.Flags().StringVar(&name, "name", "admin", "the registrar's name at the CA")
	secretFile := addSecretFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		c, ca, err := open(*file)
		if err != nil {
			return err
		}
		secret, err := readSecret(command, *secretFile)
		if err != nil {
			return err
		}
		enrolled, err := ca.Enroll(command.Context(), name, secret)
		if err != nil {
			return err
		}
		if err := identity.Replace(c.Registrar, registrarLabel, enrolled); err != nil {
			return err
		}
		fmt.Fprintf(command.OutOrStdout(), "registrar %s enrolled until %s\n", name, until(enrolled))
		return nil
	}
	return command
}

func newRegister(file *string) *cobra.Command {
	var role, subject, secretOut string
	command := &cobra.Command{
		Use:   "register --role ROLE --secret-out FILE",
		Short: "Register somebody under a random name, to enroll once with the secret",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, ca, err := open(*file)
			if err != nil {
				return err
			}
			registration, err := newRegistration(role, subject)
			if err != nil {
				return err
			}
			registrar, err := c.registrar()
			if err != nil {
				return err
			}
			file, err := newSecretFile(secretOut)
			if err != nil {
				return err
			}
			err = fillSecretFile(file, func() (string, error) {
				return ca.Register(command.Context(), registrar, registration)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "name    %s\nrole    %s\nsubject %s\nsecret  in %s\n",
				registration.Name, role, registration.Attributes[attributeSubject], secretOut)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&role, "role", "", "role on the ledger: regulator, inspector, institute, association, merchant or notary, as the organisation may have")
	flags.StringVar(&subject, "subject", "", "subject on the ledger, for somebody who takes over a post (default: a random one)")
	flags.StringVar(&secretOut, "secret-out", "", "new file for the secret, to be handed over")
	return needs(command, "role", "secret-out")
}

// newRegistration draws name and subject: certificates stand on the ledger for
// good, so nothing in them may tell who the holder is.
func newRegistration(role, subject string) (authority.Registration, error) {
	if !word.MatchString(role) {
		return authority.Registration{}, fmt.Errorf("role %q: want small letters", role)
	}
	if subject == "" {
		subject = "p-" + randomHex(8)
	} else if !word.MatchString(subject) {
		return authority.Registration{}, fmt.Errorf("subject %q: want small letters, digits and hyphens, and never a name or number of a person", subject)
	}
	return authority.Registration{
		Name:       randomHex(16),
		Attributes: map[string]string{attributeRole: role, attributeSubject: subject},
	}, nil
}

func newEnroll(file *string) *cobra.Command {
	var name, label string
	command := &cobra.Command{
		Use:   "enroll --name NAME --label LABEL",
		Short: "Make a key, have it certified, and put both into the wallet",
		Args:  cobra.NoArgs,
	}
	command.Flags().StringVar(&name, "name", "", "name that register printed")
	command.Flags().StringVar(&label, "label", "", "name of the identity in the wallet, and in the gateway's token file")
	secretFile := addSecretFlag(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		c, ca, err := open(*file)
		if err != nil {
			return err
		}
		if err := identity.Free(c.Wallet, label); err != nil {
			return err
		}
		secret, err := readSecret(command, *secretFile)
		if err != nil {
			return err
		}
		enrolled, err := ca.Enroll(command.Context(), name, secret, attributeRole, attributeSubject)
		if err != nil {
			return err
		}
		if err := identity.Create(c.Wallet, label, enrolled); err != nil {
			return err
		}
		fmt.Fprintf(command.OutOrStdout(), "%s enrolled until %s, in %s\n", label, until(enrolled), filepath.Join(c.Wallet, label+".id"))
		return nil
	}
	return needs(command, "name", "label")
}

func newReenroll(file *string) *cobra.Command {
	var label string
	var within time.Duration
	command := &cobra.Command{
		Use:   "reenroll --label LABEL | --within DURATION",
		Short: "Renew an identity of the wallet, or all that end soon, with new keys",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, ca, err := open(*file)
			if err != nil {
				return err
			}
			if (label == "") == (within <= 0) {
				return errors.New("reenroll: give --label or --within")
			}
			labels := []string{label}
			if label == "" {
				if labels, err = ending(c, time.Now().Add(within)); err != nil {
					return err
				}
			}
			var failures []error // one that fails must not keep the others from renewal
			for _, label := range labels {
				renewed, err := renew(command, c, ca, label)
				if err != nil {
					failures = append(failures, fmt.Errorf("%s: %w", label, err))
					continue
				}
				fmt.Fprintf(command.OutOrStdout(), "%s renewed until %s\n", label, until(renewed))
			}
			return errors.Join(failures...)
		},
	}
	command.Flags().StringVar(&label, "label", "", "identity of the wallet")
	command.Flags().DurationVar(&within, "within", 0, "renew every identity of the wallet that ends within this time, such as 720h")
	return command
}

// ending lists the identities of the wallet, of this organisation, whose term
// ends before a time.
func ending(c config, before time.Time) ([]string, error) {
	labels, err := identity.Labels(c.Wallet)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, label := range labels {
		one, err := identity.Read(c.Wallet, label)
		if err != nil {
			return nil, err
		}
		if one.MSPID == c.MSP && one.Expired(before) {
			found = append(found, label)
		}
	}
	return found, nil
}

func renew(command *cobra.Command, c config, ca *authority.CA, label string) (*identity.Identity, error) {
	old, err := c.own(label)
	if err != nil {
		return nil, err
	}
	if old.Expired(time.Now()) {
		return nil, fmt.Errorf("the certificate has expired at %s: it cannot be renewed; have the registrar register the holder again, with --subject %s",
			until(old), old.Attributes[attributeSubject])
	}
	renewed, err := ca.Reenroll(command.Context(), old, attributeRole, attributeSubject)
	if err != nil {
		return nil, err
	}
	return renewed, identity.Replace(c.Wallet, label, renewed)
}

// own reads an identity of the wallet that the configured CA can have issued.
func (c config) own(label string) (*identity.Identity, error) {
	one, err := identity.Read(c.Wallet, label)
	if err != nil {
		return nil, err
	}
	if one.MSPID != c.MSP {
		return nil, fmt.Errorf("identity %s is of %s, the CA is that of %s", label, one.MSPID, c.MSP)
	}
	return one, nil
}

func (c config) registrar() (*identity.Identity, error) {
	registrar, err := identity.Read(c.Registrar, registrarLabel)
	if err != nil {
		return nil, fmt.Errorf("%w (enroll the registrar first)", err)
	}
	if registrar.Expired(time.Now()) {
		return nil, fmt.Errorf("the registrar's certificate has expired at %s: enroll the registrar again", until(registrar))
	}
	return registrar, nil
}

func open(file string) (config, *authority.CA, error) {
	c, err := loadConfig(file)
	if err != nil {
		return config{}, nil, err
	}
	ca, err := c.authority()
	if err != nil {
		return config{}, nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, ca, nil
}

func until(i *identity.Identity) string { return i.Certificate.NotAfter.UTC().Format(time.RFC3339) }

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return hex.EncodeToString(random)
}

// needs marks flags as required.
func needs(command *cobra.Command, flags ...string) *cobra.Command {
	for _, flag := range flags {
		_ = command.MarkFlagRequired(flag) // refuses only a flag that is not there
	}
	return command
}
