import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild, stopChild } from './child.ts'
import type { Contender } from './contender.ts'

const PROGRAM = '/usr/sbin/mosquitto'

/** Mosquitto with everything in memory; null where it is not installed. */
export async function startMosquitto(): Promise<Contender | null> {
  if (!existsSync(PROGRAM)) return null
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
  const config = join(folder, 'mosquitto.conf')
  const mqttPort = await freePort()
  writeFileSync(
    config,
    `listener ${mqttPort} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n`,
  )
  const { child, pid } = await startChild([PROGRAM, '-c', config], (line) => line.includes('running') || null)
  return {
    name: 'mosquitto',
    pid,
    mqttPort,
    publisher: null,
    async stop() {
      await stopChild(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** It takes no port 0, so one that was free just now has to do. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Listening on a port, the address is never a pipe's name.
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
