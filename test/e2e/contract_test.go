package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/steelyard-ledger/steelyard/gateway/api"
)

// document is the OpenAPI document as a validator, made once.
var document = sync.OnceValues(func() (validator.Validator, error) {
	parsed, err := libopenapi.NewDocument(api.Document())
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(parsed)
	if len(errs) > 0 {
		return nil, fmt.Errorf("make validator: %v", errs)
	}
	return v, nil
})

// documented holds every answer of these tests against the OpenAPI document,
// and every request that was accepted.
func documented(r *http.Request, sent string, a answer) error {
	if !strings.HasPrefix(r.URL.Path, "/v1/") || a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed {
		return nil // pages; and routes that do not exist are in no document
	}
	v, err := document()
	if err != nil {
		return err
	}
	request := r.Clone(r.Context())
	request.Body = io.NopCloser(strings.NewReader(sent))
	response := &http.Response{
		StatusCode: a.status, Header: a.header, Request: request,
		Body: io.NopCloser(bytes.NewReader(a.body)),
	}
	if ok, errs := v.ValidateHttpResponse(request, response); !ok {
		return fmt.Errorf("%s %s: the answer is not as documented: %v\n%s", r.Method, r.URL, describe(errs), a.body)
	}
	if a.status >= 300 || strings.Contains(r.Header.Get("Content-Type"), "ndjson") {
		return nil // a request that was refused may be anything; and the validator takes NDJSON for one JSON value
	}
	request.Body = io.NopCloser(strings.NewReader(sent))
	if ok, errs := v.ValidateHttpRequest(request); !ok {
		return fmt.Errorf("%s %s: the request was accepted and is not as documented: %v", r.Method, r.URL, describe(errs))
	}
	return nil
}
