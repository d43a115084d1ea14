package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/gateway/config"
	"github.com/steelyard-ledger/steelyard/gateway/password"
)

// passwordFile holds the passwords of posts, in the data directory.
const passwordFile = "passwords.json"

// passwordCommand gives a post a password for the desks.
func passwordCommand() *cobra.Command {
	c := config.Default()
	var file string
	cmd := &cobra.Command{
		Use:   "password POST",
		Short: "Give a post, by its wallet label, a password for its desk; the password is the first line of standard input",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			settled, err := settle(cmd, file, c)
			if err != nil {
				return err
			}
			line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read password: %w", err)
			}
			if err := os.MkdirAll(settled.Data, 0o700); err != nil {
				return fmt.Errorf("make data directory: %w", err)
			}
			return password.At(filepath.Join(settled.Data, passwordFile)).Set(args[0], strings.TrimRight(line, "\r\n"))
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&c.Data, "data", c.Data, "data directory (STEELYARD_DATA)")
	return cmd
}
