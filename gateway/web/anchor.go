package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/web/form"
)

// anchors reports whether a role anchors certificates.
func anchors(role string) bool { return role == string(metrology.RoleInstitute) }

// anchorFields are what the certificates of one day have in common, and a row
// for each file. The digests are made in the browser; files are never sent.
func anchorFields() []form.Field {
	text := func(name string, required bool) form.Field {
		return form.Field{Name: name, Kind: form.Text, Required: required}
	}
	day := func(name string, required bool) form.Field {
		return form.Field{Name: name, Type: "metrology.Date", Kind: form.Date, Required: required}
	}
	kinds := codes([]metrology.CertificateKind{metrology.KindVerification, metrology.KindResultNotice, metrology.KindCalibration})
	conclusions := codes([]metrology.Conclusion{metrology.ConclusionPass, metrology.ConclusionClass, metrology.ConclusionFail, metrology.ConclusionNone})
	return []form.Field{
		text("issuer", true),
		{Name: "kind", Type: "metrology.CertificateKind", Kind: form.Choice, Required: true, Options: kinds},
		text("regulation", false), text("category", false),
		day("performed", true), day("issued", true), day("validUntil", false),
		{Name: "conclusion", Type: "metrology.Conclusion", Kind: form.Choice, Required: true, Options: conclusions},
		text("class", false),
		{Name: "certificates", Kind: form.Rows, Required: true, Fields: []form.Field{
			text("number", true), text("instrument", false), text("serial", false), text("sha256", true), text("sm3", false),
		}},
	}
}

// anchorPage is the body of the form.
type anchorPage struct {
	Token    string
	Work     string
	Controls []form.Control
	Fault    string
	Stale    bool
}

func (s *Server) showAnchor(_ context.Context, v visit) (reply, error) {
	if !anchors(v.Person.Role) {
		return reply{}, errNoPage
	}
	filled, id := v.sent, v.sent.Get(formKey)
	if v.sent == nil {
		filled, id = url.Values{"kind": {string(metrology.KindVerification)}, "conclusion": {string(metrology.ConclusionPass)},
			"performed": {string(v.today)}, "issued": {string(v.today)}}, v.text("key")
	}
	if !isWork(id) {
		id = newWork()
		if v.sent == nil {
			return reply{to: "/desk/anchor?key=" + id}, nil
		}
	}
	return s.fillAnchor(v, anchorPage{Work: id, Stale: v.stale}, filled, nil, http.StatusOK), nil
}

func (s *Server) fillAnchor(v visit, page anchorPage, filled url.Values, faults map[string]string, status int) reply {
	page.Token = v.Token
	page.Controls = form.Fill(anchorFields(), filled, faults, filled.Get(formMore))
	return reply{view: "anchor", title: s.say(v.lang, "anchor.title"), status: status, body: page, self: "/desk/anchor?key=" + page.Work}
}

// doAnchor makes a leaf of each row and anchors them all as one file.
func (s *Server) doAnchor(ctx context.Context, v visit) (reply, error) {
	if !anchors(v.Person.Role) {
		return reply{}, errNoPage
	}
	if v.sent.Get(formMore) != "" {
		return s.showAnchor(ctx, v)
	}
	page := anchorPage{Work: v.sent.Get(formKey)}
	if !isWork(page.Work) {
		page.Work = newWork()
	}
	asked, wrong := form.Decode(anchorFields(), v.sent)
	if len(wrong) > 0 {
		return reply{}, fmt.Errorf("read certificates: %v", wrong) // texts and dates have no faults
	}
	leaves, count, err := leavesOf(asked)
	if err != nil {
		return reply{}, err
	}
	if count == 0 {
		page.Fault = s.say(v.lang, "file-job.none")
		return s.fillAnchor(v, page, v.sent, nil, http.StatusBadRequest), nil
	}
	query := url.Values{"issuer": {strings.TrimSpace(v.sent.Get("issuer"))}}
	o := s.desks.forms[operationImport]
	return s.begin(v, page.Work, "job."+operationImport, s.say(v.lang, "anchor.files", count),
		Operation{Method: o.Method, Path: o.Path + "?" + query.Encode(), Media: "application/x-ndjson", Body: leaves})
}

// leavesOf makes leaves as the interface takes them in a file, one a line.
func leavesOf(asked []byte) (leaves []byte, count int, err error) {
	var day struct {
		Issuer       string `json:"issuer"`
		Kind         string `json:"kind"`
		Regulation   string `json:"regulation"`
		Category     string `json:"category"`
		Performed    string `json:"performed"`
		Issued       string `json:"issued"`
		ValidUntil   string `json:"validUntil"`
		Conclusion   string `json:"conclusion"`
		Class        string `json:"class"`
		Certificates []struct {
			Number     string `json:"number"`
			Instrument string `json:"instrument"`
			Serial     string `json:"serial"`
			SHA256     string `json:"sha256"`
			SM3        string `json:"sm3"`
		} `json:"certificates"`
	}
	if err := json.Unmarshal(asked, &day); err != nil {
		return nil, 0, fmt.Errorf("read certificates: %w", err)
	}
	var out bytes.Buffer
	for _, c := range day.Certificates {
		digests := []metrology.Digest{{Algorithm: metrology.AlgorithmSHA256, Value: strings.ToLower(c.SHA256)}}
		if c.SM3 != "" {
			digests = append(digests, metrology.Digest{Algorithm: metrology.AlgorithmSM3, Value: strings.ToLower(c.SM3)})
		}
		leaf := metrology.Leaf{
			Issuer: day.Issuer, Number: c.Number, Kind: metrology.CertificateKind(day.Kind), Regulation: day.Regulation,
			Performed: metrology.Date(day.Performed), Issued: metrology.Date(day.Issued), ValidUntil: metrology.Date(day.ValidUntil), Digests: digests,
			Instruments: []metrology.LeafInstrument{{ID: c.Instrument, Serial: c.Serial, Category: day.Category, Class: day.Class, Conclusion: metrology.Conclusion(day.Conclusion)}},
		}
		if err := json.NewEncoder(&out).Encode(leaf); err != nil {
			return nil, 0, fmt.Errorf("make a leaf: %w", err)
		}
	}
	return out.Bytes(), len(day.Certificates), nil
}
