package api

import (
	"context"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// DrawRegister is the part of the public register that holds draws.
type DrawRegister interface {
	Draws(ctx context.Context, f public.DrawFilter) (public.Page[public.Draw], error)
	Draw(ctx context.Context, id string) (public.DrawRecord, error)
	LatestDraws(ctx context.Context, page public.PageRequest) (public.Page[public.Draw], error)
	DrawDirectories(ctx context.Context, id string) (public.DrawDirectories, error)
	// EscrowKeys lists the keys to which secrets of sealed draws are encrypted.
	EscrowKeys(ctx context.Context) ([]metrology.EscrowKey, error)
	// DrawSteps lists the transactions that hold a draw's steps.
	DrawSteps(ctx context.Context, id string) ([]public.Transaction, error)
}

func (s *Server) drawReads() []readRoute {
	const one = "/v1/draws/:id"
	return []readRoute{
		{"/v1/beacon", nil, s.developmentBeacon},
		{"/v1/beacons", nil, s.knownBeacons},
		{"/v1/escrow-keys", nil, s.escrowKeys},
		{"/v1/draws", with("authority", "phase"), s.draws},
		{one, nil, s.draw},
		{one + "/transcript", []string{"blocks"}, s.drawTranscript},
		{one + "/assignments", []string{"department"}, s.drawAssignments},
		{one + "/directories/inspectors", nil, s.drawInspectors},
		{one + "/tickets/:siteId", nil, s.drawTicket},
	}
}

func (s *Server) escrowKeys(ctx context.Context, _ params) (any, error) {
	keys, err := s.register.EscrowKeys(ctx)
	if keys == nil {
		keys = []metrology.EscrowKey{}
	}
	return public.Page[metrology.EscrowKey]{Items: keys}, err
}

func (s *Server) draws(ctx context.Context, p params) (any, error) {
	page, err := p.page()
	if err != nil {
		return nil, err
	}
	draws, err := s.register.Draws(ctx, public.DrawFilter{Authority: p.text("authority"), Phase: p.text("phase"), PageRequest: page})
	for i, d := range draws.Items {
		draws.Items[i] = d.On(s.clock().Unix())
	}
	return draws, err
}

func (s *Server) draw(ctx context.Context, p params) (any, error) {
	record, err := s.register.Draw(ctx, p.path("id"))
	record.Draw = record.Draw.On(s.clock().Unix())
	return record, err
}

func (s *Server) drawAssignments(ctx context.Context, p params) (any, error) {
	record, err := s.register.Draw(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	return record.Assignments(p.text("department"))
}

func (s *Server) drawTranscript(ctx context.Context, p params) (any, error) {
	lists, err := s.register.DrawDirectories(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	steps, err := s.register.DrawSteps(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	status, err := s.register.Status(ctx)
	if err != nil {
		return nil, err
	}
	transcript := public.NewDrawTranscript(lists, steps, status)
	if p.text("blocks") != "omit" {
		transcript.Ledger.Evidence, err = s.evidence.Steps(ctx, steps)
	}
	return transcript, err
}

func (s *Server) drawInspectors(ctx context.Context, p params) (any, error) {
	lists, err := s.register.DrawDirectories(ctx, p.path("id"))
	return lists.ShowInspectors(), err
}

func (s *Server) drawTicket(ctx context.Context, p params) (any, error) {
	lists, err := s.register.DrawDirectories(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	return public.NewDrawTicket(lists, p.path("siteId"))
}

func drawRoutes() []writeRoute {
	const one, place = "/v1/draws/:id", "/v1/draws/{id}"
	directory := step(one+"/directories/:list/:chunk", "draw:Directory", place, command[metrology.FileDrawDirectory])
	directory.Numbers = []string{"chunk"}
	plan := step("/v1/draws", "draw:Plan", place, command[metrology.PlanDraw])
	plan.prepare = (*Server).fillRates
	seed := step(one+"/beacon", "draw:Beacon", place, command[metrology.SeedDraw])
	seed.anybody = (*Server).bringRound
	approveFreeze := step(one+"/freeze-approval", "draw:ApproveFreeze", place, command[metrology.ApproveDraw])
	approveFreeze.prepare = (*Server).checkFreezeApproval
	change := func(decision, function string) writeRoute {
		r := step(one+"/changes/:number/"+decision, function, place, command[metrology.DecideDrawChange])
		r.Numbers = []string{"number"}
		return r
	}
	return []writeRoute{
		plan,
		step("/v1/escrow-keys", "draw:PublishEscrowKey", "/v1/escrow-keys", command[metrology.PublishEscrowKey]),
		step(one+"/escrow-acceptance", "draw:AcceptEscrow", place, command[metrology.DrawAction]),
		step(one+"/leaves", "draw:CommitLeaves", place, command[metrology.CommitToLeaves]),
		step(one+"/unsealing", "draw:Unseal", place, command[metrology.UnsealDraw]),
		step(one+"/approval", "draw:Approve", place, command[metrology.ApproveDraw]),
		directory,
		step(one+"/freeze", "draw:Freeze", place, command[metrology.FreezeDraw]),
		approveFreeze,
		step(one+"/commitment", "draw:Commit", place, command[metrology.CommitToDraw]),
		step(one+"/opening", "draw:Open", place, command[metrology.DrawAction]),
		step(one+"/reveal", "draw:Reveal", place, command[metrology.RevealToDraw]),
		step(one+"/close", "draw:Close", place, command[metrology.DrawAction]),
		step(one+"/observation", "draw:Observe", place, command[metrology.ObserveDraw]),
		seed,
		step(one+"/result", "draw:Result", place, command[metrology.DrawAction]),
		step(one+"/posting", "draw:Post", place, command[metrology.PostDraw]),
		step(one+"/challenge", "draw:Challenge", place, command[metrology.ChallengeDraw]),
		step(one+"/substitutions", "draw:Substitute", place, command[metrology.SubstituteObject]),
		step(one+"/recusals", "draw:Recuse", place, command[metrology.RecuseInspector]),
		change("approval", "draw:ApproveChange"),
		change("rejection", "draw:RejectChange"),
		step(one+"/cancellation", "draw:Cancel", place, command[metrology.CancelDraw]),
		step(one+"/voiding", "draw:Void", place, command[metrology.DrawAction]),
	}
}
