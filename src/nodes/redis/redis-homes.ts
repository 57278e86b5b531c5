import type { PersistedWill } from '../../broker/session/persistence.ts'
import type { Homecoming, Homes } from '../homes.ts'
import { STREAM } from './keys.ts'
import type { RedisLink } from './link.ts'
import { decodePacket } from './packet.ts'
import { readRecord } from './redis-persistence.ts'
import { SESSIONS, TAKE_HOME, TAKE_WILLS } from './session-script.ts'
import { entriesOf, messageOf } from './stream-bus.ts'

/** {@link Homes} in Redis; every call rejects while that is away. */
export function createRedisHomes(link: RedisLink, node: string): Homes {
  const take = async (id: string, from: string): Promise<Homecoming | null> => {
    const reply = await link.run(TAKE_HOME, [id, node, from])
    if (reply === null) return null
    // As the script returns it.
    const [position, at, principal, leftAt] = (reply as Buffer[]).map(String) as [
      string,
      string,
      string,
      string,
    ]
    const stored = principal === '' ? null : { id, ...readRecord(principal, leftAt) }
    return { position, servedTo: at === '' ? null : at, stored }
  }
  return {
    async take(id) {
      const taken = await take(id, '')
      if (!taken) throw new Error('a session could not be brought home')
      return taken
    },
    async *takeFrom(gone) {
      for (const id of (await link.call('SMEMBERS', SESSIONS)) as Buffer[]) {
        const taken = await take(id.toString(), gone)
        if (taken) yield taken
      }
    },
    async takeWills(gone) {
      const reply = (await link.run(TAKE_WILLS, [gone, node])) as Buffer[]
      return reply.flatMap((bytes, index) =>
        index % 2 === 1 && bytes.length > 0 ? [decodePacket<PersistedWill>(bytes)] : [],
      )
    },
    async said(after) {
      return entriesOf(await link.call('XRANGE', STREAM, `(${after}`, '+')).flatMap(
        ({ id, fields }) => messageOf(id, fields) ?? [],
      )
    },
  }
}
