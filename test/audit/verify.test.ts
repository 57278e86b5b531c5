import { expect } from 'chai'
import { auditRow, chained, NO_ENTRIES, type AuditHead, type AuditRow } from '../../src/audit/entry.ts'
import { createChainCheck, type FoundRow } from '../../src/audit/verify.ts'
import { DEFAULT, NOON } from '../support/store/samples.ts'

const row = (index: number): AuditRow =>
  auditRow({
    tenant: DEFAULT,
    at: NOON + index,
    actor: 'anna',
    via: 'http',
    action: 'alert.ack',
    subject: `a-${index}`,
    detail: { step: index },
  })

/** A log of `count` entries as it is written. */
function written(count: number): { readonly rows: FoundRow[]; readonly head: AuditHead } {
  const rows: FoundRow[] = []
  let head = NO_ENTRIES
  for (let index = 1; index <= count; index++) {
    head = chained(head, row(index))
    rows.push({ ...head, row: row(index) })
  }
  return { rows, head }
}

function verdictOn(rows: readonly FoundRow[], head: AuditHead, known?: AuditHead) {
  const check = createChainCheck(known)
  // Portion by portion, as a log that does not fit into memory is read.
  for (let at = 0; at < rows.length; at += 2) check.add(rows.slice(at, at + 2))
  return check.verdict(head)
}

describe('the chain of the audit log (security row 30)', () => {
  const { rows, head } = written(5)

  it('holds as it was written, and without any entry', () => {
    expect(verdictOn(rows, head)).to.deep.equal({ ok: true, entries: 5, head })
    expect(verdictOn([], NO_ENTRIES)).to.deep.equal({ ok: true, entries: 0, head: NO_ENTRIES })
  })

  for (const column of [0, 1, 2, 3, 4, 5, 6]) {
    it(`breaks at the entry whose column ${column} was changed`, () => {
      const forged = rows.map((found) => {
        const value = found.row[column]
        const other = typeof value === 'number' ? value + 1 : `${value}x`
        // The same row with one cell of the same type in place of another.
        const changed = found.row.with(column, other) as unknown as AuditRow
        return found.seq === 3 ? { ...found, row: changed } : found
      })
      expect(verdictOn(forged, head)).to.include({ ok: false, at: 3 })
    })
  }

  it('breaks at the entry whose hash was changed, also when the row was changed to fit', () => {
    const changed = auditRow({
      tenant: DEFAULT,
      at: NOON,
      actor: 'bob',
      via: 'http',
      action: 'x',
      subject: null,
      detail: {},
    })
    const before = rows[1] ?? NO_ENTRIES
    const forged = { ...chained(before, changed), row: changed }
    expect(verdictOn(rows.with(2, forged), head)).to.include({ ok: false, at: 4 })
  })

  it('breaks where an entry is missing: at the beginning, in the middle, at the end', () => {
    for (const at of [1, 3, 5])
      expect(
        verdictOn(
          rows.filter(({ seq }) => seq !== at),
          head,
        ),
      ).to.include({ ok: false, at })
  })

  it('breaks where two entries changed places', () => {
    const [, second, third] = rows
    if (!second || !third) throw new Error('too short')
    const swapped = rows.with(1, { ...second, row: third.row }).with(2, { ...third, row: second.row })
    expect(verdictOn(swapped, head)).to.include({ ok: false, at: 2 })
    expect(verdictOn(rows.with(1, third).with(2, second), head)).to.include({ ok: false, at: 2 })
  })

  it('breaks against a head that was written down, even when all of it was computed anew', () => {
    const known = rows[3]
    expect(verdictOn(rows, head, known)).to.include({ ok: true })
    const shorter = written(3)
    expect(verdictOn(shorter.rows, shorter.head, known)).to.include({ ok: false, at: 4 })
    const anew: FoundRow[] = []
    let end = NO_ENTRIES
    for (const index of [1, 2, 4, 5]) {
      end = chained(end, row(index))
      anew.push({ ...end, row: row(index) })
    }
    expect(verdictOn(anew, end)).to.include({ ok: true })
    expect(verdictOn(anew, end, known)).to.include({ ok: false, at: 4 })
  })
})
