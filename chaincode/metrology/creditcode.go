package metrology

import "strings"

// creditCodeAlphabet is that of GB 32100-2015: no I, O, S, V, Z.
const creditCodeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// creditCodeLength is fixed by GB 32100-2015.
const creditCodeLength = 18

// CheckCreditCode refuses what is not 18 characters of the alphabet, and the
// codes of sole traders (92…), which point to a person. The check digit is
// judged apart, since codes were issued that fail it.
func CheckCreditCode(field, code string) error {
	if len(code) != creditCodeLength {
		return FieldErrorf(CodeInvalid, field, "is not %d characters long (GB 32100-2015)", creditCodeLength)
	}
	for i := 0; i < len(code); i++ {
		if strings.IndexByte(creditCodeAlphabet, code[i]) < 0 {
			return FieldErrorf(CodeInvalid, field, "holds %q, which GB 32100-2015 does not allow", string(rune(code[i])))
		}
	}
	if strings.HasPrefix(code, "92") {
		return FieldErrorf(CodeInvalid, field, "is a sole trader's code: it points to a person and stays off the ledger")
	}
	return nil
}

// CreditCodeCheckDigit computes the 18th character of a code from the first
// 17: weights 3^i mod 31, complement to 31, and a remainder of 0 gives "0".
// code must have passed CheckCreditCode.
func CreditCodeCheckDigit(code string) byte {
	sum, weight := 0, 1
	for i := range creditCodeLength - 1 {
		sum += strings.IndexByte(creditCodeAlphabet, code[i]) * weight
		weight = weight * 3 % 31
	}
	return creditCodeAlphabet[(31-sum%31)%31]
}
