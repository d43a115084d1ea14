package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// run executes a command line and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCommands(t *testing.T) {
	plan, err := consortium.New(t.TempDir(), consortium.Plan{})
	require.NoError(t, err)
	require.NoError(t, plan.WriteMaterial())
	require.NoError(t, plan.Save())
	t.Setenv(dirVariable, plan.Path())

	out, err := run(t, "organization", "make", "consumers")
	require.NoError(t, err)
	require.Contains(t, out, filepath.Join(plan.Path(), "organizations", "consumers", "msp"))
	out, err = run(t, "certificate", "make", "peer0.notary.steelyard")
	require.NoError(t, err)
	require.Contains(t, out, "renewal")
	out, err = run(t, "node", "stop", "peer0.notary.steelyard")
	require.NoError(t, err)
	require.Contains(t, out, "is stopped")
	out, err = run(t, "status")
	require.NoError(t, err, "nothing was ever started")
	require.Contains(t, out, "peer0.regulator.steelyard")
	out, err = run(t, "down")
	require.NoError(t, err)
	require.Contains(t, out, "data kept in "+plan.Path())

	for _, c := range []struct {
		want string
		args []string
	}{
		{`required flag(s) "as" not set`, []string{"channel", "sign", "x.update"}},
		{`required flag(s) "as", "out" not set`, []string{"organization", "propose", "consumers"}},
		{"read channel update", []string{"channel", "sign", filepath.Join(t.TempDir(), "none"), "--as", "regulator"}},
		{"read channel update", []string{"channel", "submit", filepath.Join(t.TempDir(), "none"), "--as", "regulator"}},
		{"no node", []string{"node", "start", "peer7.notary.steelyard"}},
		{"no Fabric network in", []string{"status", "--dir", t.TempDir()}},
		{"accepts 1 arg(s)", []string{"organization", "make"}},
	} {
		_, err := run(t, c.args...)
		require.ErrorContains(t, err, c.want, "%v", c.args)
	}
}
