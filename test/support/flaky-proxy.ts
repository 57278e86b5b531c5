import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

/** A way to the program that can be cut at any moment. */
export interface FlakyProxy {
  readonly url: string
  /** Cuts every connection that is open, without a farewell; how many there were. */
  drop(): number
  close(): Promise<void>
}

/** Passes TCP on to a port of this machine. */
export async function flakyProxy(port: number): Promise<FlakyProxy> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    open.add(near)
    const end = () => {
      open.delete(near)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = () => {
    const count = open.size
    for (const socket of open) socket.resetAndDestroy()
    return count
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    drop,
    close: async () => {
      drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
