package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/gateway/digest"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// Exit codes of verify.
const (
	exitNegative  = 1 // a question was answered badly, or nothing is registered
	exitUsage     = 2
	exitUnchecked = 3 // a file or the register could not be read
)

// defaultServer is the address of a gateway on this machine.
const defaultServer = "http://localhost:8080"

// verifyError carries the exit code of verify. Its text is empty when the
// answers have been printed.
type verifyError struct {
	code int
	err  error
}

func (e *verifyError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *verifyError) Unwrap() error { return e.err }

// ExitCode is what the process should end with.
func (e *verifyError) ExitCode() int { return e.code }

// verifyOptions are the flags of verify.
type verifyOptions struct {
	server, serial, bundle, trust, language string
	json                                    bool
}

// Verify is the command that checks certificate files against the register, or
// against offline evidence. Files never leave the machine; digests do.
func Verify() *cobra.Command {
	var options verifyOptions
	cmd := &cobra.Command{
		Use:   "verify FILE…",
		Short: "Check certificate files against the register",
		Long: `Check certificate files against the register. The digests are computed here;
no file is sent anywhere. Four questions are answered apart: is the file
registered, does the certificate stand today, had its issuer the authority, and
is it about the instrument with the serial number given by --serial.

With --bundle and --trust nothing is asked of anybody: the evidence shows that
the certificate was anchored as of a block, and nothing about today.

FILE may be - for standard input. Exit codes: 0 no question that was asked has
a bad answer, 1 one has or the file is not registered, 2 wrong usage, 3 could
not check.`,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			v := verification{verifyOptions: options, in: cmd.InOrStdin(), out: cmd.OutOrStdout()}
			return v.run(cmd.Context(), args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.server, "server", "", "address of a gateway (default $STEELYARD_SERVER, else "+defaultServer+")")
	flags.StringVar(&options.serial, "serial", "", "serial number on the instrument's nameplate")
	flags.StringVar(&options.bundle, "bundle", "", "offline evidence (needs --trust)")
	flags.StringVar(&options.trust, "trust", "", "pinned trust file, obtained elsewhere")
	flags.StringVar(&options.language, "lang", "", "zh or en (default by the locale)")
	flags.BoolVar(&options.json, "json", false, "print one JSON object for each file")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &verifyError{exitUsage, err} })
	return cmd
}

// verification is one run of the command.
type verification struct {
	verifyOptions
	in  io.Reader
	out io.Writer
}

func (v *verification) run(ctx context.Context, files []string) error {
	if err := v.complete(files); err != nil {
		return &verifyError{exitUsage, err}
	}
	if v.bundle != "" {
		return v.offline(ctx, files)
	}
	code := 0
	for _, name := range files {
		answer := v.online(ctx, name)
		if err := v.print(answer); err != nil {
			return &verifyError{exitUnchecked, err}
		}
		code = worseExit(code, answer.exit())
	}
	if code != 0 {
		return &verifyError{code: code}
	}
	return nil
}

// complete fills in defaults and refuses flags that do not go together.
func (v *verification) complete(files []string) error {
	switch {
	case (v.bundle == "") != (v.trust == ""):
		return errors.New("--bundle and --trust go together")
	case v.bundle != "" && v.server != "":
		return errors.New("--bundle asks nobody, so --server makes no sense with it")
	case v.bundle != "" && len(files) > 1:
		return errors.New("one bundle is evidence for one file")
	case v.bundle == "" && len(files) == 0:
		return errors.New("no file given")
	}
	if v.server == "" {
		v.server = os.Getenv("STEELYARD_SERVER")
	}
	if v.server == "" {
		v.server = defaultServer
	}
	if v.language == "" {
		v.language = localeLanguage()
	}
	if v.language != "zh" && v.language != "en" {
		return fmt.Errorf("--lang %s: want zh or en", v.language)
	}
	return nil
}

// localeLanguage follows POSIX: the first of the variables that is set decides.
func localeLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// worseExit prefers a negative answer to an unknown one, and that to none.
func worseExit(a, b int) int {
	if a == exitNegative || b == exitNegative {
		return exitNegative
	}
	return max(a, b)
}

// digestNamed reads and digests a file.
func (v *verification) digestNamed(ctx context.Context, name string) (digest.Result, error) {
	if name == "-" {
		return digest.File(ctx, v.in)
	}
	file, err := os.Open(name)
	if err != nil {
		return digest.Result{}, fmt.Errorf("open file: %w", err)
	}
	defer file.Close()
	return digest.File(ctx, file)
}

// fileAnswer is what is known of one file; with --json it is printed as it is.
type fileAnswer struct {
	File    string          `json:"file"`
	Size    int64           `json:"size,omitempty"`
	Content string          `json:"contentError,omitempty"` // why XML content could not be digested
	DCC     *digest.DCC     `json:"dcc,omitempty"`          // what the file says of itself
	Report  *verdict.Report `json:"report,omitempty"`
	Proof   *proofAnswer    `json:"proof,omitempty"`
	Error   string          `json:"error,omitempty"` // why it could not be checked
}

func (a fileAnswer) exit() int {
	if a.Report == nil {
		return exitUnchecked
	}
	code := 0
	for _, finding := range a.Report.Findings {
		switch finding.Verdict.Tone() {
		case verdict.Bad, verdict.Caution:
			return exitNegative
		case verdict.Unknown:
			code = exitUnchecked
		}
	}
	return code
}

func (a *fileAnswer) describe(result digest.Result) {
	a.Size, a.DCC = result.Size, result.DCC
	if result.ContentError != nil {
		a.Content = result.ContentError.Error()
	}
}
