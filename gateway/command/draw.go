// Package command holds the subcommands of the gateway program.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
	"github.com/steelyard-ledger/steelyard/chaincode/draw/parallel"
)

// Exit codes of the draw commands beside 0.
const (
	exitRefused    = 1 // the input breaks a rule, or a step of a transcript fails
	exitUnreadable = 2 // wrong usage, or a file that cannot be read
)

// drawError carries the exit code of a draw command.
type drawError struct {
	code int
	err  error
}

func (e *drawError) Error() string { return e.err.Error() }
func (e *drawError) Unwrap() error { return e.err }

// ExitCode is what the process should end with.
func (e *drawError) ExitCode() int { return e.code }

// maxDocument bounds an input or transcript in bytes; larger directories come
// as CSV files.
const maxDocument = 1 << 30

// Draw is the command group of draws: recompute and check them without a
// network, or run one on a network.
func Draw() *cobra.Command {
	group := &cobra.Command{
		Use:   "draw",
		Short: "Recompute and check draws, or run one",
	}
	group.AddCommand(drawCompute(), drawVerify(), drawRun(), drawBeacon(), drawImport(), drawHolder(), drawChallenge())
	return group
}

func drawCompute() *cobra.Command {
	var objects string
	cmd := &cobra.Command{
		Use:   "compute INPUT.json",
		Short: "Compute a draw from its public input",
		Long: "Compute a draw (DR-1) from its public input and print all of its values.\n" +
			"INPUT.json may be - for standard input. Exits with 1 if the input breaks a\n" +
			"rule, naming the entry, and with 2 if it cannot be read.",
		Args:         exactFile,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompute(args[0], objects, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&objects, "objects", "",
		"CSV file with the objects (id,stratum,weight in id order) for an input without them")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &drawError{exitUnreadable, err} })
	return cmd
}

// exactFile wants one argument.
func exactFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &drawError{exitUnreadable, fmt.Errorf("exactly one file expected, got %d", len(args))}
	}
	return nil
}

func runCompute(name, objects string, stdin io.Reader, stdout io.Writer) error {
	data, err := readDocument(name, stdin)
	if err != nil {
		return &drawError{exitUnreadable, err}
	}
	in, err := draw.ParseInput(data)
	if err != nil {
		return &drawError{exitRefused, err}
	}
	result, err := compute(in, objects)
	if err != nil {
		return &drawError{exitOf(err), fmt.Errorf("compute draw: %w", err)}
	}
	document, err := result.JSON()
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	_, err = stdout.Write(document)
	return err
}

// exitOf tells a file that cannot be read from an input that breaks a rule.
func exitOf(err error) int {
	var file *os.PathError
	if errors.As(err, &file) {
		return exitUnreadable
	}
	return exitRefused
}

func compute(in draw.Input, objects string) (draw.Result, error) {
	switch {
	case in.Objects != nil && objects != "":
		return draw.Result{}, errors.New("objects are given both in the input and in a file")
	case in.Objects != nil:
		list, err := draw.NewObjects(in.Objects)
		if err != nil {
			return draw.Result{}, err
		}
		return draw.ComputeWith(in, parallel.New(list, runtime.GOMAXPROCS(0)), 0)
	case objects == "":
		return draw.Result{}, errors.New(`objects: member is missing and no --objects file is given`)
	}
	file := draw.CSV{Open: func() (io.ReadCloser, error) { return os.Open(objects) }}
	return draw.ComputeFrom(in, file, 0)
}

// readDocument reads a bounded file, or standard input for -.
func readDocument(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("read %s: larger than %d bytes", name, maxDocument)
	}
	return data, nil
}

func drawVerify() *cobra.Command {
	var trust string
	var ticket bool
	cmd := &cobra.Command{
		Use:   "verify TRANSCRIPT.json",
		Short: "Check every step of a draw's transcript",
		Long: "Check every step that a transcript carries and print one line for each:\n" +
			"PASS, FAIL or NOT SHOWN. Exits with 1 if any step fails and with 2 if the\n" +
			"transcript cannot be read. Directory files are looked for beside it. With a\n" +
			"pinned trust file, the blocks that hold the steps are checked too. With\n" +
			"--ticket the file is a gateway's answer for one place,\n" +
			"GET /v1/draws/{id}/tickets/{siteId}; it may be - for standard input.",
		Args:         exactFile,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if ticket {
				return runTicket(args[0], cmd.InOrStdin(), cmd.OutOrStdout())
			}
			return runVerify(args[0], trust, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&trust, "trust", "", "pinned trust file of the ledger, obtained elsewhere")
	cmd.Flags().BoolVar(&ticket, "ticket", false, "check the answer for one place: its proof, its ticket and what follows from the threshold")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &drawError{exitUnreadable, err} })
	return cmd
}

func runVerify(name, trust string, stdout io.Writer) error {
	data, err := readDocument(name, nil)
	if err != nil {
		return &drawError{exitUnreadable, err}
	}
	transcript, err := draw.ParseTranscript(data)
	if err != nil {
		fmt.Fprintf(stdout, "%-9s  %-16s  %v\n", draw.Fail, "transcript", err)
		return &drawError{exitRefused, fmt.Errorf("read transcript: %w", err)}
	}
	var onLedger func(draw.Transcript) (string, error)
	if trust != "" {
		pinned, err := readTrust(trust)
		if err != nil {
			return &drawError{exitUnreadable, err}
		}
		onLedger = func(draw.Transcript) (string, error) { return checkLedger(data, pinned) }
	}
	beside, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return &drawError{exitUnreadable, err}
	}
	defer beside.Close()
	steps := draw.Verifier{
		Open: func(file string) (io.ReadCloser, error) { return beside.Open(file) },
		Passes: func(objects draw.Objects) draw.Passes {
			return parallel.New(objects, runtime.GOMAXPROCS(0))
		},
		Ledger: onLedger,
	}.Verify(transcript)
	for _, s := range steps {
		fmt.Fprintf(stdout, "%-9s  %-16s  %s\n", s.Status, s.Name, s.Detail)
	}
	if draw.Failed(steps) {
		return &drawError{exitRefused, errors.New("the transcript does not verify")}
	}
	return nil
}
