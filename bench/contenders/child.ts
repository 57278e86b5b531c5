import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Starts a server and resolves with the first line of its output that `ready` says something of; rejects when it ends. */
export async function startChild<Ready>(
  command: readonly [string, ...string[]],
  ready: (line: string) => Ready | null,
): Promise<{ readonly child: ChildProcess; readonly pid: number; readonly ready: Ready }> {
  const [file, ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  const ends = new AbortController()
  const said = new Promise<Ready>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (output.length < 50) output.push(line)
        const found = ready(line)
        if (found !== null) resolve(found)
      })
  })
  const ended = once(child, 'exit', { signal: ends.signal }).then(() => null)
  // Only the race below hears of it; later the end is expected.
  ended.catch(() => {})
  const first = await Promise.race([said, ended])
  ends.abort()
  if (first === null || child.pid === undefined)
    throw new Error(`${file} ended before it was ready:\n${output.join('\n')}`)
  return { child, pid: child.pid, ready: first }
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
