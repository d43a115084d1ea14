package verdict

// answers and statementTexts are the tables, made once.
var (
	answers        = answerTable()
	statementTexts = statementTable()
)

// answerTable gives tone and words of every outcome.
func answerTable() map[Outcome]Answer {
	rows := []struct {
		outcome Outcome
		tone    Tone
		zh, en  string
	}{
		{CouldNotCheck, Unknown, "未能核验", "could not be checked"},
		{NotApplicable, Neutral, "不适用：没有对应的登记", "does not apply: nothing is registered"},

		{Registered, Good, "此文件已登记，内容逐字节一致", "this file is registered, byte for byte"},
		{RegisteredContent, Good, "此证书内容已登记；文件中的签名或注释与登记时不同", "the content of this certificate is registered; signatures or comments in the file differ"},
		{NotRegistered, Caution, "此文件未登记", "this file is not registered"},
		{FileNotShown, Neutral, "仅按编号查询，未核验文件", "looked up by number; no file was checked"},

		{Valid, Good, "在有效期内", "valid today"},
		{NoTerm, Good, "未载明有效期截止日", "in force; it states no last day"},
		{Expired, Bad, "已过有效期", "expired"},
		{Revoked, Bad, "已被撤销", "revoked"},
		{Superseded, Bad, "已被新证书替换", "superseded by another certificate"},
		{Failed, Bad, "这是检定结果通知书：检定不合格", "this is a notice of result: the instrument failed verification"},
		{FailedLater, Bad, "此后该器具检定不合格", "the instrument failed a later verification"},
		{CalibrationOnly, Neutral, "这是校准证书，只给出数据，不作合格判定，也没有有效期", "this is a calibration certificate: data without a verdict and without a term"},
		{DutyNotMet, Bad, "该器具属于强制检定，校准证书不能代替检定", "the instrument is under compulsory verification, which a calibration cannot replace"},
		{CycleOver, Bad, "未载明有效期截止日，器具的检定周期已过", "it states no last day, and the instrument's verification cycle is over"},
		{RepairedSince, Bad, "该器具此后经过修理，应当重新检定后使用", "the instrument was repaired since and must be verified again before use"},
		{InstrumentFrozen, Caution, "该器具已被封存或处于计量纠纷处理中", "the instrument is sealed or in dispute"},
		{InstrumentRetired, Caution, "该器具已登记停用", "the instrument is registered as out of use"},

		{Authorized, Good, "出具机构在检定或校准当日有相应授权", "the issuer had authority for this on the day of the work"},
		{AuthorityEnded, Neutral, "出具机构当日有相应授权，此后已终止或暂停", "the issuer had authority on the day of the work; it has ended or been suspended since"},
		{NotAuthorized, Bad, "出具机构当日没有相应授权", "the issuer had no authority for this on the day of the work"},
		{KeyCompromised, Bad, "签署此证书的密钥已报告泄露", "the key that signed this certificate was reported stolen"},
		{IssuerUnknown, Bad, "出具机构未登记", "the issuer is not registered"},
		{IssuerNotChecked, Neutral, "出具机构的密钥签署了该批证书；授权情况未查询", "the issuer's key signed the batch; its authority was not looked up"},

		{MatchUnknown, Neutral, "未知：请输入铭牌上的出厂编号", "unknown until you give the serial number on the nameplate"},
		{Match, Good, "出厂编号与证书一致", "the serial number agrees with the certificate"},
		{Mismatch, Bad, "出厂编号与证书不一致：证书不是这台器具的", "the serial number differs: the certificate is of another instrument"},
		{NoSerial, Unknown, "证书没有记载出厂编号，无法比对", "the certificate names no serial number to compare"},
	}
	table := make(map[Outcome]Answer, len(rows))
	for _, row := range rows {
		table[row.outcome] = Answer{Outcome: row.outcome, Tone: row.tone, Text: Text{ZH: row.zh, EN: row.en}}
	}
	return table
}

// statementTable gives the words of every statement.
func statementTable() map[string]Text {
	return map[string]Text{
		"nothing-checked": {
			"未能取得登记信息。这既不说明文件为真，也不说明文件为假。",
			"The register could not be asked. This says neither that the file is good nor that it is bad."},
		"not-registered-is-not-forged": {
			"未登记不等于伪造：出具机构可能没有使用本平台，或者文件被重新保存、打印、扫描过。请向出具机构核实。",
			"Not registered does not mean forged: the issuer may not use this service, or the file was saved again, printed or scanned. Ask the issuer."},
		"not-today": {
			"离线证据只证明该证书曾在所示区块登记，不说明今天的状态；此后可能已被撤销或替换。",
			"Offline evidence proves only that the certificate was anchored as of the block shown. It may have been revoked or superseded since."},
		"file-not-compared": {
			"只查询了编号。任何人都可以在假文件上写真编号，请核验文件本身。",
			"Only the number was looked up. Anybody can print a true number on a false file: check the file itself."},
		"signature-not-checked": {
			"只比对了证书内容；文件内的电子签名没有核验。",
			"Only the content was compared; the electronic signature inside the file was not checked."},
		"instrument-not-compared": {
			"没有证明您面前的器具就是证书所指的器具。",
			"Nothing shows that the instrument before you is the one the certificate is about."},
		"serial-can-be-copied": {
			"铭牌可以被仿制。出厂编号一致不能排除调换。",
			"Nameplates can be copied. An agreeing serial number does not rule out an exchange."},
		"calibration-is-no-verification": {
			"校准证书不能代替强制检定。",
			"A calibration certificate never replaces compulsory verification."},
		"own-standards": {
			"出具机构凭经考核的自用计量标准出具，不能用于强制检定。",
			"The issuer worked on standards assessed for its own use, which never answers compulsory verification."},
		"accurate-only-then": {
			"检定只说明检定当日合格；此后器具可能失准或被改动。",
			"Verification shows conformity on its day; the instrument may have drifted or been altered since."},
		"time-is-claimed": {
			"登记时间由提交者声明，区块本身不带时间。",
			"The time of registration is the submitter's claim; blocks carry none."},
		"one-operator": {
			"数据来自单机网络，由一个运营者持有全部密钥，不是多方共同维护的区块链。",
			"The facts come from an embedded network whose one operator holds all keys; it is no blockchain of independent parties."},
	}
}

// AnswerOf is the answer that an outcome makes, with its tone and words. One
// that this program does not know, from a newer service, counts as unknown.
func AnswerOf(outcome Outcome) Answer {
	if known, found := answers[outcome]; found {
		return known
	}
	return Answer{Outcome: outcome, Tone: Unknown, Text: Text{ZH: string(outcome), EN: string(outcome)}}
}

// Statements are all that a verdict may say it does not prove, by code.
func Statements() map[string]Text { return statementTable() }

func answer(outcome Outcome) Answer { return answers[outcome] }

func statement(code string) Statement { return Statement{Code: code, Text: statementTexts[code]} }
