package draw

import (
	"bytes"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

// terms are the members of a plan that the protocol reads beside those of the
// function; all are optional. TRANSCRIPT.md lists them.
type terms struct {
	regulator     string  // the organisation whose own approvals do not count
	observations  int64   // how many are needed; 2 unless given
	margin        int64   // seconds between the last step and the round
	timeWindow    int64   // seconds by which peers bound a transaction's time
	demonstration bool    // seconds instead of hours: proves nothing about time
	chainHash     *Digest // the beacon's
	stated        bool    // margin and timeWindow were given
}

const defaultObservations = 2

func parseTerms(canonicalPlan []byte) (terms, error) {
	t := terms{observations: defaultObservations}
	var margin, window bool
	err := strictjson.Decode(canonicalPlan, func(d *strictjson.Decoder) error {
		return d.Object(func(name string) (err error) {
			switch name {
			case "regulator":
				t.regulator, err = d.String()
			case "observations":
				t.observations, err = d.Integer(0, 64)
			case "margin":
				margin = true
				t.margin, err = d.Integer(0, maxInteger)
			case "timeWindow":
				window = true
				t.timeWindow, err = d.Integer(0, maxInteger)
			case "demonstration":
				t.demonstration, err = d.Bool()
			case "beacon":
				t.chainHash, err = readPin(d)
			default:
				_, err = d.Raw()
			}
			return err
		})
	})
	t.stated = margin && window
	if err != nil {
		return terms{}, asError("plan", err)
	}
	return t, nil
}

// readPin takes the chain hash out of the plan's beacon member.
func readPin(d *strictjson.Decoder) (*Digest, error) {
	var pin *Digest
	err := d.Object(func(name string) error {
		if name != "chainHash" {
			_, err := d.Raw()
			return err
		}
		value, err := readDigest(d)
		pin = &value
		return err
	})
	return pin, err
}

// membersOf gives the canonical text of each member of an object.
func membersOf(document []byte) (map[string][]byte, error) {
	out := make(map[string][]byte)
	err := strictjson.Decode(document, func(d *strictjson.Decoder) error {
		return d.Object(func(name string) error {
			raw, err := d.Raw()
			if err != nil {
				return err
			}
			out[name], err = strictjson.Canonical(raw)
			return err
		})
	})
	return out, err
}

// sameMember says whether both documents have, or both lack, equal members.
func sameMember(a, b map[string][]byte, name string) bool {
	return bytes.Equal(a[name], b[name])
}
