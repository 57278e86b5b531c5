import { verifyAuditFile } from '../store/sqlite/verify-file.ts'
import type { AuditHead } from '../audit/entry.ts'
import { print, type VerbOptions } from './alerts.ts'
import { createApi, field } from './api.ts'
import { findConnection } from './connection.ts'
import { CliFailure, paint, type Terminal } from './terminal.ts'

export interface VerifyAuditOptions extends VerbOptions {
  /** `{seq}:{hash}` as the program's log has it. */
  readonly head?: string
}

/**
 * Verifies the audit log: that of the data folder, also while nothing runs, or with `--url` that of a server. Exit code
 * 1, and the number of the first entry that does not fit, when it is not what was written.
 */
export async function verifyAudit(options: VerifyAuditOptions, terminal: Terminal): Promise<number> {
  const known = options.head === undefined ? undefined : headOf(options.head)
  const verdict = options.url === undefined ? offline(options, known, terminal) : null
  const answer = verdict ?? (await online(options, known, terminal))
  if (options.json === true) print(terminal, answer)
  else if (answer['ok'] === true) {
    const { seq, hash } = answer['head'] as AuditHead
    terminal.write(`${field(answer, 'entries')} entries, all as they were written; head ${seq}:${hash}\n`)
  } else terminal.complain(`${paint(terminal, 'red', field(answer, 'because'))}\n`)
  return answer['ok'] === true ? 0 : 1
}

function offline(
  options: VerifyAuditOptions,
  known: AuditHead | undefined,
  terminal: Terminal,
): Readonly<Record<string, unknown>> | null {
  const folder = options.data ?? (terminal.env['CARILLON_DATA'] || './data')
  const verdict = verifyAuditFile(folder, known)
  if (verdict === null && options.data !== undefined)
    throw new CliFailure(2, `there is no database in ${folder}`)
  return verdict && { ...verdict }
}

async function online(options: VerifyAuditOptions, known: AuditHead | undefined, terminal: Terminal) {
  if (known)
    throw new CliFailure(
      2,
      '--head needs the data folder: a server that was tampered with could say anything',
    )
  return createApi(findConnection(options, terminal), terminal).get('/v1/audit/verify')
}

function headOf(text: string): AuditHead {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq === undefined || hash === undefined) throw new CliFailure(2, '--head is `{seq}:{hash}`, as logged')
  return { seq: Number(seq), hash }
}
