package verdict

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Most of a report are sentences that are the same in thousands of them a
// second, and reflection took a fifth of the time to answer a digest. So the
// tables are encoded once, and the rest is put around them by hand.
var (
	encodedAnswers    = encodeAnswers()
	encodedStatements = encodeStatements()
)

func encodeAnswers() map[Answer][]byte {
	table := make(map[Answer][]byte, len(answers))
	for _, answer := range answers {
		table[answer] = encode(answer)
	}
	return table
}

func encodeStatements() map[Statement][]byte {
	table := make(map[Statement][]byte, len(statementTexts))
	for code := range statementTexts {
		table[statement(code)] = encode(statement(code))
	}
	return table
}

// encode is how the API encodes everything: characters of HTML stay as they are.
func encode(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // texts and numbers always have a form
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// AppendReport appends the JSON of a report, the same that encoding/json makes.
func AppendReport(b []byte, r Report) []byte {
	b = appendMember(append(b, '{'), "day", string(r.Day))
	b = append(b, `,"digests":`...)
	b = appendList(b, r.Digests, func(b []byte, d metrology.Digest) []byte {
		b = appendMember(append(b, '{'), "algorithm", d.Algorithm)
		return append(appendMember(append(b, ','), "value", d.Value), '}')
	})
	b = append(b, `,"findings":`...)
	b = appendList(b, r.Findings, appendFinding)
	b = append(b, `,"ledger":{"height":`...)
	b = strconv.AppendUint(b, r.Ledger.Height, 10)
	b = appendMember(append(b, ','), "lastTime", r.Ledger.LastTime)
	if r.Ledger.Notice != "" {
		b = appendMember(append(b, ','), "notice", r.Ledger.Notice)
	}
	return append(b, '}', '}')
}

func appendFinding(b []byte, f Finding) []byte {
	b = append(b, '{')
	if c := f.Certificate; c != nil {
		b = appendMember(append(b, `"certificate":{`...), "id", c.ID)
		b = appendMember(append(b, ','), "issuer", c.Issuer)
		b = appendMember(append(b, ','), "number", c.Number)
		b = appendMember(append(b, ','), "kind", string(c.Kind))
		b = strconv.AppendUint(append(b, `,"block":`...), c.Block, 10)
		b = appendMember(append(b, ','), "transactionId", c.TransactionID)
		b = appendMember(append(b, ','), "time", c.Time)
		b = append(b, '}', ',')
	}
	b = append(b, `"verdict":{"integrity":`...)
	b = appendKnown(b, encodedAnswers, f.Verdict.Integrity)
	b = appendKnown(append(b, `,"status":`...), encodedAnswers, f.Verdict.Status)
	b = appendKnown(append(b, `,"issuer":`...), encodedAnswers, f.Verdict.Issuer)
	b = appendKnown(append(b, `,"match":`...), encodedAnswers, f.Verdict.Match)
	b = appendList(append(b, `,"notProven":`...), f.Verdict.NotProven, func(b []byte, s Statement) []byte {
		return appendKnown(b, encodedStatements, s)
	})
	return append(b, '}', '}')
}

// appendKnown appends what stands in a table, or encodes what does not.
func appendKnown[K comparable](b []byte, table map[K][]byte, value K) []byte {
	if known, ok := table[value]; ok {
		return append(b, known...)
	}
	return append(b, encode(value)...)
}

func appendList[T any](b []byte, list []T, appendOne func([]byte, T) []byte) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, one := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOne(b, one)
	}
	return append(b, ']')
}

// appendMember appends the name and the text of a member.
func appendMember(b []byte, name, text string) []byte {
	b = append(append(append(b, '"'), name...), '"', ':')
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, encode(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
