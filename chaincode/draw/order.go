package draw

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// assignmentOrder sorts the selected objects by H(sA ‖ 0x00 ‖ object).
func assignmentOrder(sA Digest, objects []string) []string {
	type keyed struct {
		hash Digest
		id   string
	}
	list := make([]keyed, len(objects))
	for i, id := range objects {
		b := append(append(sA[:len(sA):len(sA)], 0), id...)
		list[i] = keyed{sha256.Sum256(b), id}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), strings.Compare(a.id, b.id))
	})
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].id
	}
	return out
}

// lot is H(sA ‖ 0x01 ‖ LP(object) ‖ LP(inspector)), which decides between
// inspectors of equal load.
func lot(sA Digest, object, inspector string) Digest {
	var b [sha256.Size + 1 + 2*(4+maxName)]byte
	n := copy(b[:], sA[:])
	b[n] = 1
	n++
	binary.BigEndian.PutUint32(b[n:], uint32(len(object)))
	n += 4 + copy(b[n+4:], object)
	binary.BigEndian.PutUint32(b[n:], uint32(len(inspector)))
	n += 4 + copy(b[n+4:], inspector)
	return sha256.Sum256(b[:n])
}
