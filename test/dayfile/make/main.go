// Command make writes a synthetic day file to standard output:
//
//	go run ./test/dayfile/make --rows 2000 --bad 20 --format xlsx > day.xlsx
//
// The bad rows are listed on standard error.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/steelyard-ledger/steelyard/test/dayfile"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "make day file:", err)
		os.Exit(1)
	}
}

func run() error {
	var o dayfile.Options
	format := flag.String("format", "csv", "csv, csv-bom, gb18030, xlsx or ndjson")
	day := flag.String("day", time.Now().Format("2006-01-02"), "day of the work")
	flag.IntVar(&o.Rows, "rows", 2000, "rows")
	flag.IntVar(&o.Bad, "bad", 0, "bad rows among them")
	flag.StringVar(&o.Prefix, "prefix", "JD", "start of the certificate numbers")
	flag.Uint64Var(&o.Seed, "seed", 1, "other seeds give other instruments and files")
	flag.Parse()
	var err error
	if o.Day, err = time.Parse("2006-01-02", *day); err != nil {
		return fmt.Errorf("--day: %w", err)
	}
	rows, bad := dayfile.Rows(o)
	file, err := dayfile.Encode(*format, rows)
	if err != nil {
		return err
	}
	for _, b := range bad {
		fmt.Fprintf(os.Stderr, "row %d: %s %s\n", b.Row+1, b.Code, b.Field)
	}
	_, err = os.Stdout.Write(file)
	return err
}
