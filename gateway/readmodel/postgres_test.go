package readmodel_test

import (
	"os"
	"testing"

	"github.com/steelyard-ledger/steelyard/gateway/readmodel/postgrestest"
)

var postgres postgrestest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

func postgresDSN(t testing.TB) string    { return postgres.DSN(t) }
func postgresSchema(t testing.TB) string { return postgres.Schema(t) }
