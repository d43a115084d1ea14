package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// Bounds of one question to the register.
const (
	askTimeout   = 20 * time.Second
	maxReport    = 4 << 20 // bytes
	maxErrorText = 300
)

// online digests a file here and asks the register for its digests.
func (v *verification) online(ctx context.Context, name string) fileAnswer {
	answer := fileAnswer{File: name}
	result, err := v.digestNamed(ctx, name)
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.describe(result)
	report, err := v.ask(ctx, result.Digests())
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Report = &report
	return answer
}

// ask asks for one digest after the other until one is registered. The last
// report stands when none is.
func (v *verification) ask(ctx context.Context, digests []metrology.Digest) (verdict.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var report verdict.Report
	for _, digest := range digests {
		var err error
		if report, err = v.askOne(ctx, digest); err != nil {
			return verdict.Report{}, err
		}
		if len(report.Findings) == 0 {
			return verdict.Report{}, fmt.Errorf("ask %s: the answer holds no finding", v.server)
		}
		if report.Findings[0].Certificate != nil {
			break
		}
	}
	report.Digests = digests
	return report, nil
}

func (v *verification) askOne(ctx context.Context, digest metrology.Digest) (verdict.Report, error) {
	address := strings.TrimSuffix(v.server, "/") + "/v1/verify/" + digest.Algorithm + "/" + digest.Value
	if v.serial != "" {
		address += "?serial=" + url.QueryEscape(v.serial)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return verdict.Report{}, fmt.Errorf("ask %s: %w", v.server, err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return verdict.Report{}, fmt.Errorf("ask %s: %w", v.server, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	if err != nil {
		return verdict.Report{}, fmt.Errorf("ask %s: %w", v.server, err)
	}
	if response.StatusCode != http.StatusOK {
		return verdict.Report{}, fmt.Errorf("ask %s: %s: %.*s", v.server, response.Status, maxErrorText, body)
	}
	var report verdict.Report
	if err := json.Unmarshal(body, &report); err != nil {
		return verdict.Report{}, fmt.Errorf("ask %s: read answer: %w", v.server, err)
	}
	return report, nil
}
