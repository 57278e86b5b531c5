import { expect } from 'chai'
import { join } from 'node:path'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import { BROADCAST_COUNT, CUSTOMER_COUNT, inboxSql } from '../../src/store/sqlite/table/notification.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

/** What tells that a page costs a page, however many entries the store has (workload W7 measures it). */
describe('The plans of inbox pages and summaries', () => {
  let opened: TemporaryStore
  before(async () => {
    opened = await temporaryStore()
  })
  after(() => opened.end())

  const planOf = (sql: string): readonly string[] => {
    const db = openSqlite({ file: join(opened.path, 'carillon.db'), readOnly: true })
    try {
      return db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(([, , , line]) => String(line))
    } finally {
      db.close()
    }
  }

  const INDEX = {
    all: 'notification_inbox (tenant=? AND user_id=? AND state=? AND rowid',
    category: 'notification_category (tenant=? AND user_id=? AND category=? AND state=? AND rowid',
    customer: 'notification_customer (tenant=? AND user_id=? AND customer_id=? AND state=? AND rowid',
  } as const
  for (const choice of ['all', 'category', 'customer'] as const)
    for (const order of ['newest', 'oldest'] as const)
      for (const status of ['read', 'unread', 'all'] as const) {
        it(`read ${status} entries, ${order} first, of ${choice} from where the page begins and no further (C20, W7)`, () => {
          const plan = planOf(inboxSql(order, status, choice))
          const entries = plan.filter((line) => /^(SEARCH|SCAN) n\b/.test(line))
          const own = entries.filter((line) => line.includes(INDEX[choice]))
          const shared = entries.filter((line) =>
            line.includes('INDEX notification_broadcast (tenant=? AND seq'),
          )
          expect(own).to.have.length(status === 'all' ? 2 : 1)
          expect(shared).to.have.length(1)
          expect(entries).to.have.length(own.length + 1)
          // The halves come in order; only the few rows that are taken of them are sorted.
          for (const [at, line] of plan.entries())
            if (line.includes('TEMP B-TREE')) expect(plan[at - 1]).to.match(/^SCAN \(subquery/)
        })
      }

  it('count broadcasts and what is of one customer in an index alone (C01, X22, W7)', () => {
    const lines = [BROADCAST_COUNT, CUSTOMER_COUNT.broadcast].flatMap((sql) =>
      planOf(sql).filter((line) => line.startsWith('SEARCH n')),
    )
    expect(lines).to.have.length(2)
    for (const line of lines) expect(line).to.match(/COVERING INDEX notification_broadcast \(tenant=\?/)
    expect(planOf(CUSTOMER_COUNT.personal).join()).to.contain(
      'COVERING INDEX notification_customer (tenant=? AND user_id=? AND customer_id=?',
    )
  })
})
