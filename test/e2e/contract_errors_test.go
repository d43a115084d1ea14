package e2e

import (
	"strings"

	"github.com/pb33f/libopenapi-validator/errors"
)

func describe(errs []*errors.ValidationError) string {
	var all []string
	for _, e := range errs {
		all = append(all, e.Error())
		for _, s := range e.SchemaValidationErrors {
			all = append(all, s.Reason+" at "+s.FieldPath)
		}
	}
	return strings.Join(all, "; ")
}
