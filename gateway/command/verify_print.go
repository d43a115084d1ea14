package command

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// words are the labels of the printed answer.
type words struct {
	questions                                        [4]string
	tones                                            map[verdict.Tone]string
	unchecked, itself, serials, anchored, notProven  string
	holds, holdsNot, readers, noReaders, data, today string
	content                                          string
}

func wordsIn(language string) words {
	if language == "zh" {
		return words{
			questions: [4]string{"文件", "状态", "机构", "器具"},
			tones:     map[verdict.Tone]string{verdict.Good: "✓", verdict.Neutral: "·", verdict.Caution: "!", verdict.Bad: "✗", verdict.Unknown: "?"},
			unchecked: "未能核验：%s", itself: "文件自称：证书编号 %s，校准日期 %s", serials: "文件自称的出厂编号：%s",
			anchored: "证书 %s（%s），机构 %s，登记于区块 %d，交易 %s，提交者声明的时间 %s", notProven: "没有证明的：",
			holds: "证据成立：通道 %s 第 %d 个区块，交易 %s，背书 %s，排序签名 %s", holdsNot: "证据不成立：%s",
			readers:   "另有 %s 的节点签名确认该交易有效",
			noReaders: "证据未附带节点对交易有效性的确认；排序签名本身不证明交易有效",
			data:      "登记数据：高度 %d，最新交易时间（声明）%s", today: "状态日期：%s（北京时间）", content: "XML 内容未能核验：%s",
		}
	}
	return words{
		questions: [4]string{"file", "status", "issuer", "match"},
		tones:     map[verdict.Tone]string{verdict.Good: "good", verdict.Neutral: "-", verdict.Caution: "caution", verdict.Bad: "BAD", verdict.Unknown: "unknown"},
		unchecked: "could not check: %s", itself: "the file says of itself: certificate %s, performed %s", serials: "serial numbers in the file: %s",
		anchored: "certificate %s (%s) of %s, anchored in block %d, transaction %s, at a time claimed as %s", notProven: "not proven:",
		holds: "the evidence holds: channel %s, block %d, transaction %s, endorsed by %s, orderers' signatures of %s", holdsNot: "%s",
		readers:   "peers of %s also signed that the transaction was valid",
		noReaders: "no peer's word that the transaction was valid is attached; orderers' signatures alone do not show it",
		data:      "register at height %d, newest transaction claimed at %s", today: "status as of %s in Asia/Shanghai", content: "the XML content could not be checked: %s",
	}
}

// print writes one answer, as JSON or in words.
func (v *verification) print(answer fileAnswer) error {
	if v.json {
		encoder := json.NewEncoder(v.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(answer)
	}
	w := wordsIn(v.language)
	lines := []string{answer.File}
	add := func(format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }
	if answer.DCC != nil {
		add(w.itself, answer.DCC.UniqueIdentifier, answer.DCC.EndPerformance)
		if serials := answer.DCC.Serials(); len(serials) > 0 {
			add(w.serials, strings.Join(serials, ", "))
		}
	}
	if answer.Content != "" {
		add(w.content, answer.Content)
	}
	if answer.Proof != nil {
		v.printProof(w, *answer.Proof, add)
	}
	if answer.Error != "" {
		add(w.unchecked, answer.Error)
	}
	if answer.Report != nil {
		v.printReport(w, *answer.Report, add)
	}
	_, err := fmt.Fprintln(v.out, strings.Map(printable, strings.Join(lines, "\n")))
	return err
}

func (v *verification) printProof(w words, proof proofAnswer, add func(string, ...any)) {
	if !proof.Holds {
		add(w.holdsNot, proof.Why)
		return
	}
	add(w.holds, proof.Channel, proof.Block, proof.TransactionID, strings.Join(proof.Endorsers, ", "), strings.Join(proof.Orderers, ", "))
	if len(proof.Readers) > 0 {
		add(w.readers, strings.Join(proof.Readers, ", "))
	} else {
		add("%s", w.noReaders)
	}
	leaf := proof.Leaf
	add(w.anchored, leaf.Number, leaf.Kind, leaf.Issuer, proof.Block, proof.TransactionID, proof.Claimed)
}

func (v *verification) printReport(w words, report verdict.Report, add func(string, ...any)) {
	for _, finding := range report.Findings {
		if c := finding.Certificate; c != nil {
			add(w.anchored, c.Number, c.Kind, c.Issuer, c.Block, c.TransactionID, c.Time)
		}
		for i, answer := range finding.Verdict.Answers() {
			add("%-8s %-8s %s", w.questions[i], w.tones[answer.Tone], v.text(answer.Text))
		}
		if len(finding.Verdict.NotProven) > 0 {
			add("%s", w.notProven)
			for _, statement := range finding.Verdict.NotProven {
				add("  - %s", v.text(statement.Text))
			}
		}
	}
	if report.Day != "" {
		add(w.today, report.Day)
		add(w.data, report.Ledger.Height, report.Ledger.LastTime)
	}
	if report.Ledger.Notice != "" {
		add("%s", report.Ledger.Notice)
	}
}

func (v *verification) text(text verdict.Text) string {
	if v.language == "zh" {
		return text.ZH
	}
	return text.EN
}

// printable keeps what a file or a server says from steering the terminal.
func printable(c rune) rune {
	if c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
		return '\ufffd'
	}
	return c
}
