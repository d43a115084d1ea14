// Package dayfile makes the file that an institute's own system exports at the
// end of a day: certificates under Chinese headers, in the forms such exports
// have. All of it is synthetic, and the same options give the same rows.
package dayfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/emmansun/gmsm/sm3"
)

// Options say which file to make.
type Options struct {
	Rows   int
	Bad    int       // of these, spread evenly
	Day    time.Time // of the work
	Prefix string    // of the certificate numbers
	Seed   uint64
}

// headers of the export, in order. 型号规格 and 检定地点 are columns that the
// ledger has no use for.
var headers = []string{
	"证书编号", "证书类型", "器具名称", "型号规格", "出厂编号", "强检目录编号", "检定规程", "检定日期", "签发日期", "有效期至", "结论", "检定地点", "文件SHA256", "文件SM3",
}

// Positions in headers.
const (
	columnNumber = iota
	columnKind
	columnName
	columnModel
	columnSerial
	columnCategory
	columnRegulation
	columnPerformed
	columnIssued
	columnValidUntil
	columnConclusion
	columnPlace
	columnSHA256
	columnSM3
)

// item is a kind of instrument an institute verifies by the dozen.
type item struct {
	name, category, regulation string
	models                     []string
	months                     int
}

var items = []item{
	{"燃油加油机", "fuel-dispenser", "JJG 443-2023", []string{"SY-80", "SY-110D", "SY-45L"}, 6},
	{"电子计价秤", "non-automatic-scale", "JJG 539-2016", []string{"SY-15", "SY-30", "ACS-30"}, 12},
	{"电子台秤", "non-automatic-scale", "JJG 539-2016", []string{"TCS-150", "TCS-300"}, 12},
}

// BadRow tells what is wrong with a row on purpose.
type BadRow struct {
	Row   int    // from 0
	Field string // member of the leaf at fault
	Code  string // of the rule
}

// Rows makes the rows and says which are bad, and why.
func Rows(o Options) (rows [][]string, bad []BadRow) {
	random := rand.New(rand.NewPCG(o.Seed, 1))
	for i := range o.Rows {
		rows = append(rows, goodRow(o, i, random))
	}
	for k := range min(o.Bad, o.Rows) {
		i := k * o.Rows / o.Bad
		bad = append(bad, spoil(rows, i, k))
	}
	return rows, bad
}

func goodRow(o Options, i int, random *rand.Rand) []string {
	what := items[random.IntN(len(items))]
	number := fmt.Sprintf("%s%s%05d", o.Prefix, o.Day.Format("20060102"), i+1)
	file := fmt.Appendf(nil, "synthetic certificate %s of %d", number, o.Seed)
	sha, national := sha256.Sum256(file), sm3.Sum(file)
	row := make([]string, len(headers))
	row[columnNumber], row[columnKind] = number, "检定证书"
	row[columnName], row[columnModel] = what.name, what.models[random.IntN(len(what.models))]
	row[columnSerial] = fmt.Sprintf("%02d%06d", 18+random.IntN(8), random.IntN(1_000_000))
	row[columnCategory], row[columnRegulation] = what.category, what.regulation
	row[columnPerformed], row[columnIssued] = chinese(o.Day), o.Day.Format("2006-01-02")
	row[columnValidUntil] = o.Day.AddDate(0, what.months, -1).Format("2006/1/2")
	row[columnConclusion], row[columnPlace] = "合格", "现场"
	row[columnSHA256], row[columnSM3] = hex.EncodeToString(sha[:]), hex.EncodeToString(national[:])
	if i%25 == 7 { // every so often an instrument fails
		row[columnKind], row[columnConclusion], row[columnValidUntil] = "检定结果通知书", "不合格", ""
	}
	return row
}

func chinese(day time.Time) string {
	return fmt.Sprintf("%d年%d月%d日", day.Year(), day.Month(), day.Day())
}

// spoil makes row i bad in the k-th of the ways that exports go wrong.
func spoil(rows [][]string, i, k int) BadRow {
	row := rows[i]
	row[columnKind], row[columnConclusion] = "检定证书", "合格"
	if row[columnValidUntil] == "" {
		row[columnValidUntil] = "2099/12/31"
	}
	const invalid = "INVALID"
	switch k % 7 {
	case 0:
		row[columnPerformed] = "2026年2月30日"
		return BadRow{i, "performed", invalid}
	case 1:
		row[columnValidUntil] = "2001/1/1"
		return BadRow{i, "validUntil", invalid}
	case 2:
		row[columnSHA256] = row[columnSHA256][:63]
		return BadRow{i, "digests[0].value", invalid}
	case 3:
		row[columnConclusion] = "基本合格"
		return BadRow{i, "instruments[0].conclusion", invalid}
	case 4:
		row[columnSerial] = ""
		return BadRow{i, "instruments[0].serial", invalid}
	case 5:
		row[columnCategory] = "taximeter"
		return BadRow{i, "instruments[0].category", "SCOPE"}
	}
	row[columnNumber] = ""
	return BadRow{i, "number", invalid}
}
