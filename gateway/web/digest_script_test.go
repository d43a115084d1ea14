package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os/exec"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
)

// hashAll prints both digests of its input, fed in pieces of 37 bytes.
const hashAll = `const {newSHA256, newSM3} = require(process.argv[1]);
const input = require('fs').readFileSync(0), a = newSHA256(), b = newSM3();
for (let i = 0; i < input.length; i += 37) { a.update(input.subarray(i, i + 37)); b.update(input.subarray(i, i + 37)); }
process.stdout.write(a.hex() + ' ' + b.hex());`

// The script's digests are held against those of other programs, at every
// length where padding changes.
func TestDigestScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on PATH")
	}
	for _, size := range []int{0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_000} {
		input := bytes.Repeat([]byte{0xa5, 0x00, 0x7f}, size/3+1)[:size]
		command := exec.CommandContext(t.Context(), node, "-e", hashAll, "./assets/digest.js")
		command.Stdin = bytes.NewReader(input)
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
		sum, national := sha256.Sum256(input), sm3.Sum(input)
		require.Equal(t, hex.EncodeToString(sum[:])+" "+hex.EncodeToString(national[:]), string(out), size)
	}
}
