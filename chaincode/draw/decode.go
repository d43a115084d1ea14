package draw

import (
	"errors"
	"math"

	"github.com/steelyard-ledger/steelyard/chaincode/draw/strictjson"
)

// asError turns a decoder's error into one of this package that names the
// entry, keeping the kind of a rule broken inside it.
func asError(document string, err error) error {
	entry := document
	var at *strictjson.Error
	if errors.As(err, &at) && at.Path != "" {
		entry = at.Path
		if document != "" {
			entry = document + "." + at.Path
		}
	}
	var rule *Error
	if errors.As(err, &rule) {
		return inEntry(rule, entry)
	}
	if at != nil {
		return refuse(KindSyntax, entry, "%s", at.Reason)
	}
	return refuse(KindSyntax, entry, "%v", err)
}

func readDigest(d *strictjson.Decoder) (Digest, error) {
	text, err := d.String()
	if err != nil {
		return Digest{}, err
	}
	return ParseDigest(text)
}

// readOptionalDigest reads hex or null.
func readOptionalDigest(d *strictjson.Decoder) (*Digest, error) {
	if d.Null() {
		return nil, nil
	}
	value, err := readDigest(d)
	return &value, err
}

func readHex(d *strictjson.Decoder, size int) ([]byte, error) {
	text, err := d.String()
	if err != nil {
		return nil, err
	}
	return parseHex(text, size)
}

func readUint32(d *strictjson.Decoder) (uint32, error) {
	n, err := d.Integer(0, math.MaxUint32)
	return uint32(n), err
}

func readCount(d *strictjson.Decoder) (uint64, error) {
	n, err := d.Integer(0, maxInteger)
	return uint64(n), err
}

func readStrings(d *strictjson.Decoder) ([]string, error) {
	return readList(d, (*strictjson.Decoder).String)
}

func readIntegers(d *strictjson.Decoder, min, max int64) ([]int64, error) {
	return readList(d, func(d *strictjson.Decoder) (int64, error) { return d.Integer(min, max) })
}

func readList[T any](d *strictjson.Decoder, read func(*strictjson.Decoder) (T, error)) ([]T, error) {
	out := []T{}
	err := d.Array(func(int) error {
		v, err := read(d)
		if err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}

// readMembers reads an object that must hold exactly the members given, except
// those named optional.
func readMembers(d *strictjson.Decoder, members map[string]func() error, optional ...string) error {
	found := len(members)
	missing := func(name string) error { return d.Errorf("member %q is missing", name) }
	seen := make(map[string]bool, len(members))
	err := d.Object(func(name string) error {
		read, known := members[name]
		if !known {
			return d.Unknown(name)
		}
		seen[name] = true
		found--
		return read()
	})
	if err != nil {
		return err
	}
	for _, name := range optional {
		if !seen[name] {
			found--
			seen[name] = true
		}
	}
	if found == 0 {
		return nil
	}
	first := ""
	for name := range members { // the smallest missing name, whatever the order
		if !seen[name] && (first == "" || name < first) {
			first = name
		}
	}
	return missing(first)
}

func readObject(d *strictjson.Decoder) (Object, error) {
	var o Object
	var have [3]bool
	err := d.Object(func(name string) (err error) {
		switch name {
		case "id":
			have[0] = true
			o.ID, err = d.String()
		case "stratum":
			have[1] = true
			o.Stratum, err = d.String()
		case "weight":
			have[2] = true
			o.Weight, err = readUint32(d)
		default:
			err = d.Unknown(name)
		}
		return err
	})
	if err == nil && have != [3]bool{true, true, true} {
		err = d.Errorf("id, stratum and weight are needed")
	}
	return o, err
}

func readInspector(d *strictjson.Decoder) (Inspector, error) {
	var i Inspector
	err := readMembers(d, map[string]func() error{
		"id":     func() (err error) { i.ID, err = d.String(); return err },
		"cap":    func() (err error) { i.Cap, err = readUint32(d); return err },
		"skills": func() (err error) { i.Skills, err = readStrings(d); return err },
	})
	return i, err
}

func readPair(d *strictjson.Decoder) (Pair, error) {
	ids, err := readStrings(d)
	if err != nil {
		return Pair{}, err
	}
	if len(ids) != 2 {
		return Pair{}, d.Errorf("a pair is [inspector, object]")
	}
	return Pair{Inspector: ids[0], Object: ids[1]}, nil
}

func readShare(d *strictjson.Decoder) (Share, error) {
	var s Share
	err := readMembers(d, map[string]func() error{
		"org":        func() (err error) { s.Org, err = d.String(); return err },
		"commitment": func() (err error) { s.Commitment, err = readDigest(d); return err },
		"secret":     func() (err error) { s.Secret, err = readOptionalDigest(d); return err },
	})
	return s, err
}

func readBeacon(d *strictjson.Decoder) (Beacon, error) {
	var b Beacon
	err := readMembers(d, map[string]func() error{
		"chain":     func() (err error) { b.Chain, err = readChain(d); return err },
		"round":     func() (err error) { b.Round, err = readCount(d); return err },
		"signature": func() (err error) { b.Signature, err = readHex(d, signatureSize); return err },
	})
	return b, err
}

func readChain(d *strictjson.Decoder) (Chain, error) {
	var c Chain
	err := readMembers(d, map[string]func() error{
		"scheme":    func() (err error) { c.Scheme, err = d.String(); return err },
		"publicKey": func() (err error) { c.PublicKey, err = readHex(d, publicKeySize); return err },
		"period":    func() (err error) { c.Period, err = readUint32(d); return err },
		"genesisTime": func() (err error) {
			c.GenesisTime, err = d.Integer(-maxInteger, maxInteger)
			return err
		},
		"genesisSeed": func() error {
			text, err := d.String()
			if err != nil {
				return err
			}
			c.GenesisSeed, err = parseHex(text, len(text)/2)
			return err
		},
		"beaconId": func() (err error) { c.BeaconID, err = d.String(); return err },
	})
	return c, err
}
