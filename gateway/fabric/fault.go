package fabric

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Kind says how the network failed, when it was no rule of the contract.
type Kind string

// The kinds of fault. All but Unknown mean that nothing was written.
const (
	Unknown         Kind = "unknown"         // sent, and no word in time: neither success nor failure
	Unavailable     Kind = "unavailable"     // no peer or orderer answered
	Overloaded      Kind = "overloaded"      // a peer or this gateway is at its limit
	Unauthenticated Kind = "unauthenticated" // the network does not accept this identity
	Disagreement    Kind = "disagreement"    // endorsers gave different answers, even after retries
	Contended       Kind = "contended"       // every attempt met a conflicting write
	Invalidated     Kind = "invalidated"     // the ledger found the transaction invalid
	Internal        Kind = "internal"        // anything else
)

// Fault is a failure of the network or of this gateway, apart from rules of
// the contract, which are *metrology.Error.
type Fault struct {
	Kind          Kind
	TransactionID string // of the transaction in question; may be empty
	Err           error
}

func (f *Fault) Error() string {
	if f.TransactionID == "" {
		return string(f.Kind) + ": " + f.Err.Error()
	}
	return fmt.Sprintf("%s: transaction %s: %v", f.Kind, f.TransactionID, f.Err)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// isFault reports whether err is a Fault of the given kind.
func isFault(err error, kind Kind) bool {
	var fault *Fault
	return errors.As(err, &fault) && fault.Kind == kind
}

// chaincodePrefix is what peers put before the chaincode's own message: the
// first for evaluations only, the second unless the answer came from another
// organisation's peer.
var chaincodePrefix = regexp.MustCompile(`^(?:evaluate call to endorser returned error: )?(?:chaincode response \d+, )?`)

// Decode turns an error of the Fabric Gateway client into what it means: a
// *metrology.Error when the contract gave one, else a *Fault. It is the only
// place that looks into such errors. Peers tell overload and refused identities
// by text alone.
func Decode(err error) error {
	if err == nil {
		return nil
	}
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	answer := statusOf(err)
	texts := []string{answer.Message()}
	for _, detail := range answer.Details() {
		if d, ok := detail.(*gateway.ErrorDetail); ok {
			texts = append(texts, d.GetMessage())
		}
	}
	for _, text := range texts {
		if rule, ok := metrology.ParseError(strings.TrimPrefix(text, chaincodePrefix.FindString(text))); ok {
			return rule
		}
	}
	return &Fault{Kind: kindOf(err, answer.Code(), strings.Join(texts, "\n")), Err: err}
}

// statusOf finds the gRPC status in err's chain, with its message as it came;
// status.Convert would put the text of the wrapping around it.
func statusOf(err error) *status.Status {
	var carrier interface{ GRPCStatus() *status.Status }
	if errors.As(err, &carrier) {
		return carrier.GRPCStatus()
	}
	return status.Convert(err)
}

// textKinds are the kinds by what a peer's text contains; the first that fits.
var textKinds = []struct {
	text string
	kind Kind
}{
	{"too many requests for", Overloaded}, // the peer's concurrency limit
	{"access denied", Unauthenticated},    // creator or signature refused
	{"creator org unknown", Unauthenticated},
	{"client identity expired", Unauthenticated},
	{"ProposalResponsePayloads do not match", Disagreement},
	{"failed to collect enough transaction endorsements", Disagreement},
	{"no combination of peers can be derived", Unavailable}, // too few peers up for the policy
	{"no peers available to evaluate", Unavailable},
	{"no endorsers found in the gateway's organization", Unavailable}, // its peer is down or has no contract yet
	{"chaincode stream terminated", Unavailable},                      // the chaincode died in the act
	{"could not launch chaincode", Unavailable},                       // the contract service of the peer's organisation is down
	{undistributed, Unavailable},
}

// undistributed is in Fabric's message when an endorser could not hand private
// data to the peer it chose: for some seconds after a peer has gone the others
// still choose it.
const undistributed = "failed to distribute private collection"

func kindOf(err error, code codes.Code, texts string) Kind {
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return Unavailable
	case codes.ResourceExhausted:
		return Overloaded
	case codes.Unauthenticated, codes.PermissionDenied:
		return Unauthenticated
	}
	for _, known := range textKinds {
		if strings.Contains(texts, known.text) {
			return known.kind
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Unavailable
	}
	return Internal
}

// collecting is Fabric's message when a proposal passed at the first endorser
// and failed at another, or failed at any of those that the client named.
const collecting = "failed to collect enough transaction endorsements"

// disagreement reports whether endorsers may have answered differently because
// they stand at different heights, so that asking again can help. A rule that
// every named organisation gave alike is an answer.
func disagreement(err error, named []string) bool {
	answer := statusOf(err)
	if !strings.HasPrefix(answer.Message(), collecting) {
		return false
	}
	said := map[string]bool{} // organisations that gave the rule
	for _, detail := range answer.Details() {
		if d, ok := detail.(*gateway.ErrorDetail); ok {
			if _, rule := metrology.ParseError(strings.TrimPrefix(d.GetMessage(), chaincodePrefix.FindString(d.GetMessage()))); rule {
				said[d.GetMspId()] = true
			}
		}
	}
	return len(named) == 0 || len(said) < len(named)
}
