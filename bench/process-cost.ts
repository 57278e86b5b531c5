import { readdirSync, readFileSync } from 'node:fs'

/** What a process has used up to now. Linux only: nothing else says it of another process so cheaply. */
export interface ProcessCost {
  readonly cpuMs: number
  /** By thread, the main one under the id of the process. */
  readonly threads: ReadonlyMap<number, number>
}

/** Clock ticks of `/proc`; the same on every Linux that Node runs on. */
const TICK_MS = 10

export function costOf(pid: number): ProcessCost {
  const threads = new Map<number, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`))
    threads.set(Number(thread), cpuMs(`/proc/${pid}/task/${thread}/stat`))
  return { cpuMs: cpuMs(`/proc/${pid}/stat`), threads }
}

/** Resident memory in megabytes. */
export function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) / 1024
}

/** What was used between two readings: in all, by the main thread, and by the busiest of the others. */
export function between(pid: number, before: ProcessCost, after: ProcessCost) {
  const used = (thread: number) => (after.threads.get(thread) ?? 0) - (before.threads.get(thread) ?? 0)
  const others = [...after.threads.keys()].filter((thread) => thread !== pid).map(used)
  return { cpuMs: after.cpuMs - before.cpuMs, mainMs: used(pid), busiestOtherMs: Math.max(0, ...others) }
}

function cpuMs(path: string): number {
  const stat = readFileSync(path, 'utf8')
  // The name in parentheses may hold anything; user and system time are fields 14 and 15 of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
