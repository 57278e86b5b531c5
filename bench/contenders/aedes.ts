import { fileURLToPath } from 'node:url'
import { startChild, stopChild } from './child.ts'
import type { Contender } from './contender.ts'

const PROGRAM = fileURLToPath(new URL('./aedes-server.js', import.meta.url))

/** Aedes as it comes, with its own persistence in memory. */
export async function startAedes(): Promise<Contender> {
  const { child, pid, ready } = await startChild([process.execPath, PROGRAM], (line) => Number(line) || null)
  return { name: 'bare Aedes', pid, mqttPort: ready, publisher: null, stop: () => stopChild(child) }
}
