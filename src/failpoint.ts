/**
 * Named places where a test may kill the process, as `kill -9` would (contract section 1).
 * `CARILLON_FAILPOINT=name:count` kills at the count-th passage. Without it a passage costs one comparison.
 */
export type FailpointName =
  | 'before-commit'
  | 'after-commit-before-puback'
  | 'after-puback'
  | 'after-claim-before-send'
  | 'after-send-before-mark'
  | 'after-fire-commit'
  | 'after-ack-commit-before-reply'
  | 'during-migration'
  | 'during-checkpoint'

const [armedName, armedCount] = (process.env['CARILLON_FAILPOINT'] ?? '').split(':')
let left = Number(armedCount ?? 1)

export const failpointArmed = armedName !== undefined && armedName !== ''

export function failpoint(name: FailpointName): void {
  if (armedName === name && --left <= 0) process.kill(process.pid, 'SIGKILL')
}
