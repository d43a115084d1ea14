package authority

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNew(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for name, c := range map[string]struct{ url, roots, want string }{
		"NoURL":            {"", "", "want https://host:port"},
		"NoScheme":         {"ca.example:7054", "", "want https://host:port"},
		"OpenToTheNetwork": {"http://ca.example:7054", "", "since secrets travel there"},
		"NoRoots":          {"https://ca.example:7054", "", "TLS roots are missing"},
		"RootsNotThere":    {"https://ca.example:7054", filepath.Join(dir, "none"), "no such file"},
		"RootsEmpty":       {"https://ca.example:7054", empty, "no certificate in"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Config{MSPID: "M", URL: c.url, TLSRoots: c.roots, Directory: dir})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestExplain(t *testing.T) {
	ca := &CA{Config{URL: "https://ca.example"}}
	require.NoError(t, ca.explain(nil))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"Refused": {errors.New("enroll failed: Response from server: Error Code: 20 - Authentication failure\n"),
			"the CA refuses (20): wrong name or secret, a secret that has been used, or a certificate that is revoked"},
		"RefusedOtherwise": {errors.New("x: Response from server: Error Code: 66 - was already revoked\n"), "the CA refuses (66): was already revoked"},
		"RefusedAlready":   {fmt.Errorf("x: %w", &Refusal{Code: 27}), "the CA refuses (27): the certificate has expired; enroll with a new secret"},
		"NotThere": {fmt.Errorf("POST failure of request: secrets: %w", &url.Error{Op: "Post", Err: errors.New("connection refused")}),
			"the CA at https://ca.example does not answer: connection refused"},
		"TooLate": {&url.Error{Op: "Post", Err: context.DeadlineExceeded}, "the CA at https://ca.example does not answer in time"},
		"Else":    {errors.New("else"), "else"},
	} {
		t.Run(name, func(t *testing.T) { require.EqualError(t, ca.explain(c.err), c.want) })
	}
}

// served is a CA whose server answers as told.
func served(t *testing.T, handle http.HandlerFunc) *CA {
	t.Helper()
	server := httptest.NewTLSServer(handle)
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "tls.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(roots, text, 0o600))
	ca, err := New(Config{MSPID: "M", URL: server.URL, TLSRoots: roots, Directory: t.TempDir()})
	require.NoError(t, err)
	return ca
}

// TestGivenUp: a CA that takes the request and says nothing is given up when
// the caller's time is over, and no key stays behind.
func TestGivenUp(t *testing.T) {
	release := make(chan struct{})
	ca := served(t, func(http.ResponseWriter, *http.Request) { <-release })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := ca.Enroll(ctx, "name", "secret")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "does not answer")
	left, err := os.ReadDir(ca.config.Directory)
	require.NoError(t, err)
	require.Empty(t, left)
	close(release)
}

// TestStrangeAnswers: something else than a Fabric CA is not believed.
func TestStrangeAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"NoJSON": "<html>", "Empty": "", "NoResult": "{}", "NoCertificate": `{"success":true,"result":{"Cert":"eA=="}}`,
	} {
		t.Run(name, func(t *testing.T) {
			ca := served(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
			_, err := ca.Enroll(t.Context(), "name", "secret")
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
			_, err = ca.Chain(t.Context())
			require.Error(t, err)
		})
	}
}

// FuzzDecodeList: an answer is a list's text, the CA's refusal, or an error.
func FuzzDecodeList(f *testing.F) {
	f.Add([]byte(`{"result":{"CRL":"eA=="},"errors":[],"success":true}`))
	f.Add([]byte(`{"result":"","errors":[{"code":71,"message":"Authorization failure"}],"success":false}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		text, err := decodeList(answer)
		if err != nil {
			require.Nil(t, text)
		}
	})
}
