package draw

import "github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"

// Beacon is a round of a chain with its signature.
type Beacon struct {
	Chain     Chain
	Round     uint64
	Signature []byte // 48 bytes, G1 compressed
}

// Input is all that a draw is a function of.
type Input struct {
	Draw          string
	Plan          []byte // JSON as filed
	Objects       []Object
	Inspectors    []Inspector
	Ineligible    []Pair
	Contributions []Share
	SealedSecret  *Digest // only if the plan has a seal
	Beacon        Beacon
}

// ParseInput reads the document of draws.md section 6. A document without
// "objects" leaves Objects nil: its directory comes from elsewhere.
func ParseInput(data []byte) (Input, error) {
	var in Input
	err := strictjson.Decode(data, func(d *strictjson.Decoder) error {
		return readMembers(d, map[string]func() error{
			"draw":          func() (err error) { in.Draw, err = d.String(); return err },
			"plan":          func() (err error) { in.Plan, err = d.Raw(); return err },
			"objects":       func() (err error) { in.Objects, err = readList(d, readObject); return err },
			"inspectors":    func() (err error) { in.Inspectors, err = readList(d, readInspector); return err },
			"ineligible":    func() (err error) { in.Ineligible, err = readList(d, readPair); return err },
			"contributions": func() (err error) { in.Contributions, err = readList(d, readShare); return err },
			"sealedSecret":  func() (err error) { in.SealedSecret, err = readOptionalDigest(d); return err },
			"beacon":        func() (err error) { in.Beacon, err = readBeacon(d); return err },
		}, "objects", "sealedSecret")
	})
	if err != nil {
		return Input{}, asError("", err)
	}
	return in, nil
}
