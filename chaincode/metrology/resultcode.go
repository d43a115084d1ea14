package metrology

// ResultCode is the finding on one matter of an inspection: our own stable
// code, mapped to the codes and words of the platforms by ResultCodes.
type ResultCode string

// The result codes.
const (
	ResultNoneFound         ResultCode = "none-found"
	ResultNotDisclosed      ResultCode = "not-disclosed"
	ResultFalseDisclosure   ResultCode = "false-disclosure"
	ResultUnreachable       ResultCode = "unreachable"
	ResultCorrected         ResultCode = "corrected-on-order"
	ResultUncooperative     ResultCode = "uncooperative"
	ResultNoActivity        ResultCode = "no-such-activity"
	ResultPending           ResultCode = "pending"
	ResultClosedDown        ResultCode = "closed-down"
	ResultQualityBreach     ResultCode = "quality-breach"
	ResultBusinessBreach    ResultCode = "business-breach"
	ResultFoodDrugBreach    ResultCode = "food-drug-breach"
	ResultSecurityBreach    ResultCode = "security-breach"
	ResultOtherBreach       ResultCode = "other-breach"
	ResultDeregistered      ResultCode = "deregistered"
	ResultLicenceRevoked    ResultCode = "licence-revoked"
	ResultRegistrationAnnul ResultCode = "registration-annulled"
	ResultMovedAway         ResultCode = "moved-away"
)

// ResultMeaning maps a result code to what the platforms call it.
type ResultMeaning struct {
	Code     ResultCode
	Platform string // code in the table of a deployed provincial system
	Text     string // official wording
	Common   bool   // one of the eight in common use
	Brands   bool   // speaks against the merchant
}

// ResultCodes lists all result codes (domain.md 1.4, tables a and b).
var ResultCodes = []ResultMeaning{
	{ResultNoneFound, "1", "未发现问题", true, false},
	{ResultNotDisclosed, "B", "未按规定公示应当公示的信息", true, true},
	{ResultFalseDisclosure, "C", "公示信息隐瞒真实情况、弄虚作假", true, true},
	{ResultUnreachable, "6", "通过登记的住所（经营场所）无法联系", true, true},
	{ResultCorrected, "E", "发现问题已责令改正", true, true},
	{ResultUncooperative, "8", "不配合检查情节严重", true, true},
	{ResultNoActivity, "F", "未发现开展本次抽查涉及的经营活动", true, false},
	{ResultPending, "A", "发现问题待后续处理", true, true},
	{ResultClosedDown, "7", "已关闭停业或正在组织清算", false, false},
	{ResultQualityBreach, "4", "违反质量技术监督相关规定", false, true},
	{ResultBusinessBreach, "D", "违反其他工商行政管理规定", false, true},
	{ResultFoodDrugBreach, "3", "违反食品药品管理规定", false, true},
	{ResultSecurityBreach, "G", "违反公安部门规定", false, true},
	{ResultOtherBreach, "5", "违反其他部门规定", false, true},
	{ResultDeregistered, "9", "注销", false, false},
	{ResultLicenceRevoked, "10", "被吊销", false, true},
	{ResultRegistrationAnnul, "11", "被撤销", false, true},
	{ResultMovedAway, "12", "迁出", false, false},
}

// Meaning looks a result code up. known is false for a code not in the list.
func (c ResultCode) Meaning() (meaning ResultMeaning, known bool) {
	for _, m := range ResultCodes {
		if m.Code == c {
			return m, true
		}
	}
	return ResultMeaning{}, false
}
