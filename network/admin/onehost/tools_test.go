package onehost

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// install writes programs that only tell a version, and a builder beside them.
func install(t *testing.T, version string, builder ...string) (bin string) {
	t.Helper()
	root := t.TempDir()
	script := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	bin = filepath.Join(root, "bin")
	for _, name := range []string{"peer", "orderer", "configtxgen", "configtxlator"} {
		script(filepath.Join(bin, name), "echo "+name+":; echo ' Version: "+version+"'")
	}
	for _, name := range []string{"detect", "build", "release"} {
		script(filepath.Join(append(append([]string{root}, builder...), "bin", name)...), "true")
	}
	return bin
}

func TestFindTools(t *testing.T) {
	t.Run("LayoutOfFabricsInstallScript", func(t *testing.T) {
		bin := install(t, "v3.1.5", "builders", "ccaas")
		t.Setenv("PATH", bin)
		tools, err := FindTools(t.Context())
		require.NoError(t, err)
		require.Equal(t, filepath.Join(bin, "orderer"), tools.Orderer)
		require.Equal(t, filepath.Join(filepath.Dir(bin), "builders", "ccaas"), tools.Builder)
	})
	t.Run("BuilderBesideThePrograms", func(t *testing.T) {
		t.Setenv("PATH", install(t, "v3.2.0", "bin", "ccaas"))
		_, err := FindTools(t.Context())
		require.NoError(t, err)
	})
	t.Run("BuilderNamedByTheEnvironment", func(t *testing.T) {
		bin := install(t, "v3.1.5", "elsewhere")
		t.Setenv("PATH", bin)
		t.Setenv(BuilderVariable, filepath.Join(filepath.Dir(bin), "elsewhere"))
		_, err := FindTools(t.Context())
		require.NoError(t, err)
	})
	failures := []struct{ name, version, remove, want string }{
		{"NoPeer", "v3.1.5", "peer", `no "peer" on PATH`},
		{"NoConfigtxlator", "v3.1.5", "configtxlator", `no "configtxlator" on PATH`},
		{"TooOld", "v2.5.12", "", "is version 2.5, want 3.1 or later"},
		{"TooOldByAMinor", "v3.0.0", "", "is version 3.0, want 3.1 or later"},
		{"NoVersion", "latest", "", "does not tell its version"},
		{"NoBuilder", "v3.1.5", "../builders/ccaas/bin/release", BuilderVariable},
	}
	for _, f := range failures {
		t.Run(f.name+"NamesTheOfficialWay", func(t *testing.T) {
			bin := install(t, f.version, "builders", "ccaas")
			t.Setenv("PATH", bin)
			if f.remove != "" {
				require.NoError(t, os.Remove(filepath.Join(bin, f.remove)))
			}
			_, err := FindTools(t.Context())
			require.ErrorIs(t, err, ErrToolMissing)
			require.ErrorContains(t, err, f.want)
			require.ErrorContains(t, err, "https://hyperledger-fabric.readthedocs.io")
		})
	}
}

func TestUp(t *testing.T) {
	t.Run("TakenPortIsNamed", func(t *testing.T) {
		t.Setenv("PATH", install(t, "v3.1.5", "builders", "ccaas"))
		first := FreePort()
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first+25)))
		require.NoError(t, err)
		defer listener.Close()
		dir := t.TempDir()
		_, err = Up(t.Context(), dir, consortium.Plan{Port: first})
		require.ErrorContains(t, err, "port "+strconv.Itoa(first+25)+" is taken")
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is written before the ports are known to be free")
	})
	t.Run("OldDataKeepTheirPlan", func(t *testing.T) {
		t.Setenv("PATH", install(t, "v3.1.5", "builders", "ccaas"))
		plan, err := consortium.New(t.TempDir(), consortium.Plan{Port: 30000})
		require.NoError(t, err)
		require.NoError(t, plan.Save())
		_, err = Up(t.Context(), plan.Path(), consortium.Plan{Orderer: consortium.Raft})
		require.ErrorContains(t, err, "orders with BFT, not etcdraft")
		_, err = Up(t.Context(), plan.Path(), consortium.Plan{Port: 31000})
		require.ErrorContains(t, err, "ports from 30000 on, not 31000")
	})
	t.Run("NothingToOpen", func(t *testing.T) {
		_, err := Open(t.TempDir())
		require.ErrorContains(t, err, "no Fabric network in")
	})
}
