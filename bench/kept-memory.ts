import { once } from 'node:events'
import { WebSocket } from 'ws'
import { residentMegabytes } from './process-cost.ts'

/** Reads of another process of Node what it keeps, garbage aside. */
export interface KeptMemory {
  /** Resident kilobytes after everything that can be collected was. */
  read(): Promise<number>
  close(): void
}

/** Over the inspector of a process that was started with `--inspect`, at the address that it prints. */
export async function keptMemory(pid: number, inspector: string): Promise<KeptMemory> {
  const socket = new WebSocket(inspector)
  await once(socket, 'open')
  let last = 0
  const collect = () =>
    new Promise<void>((resolve) => {
      last += 1
      const id = last
      const listen = (raw: Buffer) => {
        if ((JSON.parse(raw.toString()) as { readonly id?: number }).id !== id) return
        socket.off('message', listen)
        resolve()
      }
      socket.on('message', listen)
      socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
    })
  return {
    async read() {
      // What the first round lets go of by finalizers, the second collects.
      for (let round = 0; round < 2; round++) await collect()
      return residentMegabytes(pid) * 1024
    },
    close: () => socket.terminate(),
  }
}
