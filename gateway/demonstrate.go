package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/chaincode/signature"
	"github.com/steelyard-ledger/steelyard/gateway/demo"
)

// demonstrate makes the demonstration content of a new ledger. It is done when
// its last record stands; a start that was cut off goes through it again, and
// what was done stays done by its Idempotency-Keys. On a network that several
// gateways share, the first one makes it.
func (g *gateway) demonstrate(ctx context.Context, handler http.Handler) error {
	marker := filepath.Join(g.config.Data, "demo", "since")
	day := today()
	if content, err := os.ReadFile(marker); err == nil {
		if string(content) == "done" {
			return nil
		}
		day = metrology.Date(content) // a cut-off start began on this day
	} else if err := os.MkdirAll(filepath.Dir(marker), 0o700); err != nil {
		return fmt.Errorf("make demonstration directory: %w", err)
	}
	if err := writePrivate(marker, []byte(day)); err != nil {
		return err
	}
	subjects := map[string]string{}
	for _, identity := range g.identities {
		subjects[identity.Label] = identity.Subject
	}
	stage := demo.Stage{
		Handler: handler, Tokens: g.tokens, Subjects: subjects, Today: day, IssueKey: g.issueKey,
		Files: func(name string, content []byte) error {
			return writePrivate(filepath.Join(g.config.Data, "demo", name), content)
		},
	}
	err := stage.Play(ctx)
	if errors.Is(err, demo.ErrPlayed) && g.config.Network != nil {
		g.log.InfoContext(ctx, "no demonstration content made", "reason", err)
	} else if err != nil {
		return err
	}
	return writePrivate(marker, []byte("done"))
}

// issueKey returns the public key of an issuer, made if there is none.
func (g *gateway) issueKey(issuer string) ([]byte, error) {
	key, err := g.signer.Key(issuer)
	if metrology.ErrorCode(err) == metrology.CodeInvalid {
		key, err = g.signer.Generate(issuer, signature.SchemeP256)
	}
	if err != nil {
		return nil, err
	}
	return key.SPKI(), nil
}
