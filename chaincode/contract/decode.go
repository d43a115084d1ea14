package contract

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// maxRequest bounds one request: 1,000 leaves of a batch with room to spare.
const maxRequest = 2 << 20

// decode reads one JSON object into C. Members that C does not have, members
// in another case, members given twice, invalid UTF-8 and numbers that are not
// integers are refused; the error names the member.
func decode[C any](request string) (command C, err error) {
	if len(request) > maxRequest {
		return command, metrology.Errorf(metrology.CodeInvalid, "the request is longer than %d bytes", maxRequest)
	}
	if !strings.HasPrefix(strings.TrimLeft(request, " \t\r\n"), "{") { // null would read as an empty request
		return command, metrology.Errorf(metrology.CodeInvalid, "the request is not a JSON object")
	}
	err = json.Unmarshal([]byte(request), &command, json.RejectUnknownMembers(true))
	if err == nil {
		return command, nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return command, metrology.FieldErrorf(metrology.CodeInvalid, memberPath(semantic.JSONPointer), "%s", semanticReason(semantic))
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return command, metrology.FieldErrorf(metrology.CodeInvalid, memberPath(syntactic.JSONPointer), "%v", syntactic.Err)
	}
	return command, metrology.Errorf(metrology.CodeInvalid, "the request is not a JSON object: %v", err)
}

func semanticReason(e *json.SemanticError) string {
	if errors.Is(e.Err, json.ErrUnknownName) {
		return "is not a member of this request"
	}
	if e.Err != nil {
		return e.Err.Error()
	}
	return "has the wrong type"
}

// memberPath turns a JSON pointer (/a/0/b) into the form errors use (a[0].b).
func memberPath(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		if token != "" && strings.Trim(token, "0123456789") == "" {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.Map(printable, token))
	}
	return b.String()
}

// printable keeps a hostile member name from breaking the "CODE field: message" form.
func printable(r rune) rune {
	if r <= ' ' || r == ':' || r == 0x7f {
		return '_'
	}
	return r
}
