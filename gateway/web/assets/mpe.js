// Computes the signed error of a measurement and its verdict from the rule
// tables, as the contract does (metrology.Measurement.Evaluate), in whole
// numbers. In Node it exports evaluate.
(function (root) {
  'use strict';

  const decimal = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

  // A number is a fraction of two BigInts, the denominator above 0.
  function parse(text) {
    text = String(text ?? '').trim();
    if (!decimal.test(text) || text.length > 40) return null;
    const [whole, fraction = ''] = text.split('.');
    return { n: BigInt(whole + fraction) * (text.startsWith('-') && BigInt(whole + fraction) > 0n ? -1n : 1n), d: 10n ** BigInt(fraction.length) };
  }
  const minus = (a, b) => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
  const times = (a, b) => ({ n: a.n * b.n, d: a.d * b.d });
  const over = (a, b) => (b.n < 0n ? { n: -a.n * b.d, d: a.d * -b.n } : { n: a.n * b.d, d: a.d * b.n });
  const compare = (a, b) => { const x = a.n * b.d, y = b.n * a.d; return x < y ? -1 : x > y ? 1 : 0; };
  const absolute = (a) => (a.n < 0n ? { n: -a.n, d: a.d } : a);

  // show writes a fraction whose denominator is a power of ten.
  function show(a, places) {
    const digits = (absolute(a).n * 10n ** BigInt(places) / a.d).toString().padStart(places + 1, '0');
    const text = places ? digits.slice(0, -places) + '.' + digits.slice(-places) : digits;
    return (a.n < 0n && /[1-9]/.test(text) ? '-' : '') + text;
  }
  const placesOf = (text) => (String(text).trim().split('.')[1] || '').length;

  function inUnit(m, value, row, units) {
    if (row.unit === 'e') return m.interval && m.interval.n !== 0n ? over(value, m.interval) : null;
    const from = units[m.unit], to = units[row.unit];
    if (!from || !to || from.dimension !== to.dimension) return null;
    return times(value, over(parse(from.factor), parse(to.factor)));
  }

  // find gives the row that answers for an indication, or why there is none.
  function find(m, table, units) {
    let reason = 'no-row';
    for (const row of table) {
      if (row.category !== m.category || row.class && row.class !== m.class || row.occasion && row.occasion !== m.occasion) continue;
      const indication = inUnit(m, m.indication, row, units);
      if (!indication) {
        if (row.limit === 'interval' && !m.interval) reason = 'interval-missing';
        continue;
      }
      const size = absolute(indication);
      if ((!row.over || compare(size, parse(row.over)) > 0) && (!row.upTo || compare(size, parse(row.upTo)) <= 0)) return { row };
    }
    return { reason };
  }

  // evaluate takes texts as they are typed. limits are there as soon as the
  // indication is; error and verdict need the reference too.
  function evaluate(typed, tables) {
    const m = { ...typed, indication: parse(typed.indication), reference: parse(typed.reference), interval: typed.interval ? parse(typed.interval) : null };
    if (!m.indication) return {};
    const rule = tables.rules.find((r) => r.id === typed.rule && String(r.version) === String(typed.version));
    const found = rule ? find(m, rule.body.mpe.rows, tables.units) : { reason: typed.rule ? 'rule-unknown' : 'no-rule-named' };
    const out = found.row ? { lower: found.row.lower || '', upper: found.row.upper || '', limit: found.row.limit, unit: found.row.unit } : {};
    if (!m.reference) return out;
    const difference = minus(m.indication, m.reference);
    out.error = show(difference, Math.max(placesOf(typed.indication), placesOf(typed.reference)));
    if (!found.row) return { ...out, verdict: 'none', reason: found.reason };
    let deviation;
    if (found.row.limit === 'percent') {
      if (m.reference.n === 0n) return { error: out.error, verdict: 'none', reason: 'reference-zero' };
      deviation = times(over(difference, m.reference), { n: 100n, d: 1n });
    } else {
      deviation = inUnit(m, difference, found.row, tables.units);
    }
    const below = out.lower && compare(deviation, parse(out.lower)) < 0;
    const above = out.upper && compare(deviation, parse(out.upper)) > 0;
    out.verdict = below || above ? 'fail' : 'pass';
    return out;
  }

  if (typeof module === 'object' && module.exports) module.exports = { evaluate };
  else root.steelyard = Object.assign(root.steelyard || {}, { evaluateMeasurement: evaluate });
})(typeof globalThis === 'object' ? globalThis : this);
