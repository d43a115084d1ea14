package metrology

// maxOccupants bounds a site's history of occupants.
const maxOccupants = 200

// NewSite checks a registration and returns the record it makes. Whether
// parent and merchants exist, and who may register, is for the contract, which
// knows the ledger.
func NewSite(cmd RegisterSite, stamp string) (Site, error) {
	if err := checkNewID("id", cmd.ID); err != nil {
		return Site{}, err
	}
	if err := OneOf("kind", cmd.Kind, SiteKinds...); err != nil {
		return Site{}, err
	}
	site := Site{ID: cmd.ID, Kind: cmd.Kind, State: SiteOpen, Registered: stamp, Profile: true, Occupants: []Occupancy{}}
	if err := site.place(cmd.Region, cmd.Parent, cmd.Owner, cmd.User); err != nil {
		return Site{}, err
	}
	if cmd.Occupant == "" {
		if cmd.From != "" {
			return Site{}, FieldErrorf(CodeInvalid, "from", "is only for a site with an occupant")
		}
		return site, nil
	}
	return site.Occupy(OccupySite{ID: cmd.ID, Merchant: cmd.Occupant, From: cmd.From})
}

// place checks and sets where the site belongs and whose things stand there.
func (s *Site) place(region, parent, owner, user string) error {
	if err := CheckRegion("region", region); err != nil {
		return err
	}
	for _, optional := range []struct{ field, id string }{{"parent", parent}, {"owner", owner}, {"user", user}} {
		if optional.id == "" {
			continue
		}
		if err := CheckID(optional.field, optional.id); err != nil {
			return err
		}
	}
	switch {
	case parent == s.ID:
		return FieldErrorf(CodeInvalid, "parent", "a site is not its own parent")
	case s.Kind == SiteStall && parent == "":
		return FieldErrorf(CodeInvalid, "parent", "is required for a stall: it stands in a market")
	case s.Kind != SiteStall && parent != "":
		return FieldErrorf(CodeInvalid, "parent", "is only for a stall")
	}
	s.Region, s.Parent, s.Owner, s.User = region, parent, owner, user
	return nil
}

// CheckParent refuses a parent that is no open market in the same county.
func (s Site) CheckParent(parent Site) error {
	switch {
	case parent.Kind != SiteMarket:
		return FieldErrorf(CodeInvalid, "parent", "%q is a %s, not a market", parent.ID, parent.Kind)
	case parent.State != SiteOpen:
		return FieldErrorf(CodeState, "parent", "market %q is %s", parent.ID, parent.State)
	case parent.Region != s.Region:
		return FieldErrorf(CodeInvalid, "region", "is not the region %s of market %q", parent.Region, parent.ID)
	}
	return nil
}

// Apply returns the site after a command that needs no more than a state change.
func (s Site) Apply(command SiteCommand) (Site, error) {
	next, err := SiteTransitions.Next("site", s.State, command)
	if err != nil {
		return s, err
	}
	if command == SiteClose && s.Occupant() != "" {
		return s, Errorf(CodeState, "site %q still has an occupant", s.ID)
	}
	s.State = next
	return s, nil
}

// Amend returns the site after AmendSite.
func (s Site) Amend(cmd AmendSite) (Site, error) {
	s, err := s.Apply(SiteAmend)
	if err != nil {
		return s, err
	}
	if err := s.place(cmd.Region, cmd.Parent, cmd.Owner, cmd.User); err != nil {
		return s, err
	}
	s.Profile = s.Profile || cmd.Profile
	return s, nil
}

// Occupy returns the site after a merchant moved in.
func (s Site) Occupy(cmd OccupySite) (Site, error) {
	s, err := s.Apply(SiteOccupy)
	if err != nil {
		return s, err
	}
	if err := CheckID("merchant", cmd.Merchant); err != nil {
		return s, err
	}
	if err := CheckDate("from", cmd.From); err != nil {
		return s, err
	}
	if n := len(s.Occupants); n > 0 {
		last := s.Occupants[n-1]
		switch {
		case last.To == "":
			return s, Errorf(CodeState, "merchant %q still occupies site %q", last.Merchant, s.ID)
		case !last.To.Before(cmd.From):
			return s, FieldErrorf(CodeInvalid, "from", "the former occupant stayed until %s", last.To)
		case n >= maxOccupants:
			return s, Errorf(CodeState, "site %q has had %d occupants; register it anew", s.ID, n)
		}
	}
	s.Occupants = append(append([]Occupancy{}, s.Occupants...), Occupancy{Merchant: cmd.Merchant, From: cmd.From})
	return s, nil
}

// Vacate returns the site after its occupant's last day.
func (s Site) Vacate(cmd VacateSite) (Site, error) {
	s, err := s.Apply(SiteVacate)
	if err != nil {
		return s, err
	}
	if err := CheckDate("to", cmd.To); err != nil {
		return s, err
	}
	n := len(s.Occupants)
	if n == 0 || s.Occupants[n-1].To != "" {
		return s, Errorf(CodeState, "site %q has no occupant", s.ID)
	}
	if cmd.To.Before(s.Occupants[n-1].From) {
		return s, FieldErrorf(CodeInvalid, "to", "lies before the first day, %s", s.Occupants[n-1].From)
	}
	s.Occupants = append([]Occupancy{}, s.Occupants...)
	s.Occupants[n-1].To = cmd.To
	return s, nil
}

// Occupant returns the merchant whose occupancy has no recorded end, or "".
func (s Site) Occupant() string {
	if n := len(s.Occupants); n > 0 && s.Occupants[n-1].To == "" {
		return s.Occupants[n-1].Merchant
	}
	return ""
}

// OccupantOn returns the merchant that was there on a day, or "".
func (s Site) OccupantOn(day Date) string {
	for _, o := range s.Occupants {
		if !day.Before(o.From) && (o.To == "" || !o.To.Before(day)) {
			return o.Merchant
		}
	}
	return ""
}
