package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// certificatePage is the body of a certificate's page.
type certificatePage struct {
	Serial      string // as it was compared; empty: not yet
	Certificate public.Certificate
	Finding     finding
}

func (s *Server) certificate(ctx context.Context, r request) (reply, error) {
	id, serial := strings.ToLower(r.Param("id")), r.text("serial")
	if err := checkSerial(serial); err != nil {
		return reply{}, err
	}
	certificate, err := s.register.Certificate(ctx, id, r.today)
	if metrology.ErrorCode(err) == metrology.CodeNotFound {
		if digests := readDigest(strings.ToLower(id)); digests != nil { // a file's digest where a certificate's was meant
			answer, _ := s.answerDigests(ctx, r, digests, serial, answered{Question: id})
			return answer, nil
		}
	}
	if err != nil {
		return reply{}, err
	}
	judged, err := s.reports.VerifyCertificate(ctx, id, serial)
	if err != nil {
		return reply{}, fmt.Errorf("judge certificate: %w", err)
	}
	return reply{
		view: "certificate", title: s.say(r.lang, "certificate.title", certificate.Leaf.Number),
		body: certificatePage{serial, certificate, s.finding(ctx, judged)},
	}, nil
}

// merchantPage is the body of a merchant's page.
type merchantPage struct {
	Merchant        public.Merchant
	Name            string
	Standing        standing
	Sums            []sum
	Pledges         []public.Pledge
	Instruments     []public.Instrument
	Inspections     []inspectionView
	MoreInstruments bool
	MoreInspections bool
}

// standing is what a merchant's pledge amounts to today, with its tone.
type standing struct {
	Key  string
	Tone verdict.Tone
}

// standingOf gives a pledge's tone. None, one that ran out and one that was
// withdrawn are neutral: they say nothing against a merchant.
func standingOf(p *public.Pledge) standing {
	if p == nil {
		return standing{"standing.none", verdict.Neutral}
	}
	tone := verdict.Neutral
	switch p.Standing {
	case metrology.StandingActive:
		tone = verdict.Good
	case metrology.StandingSuspended, metrology.StandingRevoked:
		tone = verdict.Caution
	}
	return standing{"standing." + string(p.Standing), tone}
}

// pledgeStanding takes a pledge as templates have it: by value or by pointer.
func pledgeStanding(p any) standing {
	switch p := p.(type) {
	case public.Pledge:
		return standingOf(&p)
	case *public.Pledge:
		return standingOf(p)
	}
	return standingOf(nil)
}

// certificateTone is the tone of a certificate's status in a list, as the same
// status has it in a verdict.
func certificateTone(c public.Certificate) verdict.Tone {
	return verdict.AnswerOf(verdict.Outcome(c.Status)).Tone
}

// resultTone is the tone of a finding. One that speaks against a merchant is a
// caution, not more: it may be objected to, corrected or mended.
func resultTone(code metrology.ResultCode) verdict.Tone {
	meaning, known := code.Meaning()
	switch {
	case !known:
		return verdict.Unknown
	case meaning.Brands:
		return verdict.Caution
	case code == metrology.ResultNoneFound:
		return verdict.Good
	}
	return verdict.Neutral
}

// maxListed bounds the lists on a merchant's page.
const maxListed = 50

func (s *Server) merchant(ctx context.Context, r request) (reply, error) {
	id := r.Param("id")
	merchant, err := s.register.Merchant(ctx, id, r.today)
	if err != nil {
		return reply{}, err
	}
	body := merchantPage{Merchant: merchant, Name: nameOf(merchant.Details, id), Standing: standingOf(merchant.Pledge)}
	if body.Pledges, err = s.register.MerchantPledges(ctx, id, r.today); err != nil {
		return reply{}, fmt.Errorf("list pledges: %w", err)
	}
	page := public.PageRequest{Limit: maxListed}
	instruments, err := s.register.Instruments(ctx, public.InstrumentFilter{Merchant: id, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list instruments: %w", err)
	}
	inspections, err := s.register.Inspections(ctx, public.InspectionFilter{Merchant: id, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list inspections: %w", err)
	}
	body.Instruments, body.MoreInstruments = instruments.Items, instruments.Next != ""
	body.Inspections, body.MoreInspections = viewInspections(inspections.Items), inspections.Next != ""
	body.Sums = s.sums(r.lang, body)
	return reply{view: "merchant", title: body.Name, body: body}, nil
}

// sum is what a list amounts to, for whoever reads no list.
type sum struct {
	Text string
	Tone verdict.Tone
}

// sums tells of a merchant's instruments and of its last inspection. Neither is
// told when it is not known in full.
func (s *Server) sums(l language, m merchantPage) []sum {
	var all []sum
	valid, counted, tone := 0, 0, verdict.Good
	for _, i := range m.Instruments {
		status := i.Verification.Status
		if status == public.VerificationNoDuty || i.State == metrology.InstrumentRetired {
			continue
		}
		counted++
		if status == public.VerificationValid || status == public.VerificationDueSoon {
			valid++
		}
		if toneOf(status) != verdict.Good {
			tone = verdict.Caution
		}
	}
	if counted > 0 && !m.MoreInstruments {
		all = append(all, sum{s.say(l, "sum.instruments", counted, valid), tone})
	}
	var last *inspectionView
	for i, inspection := range m.Inspections {
		if last == nil || last.Visited.Before(inspection.Visited) {
			last = &m.Inspections[i]
		}
	}
	if last == nil || m.MoreInspections || last.Latest == nil || last.Latest.Body == nil {
		return all
	}
	for _, item := range last.Latest.Items {
		for _, code := range item.Results {
			text := s.say(l, "sum.inspection", last.Visited, s.term(l, "result", string(code)))
			all = append(all, sum{text, resultTone(code)})
		}
	}
	return all
}

// nameOf is the public name, or the id when none was given or it was deleted.
func nameOf(details *public.Profile, id string) string {
	if details == nil || details.Name == "" {
		return id
	}
	return details.Name
}

// instrumentPage is the body of an instrument's page.
type instrumentPage struct {
	Instrument   public.Instrument
	Tone         verdict.Tone
	Certificates []public.Certificate
	Owner, User  string // names
	Place        string // name of the site; empty: it has none
}

// verificationTones is how an instrument's standing may be shown.
var verificationTones = map[public.VerificationStatus]verdict.Tone{
	public.VerificationNone:    verdict.Unknown,
	public.VerificationValid:   verdict.Good,
	public.VerificationDueSoon: verdict.Caution,
	public.VerificationExpired: verdict.Bad,
	public.VerificationFailed:  verdict.Bad,
	public.VerificationNeeded:  verdict.Bad,
	public.VerificationNoDuty:  verdict.Neutral,
	public.VerificationFrozen:  verdict.Caution,
}

// toneOf is the tone of a verification; one of a newer program is unknown.
func toneOf(status public.VerificationStatus) verdict.Tone {
	if tone, known := verificationTones[status]; known {
		return tone
	}
	return verdict.Unknown
}

func (s *Server) instrument(ctx context.Context, r request) (reply, error) {
	id := r.Param("id")
	instrument, err := s.register.Instrument(ctx, id, r.today)
	if err != nil {
		return reply{}, err
	}
	page := public.PageRequest{Limit: maxListed}
	certificates, err := s.register.Certificates(ctx, public.CertificateFilter{Instrument: id, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list certificates: %w", err)
	}
	body := instrumentPage{Instrument: instrument, Tone: toneOf(instrument.Verification.Status), Certificates: certificates.Items}
	body.Owner, body.User = s.merchantName(ctx, r, instrument.Owner), s.merchantName(ctx, r, instrument.User)
	if instrument.Site != "" {
		body.Place = s.siteName(ctx, instrument.Site)
	}
	return reply{view: "instrument", title: instrument.Name + " " + instrument.Serial, body: body}, nil
}

// merchantName is a merchant's public name; a courtesy like issuerName.
func (s *Server) merchantName(ctx context.Context, r request, id string) string {
	merchant, err := s.register.Merchant(ctx, id, r.today)
	if err != nil {
		return id
	}
	return nameOf(merchant.Details, id)
}

// siteName is a place's public name; a courtesy like issuerName.
func (s *Server) siteName(ctx context.Context, id string) string {
	site, err := s.register.Site(ctx, id)
	if err != nil {
		return id
	}
	return nameOf(site.Details, id)
}

// sitePage is the body of a site's page.
type sitePage struct {
	Site        public.Site
	Name        string
	Occupants   map[string]string // names by id
	Instruments []public.Instrument
	Inspections []inspectionView
}

func (s *Server) site(ctx context.Context, r request) (reply, error) {
	id := r.Param("id")
	site, err := s.register.Site(ctx, id)
	if err != nil {
		return reply{}, err
	}
	visits, err := s.register.Visits(ctx, []public.Site{site}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("count visits: %w", err)
	}
	if counted, capped := visits[id]; capped {
		site.Visits = &counted
	}
	body := sitePage{Site: site, Name: nameOf(site.Details, id), Occupants: make(map[string]string)}
	for _, o := range site.Occupants {
		body.Occupants[o.Merchant] = s.merchantName(ctx, r, o.Merchant)
	}
	page := public.PageRequest{Limit: maxListed}
	instruments, err := s.register.Instruments(ctx, public.InstrumentFilter{Site: id, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list instruments: %w", err)
	}
	inspections, err := s.register.Inspections(ctx, public.InspectionFilter{Site: id, PageRequest: page}, r.today)
	if err != nil {
		return reply{}, fmt.Errorf("list inspections: %w", err)
	}
	body.Instruments, body.Inspections = instruments.Items, viewInspections(inspections.Items)
	return reply{view: "site", title: body.Name, body: body}, nil
}

// issuerPage is the body of an issuer's page.
type issuerPage struct {
	Issuer public.Issuer
	Name   string
}

func (s *Server) issuer(ctx context.Context, r request) (reply, error) {
	issuer, err := s.register.Issuer(ctx, r.Param("id"))
	if err != nil {
		return reply{}, err
	}
	name := nameOf(issuer.Details, issuer.ID)
	return reply{view: "issuer", title: name, body: issuerPage{issuer, name}}, nil
}

// inspectionPage is the body of an inspection's page.
type inspectionPage struct {
	Inspection inspectionView
	Merchant   string // name
	Place      string // name of the site
}

func (s *Server) inspection(ctx context.Context, r request) (reply, error) {
	inspection, err := s.register.Inspection(ctx, r.Param("id"), r.today)
	if err != nil {
		return reply{}, err
	}
	body := inspectionPage{Inspection: viewInspection(inspection), Place: s.siteName(ctx, inspection.Site)}
	if inspection.Merchant != "" {
		body.Merchant = s.merchantName(ctx, r, inspection.Merchant)
	}
	return reply{view: "inspection", title: s.say(r.lang, "inspection.title", inspection.ID), body: body}, nil
}
