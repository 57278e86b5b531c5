import { DATA_FILE } from './file/folder.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditHead } from '../../audit/entry.ts'
import { createChainCheck, type Verdict } from '../../audit/verify.ts'
import { openSqlite } from './file/database.ts'
import { auditReads, readFoundRow } from './table/audit.ts'

const PORTION = 1000

/**
 * Verifies the audit log of a data folder without the program, which may run meanwhile. Null when the folder holds no
 * database; throws when the file cannot be read at all or is older than the log.
 */
export function verifyAuditFile(folder: string, known?: AuditHead): Verdict | null {
  const file = join(folder, DATA_FILE)
  if (!existsSync(file)) return null
  const db = openSqlite({ file, readOnly: true })
  try {
    // One view of the file: entries that are written meanwhile would lie behind the head that was read.
    db.exec('BEGIN')
    const reads = auditReads(db)
    const check = createChainCheck(known)
    const head = reads.auditHead()
    for (let after = 0; ;) {
      const rows = reads.auditChain({ after, limit: PORTION }).map(readFoundRow)
      check.add(rows)
      const last = rows.at(-1)
      if (!last) return check.verdict(head)
      after = last.seq
    }
  } finally {
    db.close()
  }
}
