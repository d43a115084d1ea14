package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// importSettings are the flags of `draw import`.
type importSettings struct {
	server, tokens        string
	files                 map[string]*string // part of the form → file
	system, region, kinds string
	strata, cutoff        string
	unregistered, dryRun  bool
	staff                 string
}

// importParts are the files of a draw's directories, and what each holds.
var importParts = []struct{ name, usage string }{
	{"objects", "file of places: id, stratum, weight, planned day, reason of exclusion"},
	{"exclusions", "file of places left out, with reasons"},
	{"inspectors", "file of inspectors: staff number, cap, skills"},
	{"ineligible", "file of inspectors and places that must not meet"},
	{"leave", "file of inspectors' absences: first and last day"},
}

func drawImport() *cobra.Command {
	s := importSettings{files: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "import DRAW",
		Short: "File the directories of a planned draw from a register's exports",
		Long: "Make the directories of a planned draw from files (CSV in UTF-8 or GB18030, XLSX\n" +
			"or NDJSON) and from the ledger's own register, and file them. Every row is\n" +
			"accounted for; nothing is filed while one is rejected or the plan could become\n" +
			"infeasible. Exits with 1 then.",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.server, "server", "http://localhost:8080", "address of a gateway")
	flags.StringVar(&s.tokens, "token-file", "data/tokens.json", "its tokens: a JSON object from post to token")
	for _, part := range importParts {
		s.files[part.name] = flags.String(part.name, "", part.usage)
	}
	flags.StringVar(&s.system, "system", "", "name of the system that the files' own ids of places belong to")
	flags.StringVar(&s.region, "region", "", "division code or its beginning: list the register's sites there")
	flags.StringVar(&s.kinds, "kinds", "", "kinds of the register's sites, separated by commas; default all")
	flags.StringVar(&s.strata, "strata", "", `JSON object from what the file or register says to an opaque label, such as {"market":"K1"}`)
	flags.StringVar(&s.cutoff, "cutoff", "", "sites of the register registered after this day are excluded as too new")
	flags.BoolVar(&s.unregistered, "unregistered", false, "places need not be sites of the register")
	flags.BoolVar(&s.dryRun, "dry-run", false, "file nothing, only say what would be")
	flags.StringVar(&s.staff, "staff", "", "where to write who is behind each inspector's id of this draw (CSV); keep it from the public")
	return cmd
}

// importAnswer is what the command reads of the gateway's answer.
type importAnswer struct {
	Filed, Complete bool
	Accounts        []struct {
		Source                string
		Read, Taken, Rejected int
		Excluded              map[string]int
		Rows                  []struct {
			Line                         int
			Outcome, ID, Reason          string
			Code, Field, Column, Message string
		}
	}
	Preview struct {
		Strata []struct {
			Stratum        string
			Objects, Drawn int64
		}
		Drawn      int64
		Infeasible string
	}
	Chunks        metrology.DrawChunks
	Inspectors    []struct{ Staff, ID string }
	UnusedColumns []struct {
		Source  string
		Columns []string
	}
}

func (s importSettings) run(ctx context.Context, id string, out io.Writer) error {
	client, err := newDrawClient(s.server, s.tokens, postRegulator)
	if err != nil {
		return err
	}
	body, media, err := s.form()
	if err != nil {
		return &drawError{exitUnreadable, err}
	}
	address := client.server + "/v1/draws/" + url.PathEscape(id) + "/directories?" + s.query().Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", media)
	request.Header.Set("Authorization", "Bearer "+client.tokens[postRegulator])
	raw, err := client.do(request, http.StatusOK)
	if err != nil {
		return fmt.Errorf("import the directories of draw %s: %w", id, err)
	}
	var answer importAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	answer.print(out)
	if s.staff != "" {
		if err := answer.writeStaff(s.staff); err != nil {
			return err
		}
	}
	if !answer.Complete {
		return &drawError{exitRefused, errors.New("nothing was filed")}
	}
	return nil
}

// form packs the files that were named.
func (s importSettings) form() (io.Reader, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		path := *s.files[name]
		if path == "" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, "", err
		}
		part, err := form.CreateFormFile(name, filepath.Base(path))
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(content); err != nil {
			return nil, "", err
		}
	}
	return &body, form.FormDataContentType(), form.Close()
}

func (s importSettings) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"system": s.system, "region": s.region, "kinds": s.kinds, "strata": s.strata, "cutoff": s.cutoff,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if s.unregistered {
		query.Set("unregistered", "true")
	}
	if s.dryRun {
		query.Set("dryRun", "true")
	}
	return query
}

// print tells the account of every source, then what would be drawn.
func (a importAnswer) print(out io.Writer) {
	for _, account := range a.Accounts {
		excluded, reasons := 0, []string{}
		for _, reason := range slices.Sorted(maps.Keys(account.Excluded)) {
			excluded += account.Excluded[reason]
			reasons = append(reasons, fmt.Sprintf("%s %d", reason, account.Excluded[reason]))
		}
		fmt.Fprintf(out, "%-16s read %d = taken %d + excluded %d + rejected %d", account.Source, account.Read, account.Taken, excluded, account.Rejected)
		if excluded > 0 {
			fmt.Fprintf(out, "  (%s)", strings.Join(reasons, ", "))
		}
		fmt.Fprintln(out)
		for _, row := range account.Rows {
			if row.Outcome == "rejected" {
				fmt.Fprintf(out, "  line %d, column %q: %s %s %s\n", row.Line, row.Column, row.Code, row.Field, row.Message)
			}
		}
	}
	for _, unused := range a.UnusedColumns {
		fmt.Fprintf(out, "%-16s not read: %s\n", unused.Source, strings.Join(unused.Columns, ", "))
	}
	for _, stratum := range a.Preview.Strata {
		fmt.Fprintf(out, "stratum %-8s %d places, %d to be drawn\n", stratum.Stratum, stratum.Objects, stratum.Drawn)
	}
	if a.Preview.Infeasible != "" {
		fmt.Fprintf(out, "the freeze would be refused: %s\n", a.Preview.Infeasible)
	}
	if a.Filed {
		chunks, _ := json.Marshal(a.Chunks) // four numbers
		fmt.Fprintf(out, "filed; freeze with chunks %s\n", chunks)
	}
}

// writeStaff writes who is behind each id, readable by its owner alone.
func (a importAnswer) writeStaff(path string) error {
	var lines strings.Builder
	lines.WriteString("id,staff\n")
	for _, person := range a.Inspectors {
		fmt.Fprintf(&lines, "%s,%q\n", person.ID, person.Staff)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
