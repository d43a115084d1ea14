package metrology

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseErrorUndoesError(t *testing.T) {
	for code := range codes {
		for _, err := range []error{
			Errorf(code, "a message: with colons: and %d numbers", 3),
			FieldErrorf(code, "instruments[2].serial", "计量 says: no"),
		} {
			parsed, ok := ParseError(err.Error())
			require.True(t, ok, err.Error())
			require.Equal(t, err, parsed)
		}
	}
}

func TestParseErrorRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"no code":          "could not reach the peer",
		"unknown code":     "TIMEOUT: peer gone",
		"lower case":       "invalid: x",
		"no space after":   "INVALID:x",
		"text before code": "chaincode response 500, INVALID: x",
		"two fields":       "INVALID a b: x",
	} {
		_, ok := ParseError(text)
		require.False(t, ok, name)
	}
}

func TestErrorCode(t *testing.T) {
	require.Equal(t, Code(""), ErrorCode(nil))
	require.Equal(t, CodeInternal, ErrorCode(errors.New("disk")))
	require.Equal(t, CodeScope, ErrorCode(fmt.Errorf("anchor: %w", Errorf(CodeScope, "x"))))
}

func FuzzParseError(f *testing.F) {
	f.Add("INVALID field: message")
	f.Add("INTERNAL: \n: ")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, ok := ParseError(text)
		if !ok {
			return
		}
		again, ok := ParseError(parsed.Error())
		require.True(t, ok)
		require.Equal(t, parsed, again)
	})
}
