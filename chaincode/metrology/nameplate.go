package metrology

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Nameplate is what is engraved on an instrument. It never changes: who
// registered it wrongly retires the record and registers anew.
type Nameplate struct {
	Model  string `json:"model"`  // 型号规格
	Maker  string `json:"maker"`  // 生产厂家
	Serial string `json:"serial"` // 出厂编号
}

func (n Nameplate) check() error {
	if err := checkText("model", n.Model, true); err != nil {
		return err
	}
	if err := checkText("maker", n.Maker, true); err != nil {
		return err
	}
	return checkText("serial", n.Serial, true)
}

// Key is the world-state key at which the id of the instrument with this
// nameplate stands. named is false where the serial number names nothing, such
// as "/" or "无": then any number of instruments may carry it.
func (n Nameplate) Key() (key string, named bool) {
	serial := foldPlate(n.Serial)
	if strings.Trim(serial, "0") == "" || !strings.ContainsAny(serial, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return "", false
	}
	digest := sha256.Sum256([]byte(foldPlate(n.Maker) + "\n" + foldPlate(n.Model) + "\n" + serial))
	return Key(KindNameplate, hex.EncodeToString(digest[:])), true
}

// foldPlate takes away what typing changes: letter case, full-width forms and
// spaces.
func foldPlate(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 0xFF01 && c <= 0xFF5E { // full-width ASCII
			c -= 0xFEE0
		}
		switch {
		case c == ' ':
			return -1
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		}
		return c
	}, text)
}

// Replaces returns the instrument as the next record of a nameplate whose
// record so far, earlier, must be out of use. It names that record, so that
// nobody sheds a history by registering anew.
func (i Instrument) Replaces(earlier Instrument) (Instrument, error) {
	if earlier.State != InstrumentRetired {
		return i, FieldErrorf(CodeConflict, "serial", "instrument %q has this nameplate and is %s", earlier.ID, earlier.State)
	}
	i.Previous = earlier.ID
	return i, nil
}

// CheckVerified refuses a leaf that names an instrument of the ledger which
// does not exist, is frozen by a dispute, or whose serial number or category
// differs. known holds what the ledger has for the ids in the leaf.
func CheckVerified(leaf Leaf, known map[string]*Instrument) error {
	for n, verified := range leaf.Instruments {
		if verified.ID == "" {
			continue
		}
		field := fmt.Sprintf("instruments[%d]", n)
		instrument := known[verified.ID]
		if instrument == nil {
			return FieldErrorf(CodeNotFound, field+".id", "instrument %q is not registered", verified.ID)
		}
		if _, err := InstrumentTransitions.Next("instrument", instrument.State, InstrumentVerify); err != nil {
			return FieldErrorf(CodeState, field+".id", "instrument %s is %s: nothing may be verified or changed", verified.ID, instrument.State)
		}
		if verified.Serial != "" && verified.Serial != instrument.Serial {
			return FieldErrorf(CodeInvalid, field+".serial", "%q, but the nameplate of %s says %q", verified.Serial, verified.ID, instrument.Serial)
		}
		if verified.Category != "" && verified.Category != instrument.Category {
			return FieldErrorf(CodeInvalid, field+".category", "%q, but %s is registered as %q", verified.Category, verified.ID, instrument.Category)
		}
	}
	return nil
}
