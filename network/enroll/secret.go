package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// secretVariable may hold a secret where a file is unhandy. There is no flag
// for the secret itself: every user of the machine can read command lines.
const secretVariable = "STEELYARD_ENROLL_SECRET"

// maxSecret bounds what is read as a secret.
const maxSecret = 4096

// addSecretFlag adds the flag that says where the secret is.
func addSecretFlag(command *cobra.Command) *string {
	return command.Flags().String("secret-file", "",
		"file that holds the secret in its first line, - for standard input (default: environment variable "+secretVariable+")")
}

// readSecret reads the secret from where it was said to be.
func readSecret(command *cobra.Command, path string) (string, error) {
	var source io.Reader
	switch path {
	case "":
		secret := os.Getenv(secretVariable)
		if secret == "" {
			return "", fmt.Errorf("no secret: give --secret-file or set %s", secretVariable)
		}
		return secret, nil
	case "-":
		source = command.InOrStdin()
	default:
		file, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		defer file.Close()
		source = file
	}
	line, err := bufio.NewReader(io.LimitReader(source, maxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("read secret: the first line is empty")
	}
	return line, nil
}

// newSecretFile makes the file for a secret that is still to come, readable by
// its owner alone: a holder must not be registered with a secret that gets lost.
func newSecretFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write secret: %w", err)
	}
	return file, nil
}

// fillSecretFile writes what ask returns, or removes the file when it fails.
func fillSecretFile(file *os.File, ask func() (string, error)) error {
	secret, err := ask()
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	_, err = file.WriteString(secret + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	return nil
}
