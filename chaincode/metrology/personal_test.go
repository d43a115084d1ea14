package metrology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckImpersonal(t *testing.T) {
	for text, personal := range map[string]bool{
		"M-13800138000":          true,
		"tel.13800138000":        true,
		"秤 １３８００１３８０００":          true,
		"11010519491231002X":     true, // the example of GB 11643-1999
		"11010519491231002x":     true,
		"92440300MA5G00000X":     true,
		"m_92440300MA5G00000X":   true,
		"M-STATION":              false,
		"91440300MA5G00000X":     false, // an enterprise
		"12345678901":            false,
		"138001380001":           false,
		"1380013800013800138000": false,
		"110105194912310021":     false, // wrong check character
		"110105194913310025":     false, // no such day
		"":                       false,
	} {
		t.Run(text, func(t *testing.T) {
			err := CheckImpersonal("id", text)
			if !personal {
				require.NoError(t, err)
				return
			}
			requireError(t, err, CodeInvalid, "id")
		})
	}
}
