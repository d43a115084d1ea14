package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// headerIdempotency is the header by which a client makes a retry harmless.
const headerIdempotency = "Idempotency-Key"

// writeRoute is one writing route: which transaction it submits and how the
// path and the body become its request.
type writeRoute struct {
	Method   string
	Path     string            // echo's form, with :parameters
	Function string            // "family:Action"
	Members  map[string]string // path parameter → member of the request; absent: the same name
	Numbers  []string          // path parameters that are whole numbers
	Prefix   string            // of the id made when the body names none; empty: the path names it
	Private  string            // member of the body that travels in the transient map, salted
	Optional bool              // Private may be absent; a member "profile": true tells the contract it is there
	Place    string            // Location of what is made, with {id}; empty: the transaction
	encode   encoder
	// prepare completes the members before they are encoded; nil: nothing is missing.
	prepare func(s *Server, c echo.Context, members map[string]jsontext.Value) error
	// anybody answers those without a token; nil: there is no such answer.
	anybody func(s *Server, ctx context.Context, members map[string]jsontext.Value) (Receipt, error)
}

// command encodes a request as the command type C, strictly: what C does not
// have is refused by name.
func command[C any](members map[string]jsontext.Value) ([]byte, error) {
	raw, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	var c C
	if err := unmarshalStrict(raw, &c); err != nil {
		return nil, err
	}
	return raw, nil
}

// encoder turns members into the bytes of a request.
type encoder func(members map[string]jsontext.Value) ([]byte, error)

// Written answers a write.
type Written struct {
	ID            string         `json:"id,omitempty"`
	Status        string         `json:"status"` // "committed", or "unknown": neither success nor failure yet
	TransactionID string         `json:"transactionId"`
	Block         *uint64        `json:"block,omitempty"`
	Time          string         `json:"time,omitempty"` // the submitter's claim, RFC 3339
	Event         jsontext.Value `json:"event,omitempty"`
}

// serve handles a writing route.
func (s *Server) serveWrite(route writeRoute) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := principal(c.Request().Context())
		if err != nil && route.anybody != nil {
			return s.serveAnybody(c, route)
		}
		if err != nil {
			return err
		}
		key, err := idempotencyKey(c.Request())
		if err != nil {
			return err
		}
		members, err := bodyMembers(c, route)
		if err != nil {
			return err
		}
		if route.prepare != nil {
			if err := route.prepare(s, c, members); err != nil {
				return err
			}
		}
		call, id, err := s.compose(route, who, key, members)
		if err != nil {
			return err
		}
		receipt, err := s.writer.Submit(c.Request().Context(), who, key, call)
		if err != nil {
			return err
		}
		return answerWritten(c, receipt, id, place(route, id, members))
	}
}

// serveAnybody handles a writing route for those without a token.
func (s *Server) serveAnybody(c echo.Context, route writeRoute) error {
	members, err := bodyMembers(c, route)
	if err != nil {
		return err
	}
	receipt, err := route.anybody(s, c.Request().Context(), members)
	if err != nil {
		return err
	}
	id := unquoted(members["id"])
	return answerWritten(c, receipt, id, place(route, id, members))
}

// compose turns the members of a body into the call of its transaction.
func (s *Server) compose(route writeRoute, who Principal, key string, members map[string]jsontext.Value) (Call, string, error) {
	call := Call{Function: route.Function}
	if route.Private != "" {
		document, given := members[route.Private]
		delete(members, route.Private)
		switch {
		case given:
			salted, err := addSalt(document, route.Private, s.secret.salt(who, key, route.Private))
			if err != nil {
				return call, "", err
			}
			call.Transient = map[string][]byte{route.Private: salted}
			if route.Optional {
				members[route.Private] = jsontext.Value("true")
			}
		case !route.Optional:
			return call, "", metrology.FieldErrorf(metrology.CodeInvalid, route.Private, "is required")
		}
	}
	if _, given := members["id"]; !given && route.Prefix != "" {
		members["id"] = quoted(s.secret.newID(who, key, route.Prefix))
	}
	request, err := route.encode(members)
	if err != nil {
		return call, "", err
	}
	call.Request = request
	return call, unquoted(members["id"]), nil
}

// bodyMembers reads the body's members and adds those the path names. A body
// may repeat a member of the path but not contradict it.
func bodyMembers(c echo.Context, route writeRoute) (map[string]jsontext.Value, error) {
	members := map[string]jsontext.Value{}
	if c.Request().ContentLength != 0 {
		if err := c.Bind(&members); err != nil {
			return nil, err
		}
	}
	for i, name := range c.ParamNames() {
		member := name
		if mapped, ok := route.Members[name]; ok {
			member = mapped
		}
		value, err := url.PathUnescape(c.ParamValues()[i])
		if err != nil {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a valid path segment")
		}
		named := quoted(value)
		if contains(route.Numbers, name) {
			if named = jsontext.Value(value); named.Kind() != '0' || !named.IsValid() {
				return nil, metrology.FieldErrorf(metrology.CodeInvalid, name, "is not a whole number")
			}
		}
		if given, ok := members[member]; ok && string(given) != string(named) {
			return nil, metrology.FieldErrorf(metrology.CodeInvalid, member, "contradicts the path")
		}
		members[member] = named
	}
	return members, nil
}

// addSalt gives a private document its salt. Clients do not choose it.
func addSalt(document jsontext.Value, member, salt string) ([]byte, error) {
	var fields map[string]jsontext.Value
	if err := unmarshalStrict(document, &fields); err != nil || fields == nil {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, member, "is not a JSON object")
	}
	if _, given := fields["salt"]; given {
		return nil, metrology.FieldErrorf(metrology.CodeInvalid, member+".salt", "is not a member of this request")
	}
	fields["salt"] = quoted(salt)
	return json.Marshal(fields, json.Deterministic(true))
}

func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get(headerIdempotency)
	if key == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails (crypto/rand)
		return hex.EncodeToString(random[:]), nil
	}
	return key, metrology.CheckText(headerIdempotency, key, maxIdempotencyKey)
}

// answerWritten tells a receipt: 201 when the commit is known, else 202 with
// the place where it will be told.
func answerWritten(c echo.Context, receipt Receipt, id, location string) error {
	h := c.Response().Header()
	h.Set(headerTransaction, receipt.TransactionID)
	written := Written{ID: id, TransactionID: receipt.TransactionID, Status: "unknown"}
	if !receipt.Committed {
		h.Set(echo.HeaderLocation, "/v1/transactions/"+receipt.TransactionID)
		h.Set("Retry-After", "1")
		return c.JSON(http.StatusAccepted, written)
	}
	written.Status, written.Block = "committed", &receipt.BlockNumber
	written.Time, written.Event = receipt.Timestamp.UTC().Format(time.RFC3339), receipt.Result
	h.Set(echo.HeaderLocation, location)
	return c.JSON(http.StatusCreated, written)
}

func place(route writeRoute, id string, members map[string]jsontext.Value) string {
	if route.Place == "" {
		return ""
	}
	location := strings.ReplaceAll(route.Place, "{id}", url.PathEscape(id))
	return strings.ReplaceAll(location, "{version}", url.PathEscape(string(members["version"])))
}

func quoted(s string) jsontext.Value {
	value, err := jsontext.AppendQuote(nil, s)
	if err != nil { // invalid UTF-8 in a path; the contract refuses what replaces it
		return jsontext.Value(`""`)
	}
	return value
}

func unquoted(v jsontext.Value) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
