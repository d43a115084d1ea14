package metrology

import "strings"

// checkNewID refuses an identifier that is malformed or that identifies a
// person. Whatever names a new record stands in blocks for good.
func checkNewID(field, id string) error {
	if err := CheckID(field, id); err != nil {
		return err
	}
	return CheckImpersonal(field, id)
}

// CheckImpersonal refuses text that holds a mobile telephone number, a resident
// identity number or a sole trader's social credit code. It is a net for
// mistakes, such as a register whose own key is the telephone number, and no
// proof that text is free of personal data.
func CheckImpersonal(field, text string) error {
	inRun := func(c rune) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' }
	for _, run := range strings.FieldsFunc(foldPlate(text), func(c rune) bool { return !inRun(c) }) {
		what := ""
		switch {
		case isMobileNumber(run):
			what = "a telephone number"
		case isResidentNumber(run):
			what = "a resident identity number"
		case isSoleTraderCode(run):
			what = "a sole trader's social credit code"
		}
		if what != "" {
			return FieldErrorf(CodeInvalid, field, "holds what looks like %s: that points to a person and stays off the ledger", what)
		}
	}
	return nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isMobileNumber knows the numbers of the mainland: eleven digits from 13 to 19.
func isMobileNumber(s string) bool {
	return len(s) == 11 && isDigits(s) && s[0] == '1' && s[1] >= '3'
}

// isResidentNumber checks length, date of birth and check character (GB
// 11643-1999: weights 2^(17-i) mod 11).
func isResidentNumber(s string) bool {
	const checks = "10X98765432"
	if len(s) != 18 || !isDigits(s[:17]) || !Date(s[6:10]+"-"+s[10:12]+"-"+s[12:14]).Valid() {
		return false
	}
	sum, weight := 0, 1
	for i := 16; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(s[i]-'0') * weight
	}
	return checks[sum%11] == s[17]
}

// isSoleTraderCode goes by form alone, since codes were issued that fail the
// check digit.
func isSoleTraderCode(s string) bool {
	return len(s) == creditCodeLength && strings.HasPrefix(s, "92") && isDigits(s[2:8]) && strings.Trim(s, creditCodeAlphabet) == ""
}
