import { createServer, type AddressInfo } from 'node:net'
import { Aedes } from 'aedes'

/** The process of the bare Aedes: prints its port. */
const broker = await Aedes.createBroker()
const server = createServer((socket) => void broker.handle(socket))
server.listen(0, '127.0.0.1', () => {
  // Listening on a port, the address is never a pipe's name.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
})
