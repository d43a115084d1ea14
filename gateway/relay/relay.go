// Package relay fetches rounds of a beacon from drand's HTTP relays, version 2
// of their interface or version 1. A relay is trusted with nothing: whatever it
// says, only the one signature that the pinned chain's key verifies for the
// round asked for is taken, and the next relay is asked otherwise. There is no
// other source; if no relay has the round, the draw waits.
package relay

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/draw"
)

// The bounds of one question to one relay.
const (
	patience  = 5 * time.Second
	maxAnswer = 16 << 10 // bytes; a round has some 300
)

// Relays are asked in order.
type Relays struct {
	addresses []string
	client    *http.Client
}

// New checks the addresses of relays, such as https://api.drand.sh.
func New(addresses []string) (*Relays, error) {
	r := &Relays{client: &http.Client{
		Timeout: patience,
		// A relay that points elsewhere is not the one that was configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("%q is not the address of a relay, such as https://api.drand.sh", address)
		}
		r.addresses = append(r.addresses, strings.TrimRight(address, "/"))
	}
	return r, nil
}

// errNoRelay says that nothing can be fetched.
var errNoRelay = errors.New("no relay is configured")

// Fetch returns the verified signature of a round from the first relay that
// gives it, or why none did.
func (r *Relays) Fetch(ctx context.Context, chain draw.Chain, round uint64) ([]byte, error) {
	if len(r.addresses) == 0 {
		return nil, errNoRelay
	}
	var failures []error
	for _, address := range r.addresses {
		signature, err := r.ask(ctx, address, chain, round)
		if err == nil {
			return signature, nil
		}
		failures = append(failures, fmt.Errorf("relay %s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("fetch round %d: %w", round, errors.Join(failures...))
}

// ask tries both versions of one relay's interface; an older relay does not
// know the second.
func (r *Relays) ask(ctx context.Context, address string, chain draw.Chain, round uint64) ([]byte, error) {
	hash := chain.Hash()
	signature, second := r.read(ctx, fmt.Sprintf("%s/v2/chains/%s/rounds/%d", address, hash, round), chain, round)
	if second == nil {
		return signature, nil
	}
	signature, first := r.read(ctx, fmt.Sprintf("%s/%s/public/%d", address, hash, round), chain, round)
	if first == nil {
		return signature, nil
	}
	return nil, fmt.Errorf("version 2: %w; version 1: %w", second, first)
}

// answer is a round as relays tell it; version 2 leaves the randomness out.
type answer struct {
	Round      uint64 `json:"round"`
	Signature  string `json:"signature"`
	Randomness string `json:"randomness"`
}

func (r *Relays) read(ctx context.Context, address string, chain draw.Chain, round uint64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", response.Status)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	return check(body, chain, round)
}

// check takes the signature out of an answer if it is that of the round.
func check(body []byte, chain draw.Chain, round uint64) ([]byte, error) {
	var told answer
	if err := json.Unmarshal(body, &told); err != nil {
		return nil, fmt.Errorf("its answer is not a round: %w", err)
	}
	switch {
	case told.Round != round:
		return nil, fmt.Errorf("it gives round %d", told.Round)
	case told.Signature == "":
		return nil, errors.New("it gives no signature")
	}
	signature, err := hex.DecodeString(told.Signature)
	if err != nil {
		return nil, errors.New("its signature is not hex")
	}
	randomness, err := chain.Verify(round, signature)
	if err != nil {
		return nil, err
	}
	if told.Randomness != "" && told.Randomness != randomness.String() {
		return nil, errors.New("its randomness is not the hash of its signature")
	}
	return signature, nil
}
