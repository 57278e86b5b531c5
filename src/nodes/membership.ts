import type { OperatorAlarm } from '../alert/operator-alarm.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Bus } from './bus.ts'
import { BEAT_MS, type NodeEntry, type Roll } from './roll.ts'

const CAUSE = 'configuration_differs'

export interface MembershipOptions {
  readonly roll: Roll
  readonly bus: Pick<Bus, 'node'>
  /** Up to where on the bus this node has kept everything that it would leave behind. */
  readonly servedTo: () => string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'nodes' | 'configurations'>
  readonly alarm: OperatorAlarm
  readonly entry: () => Omit<NodeEntry, 'node'>
  /** A node is gone: resolves when what was its own is taken over, here or elsewhere. */
  readonly takeOver: (node: string) => Promise<void>
  /**
   * Keeps anew what this node keeps outside the store: all of it when it was off the roll for a while or the roll was
   * `lost`, else what is in doubt.
   */
  readonly renew: (lost: boolean) => Promise<void>
}

export interface Membership {
  /** How many nodes there are, as far as is known; at least 1. */
  readonly count: number
  /** Announces this node and looks after those that are gone; the first time before anybody may connect. Never rejects. */
  beat(): Promise<void>
  close(): Promise<void>
}

/**
 * Announces this node every 1.5 s, takes over from nodes that have been silent for 5 s, and warns loudly when nodes run
 * different configurations: what one of them would do, another one would not.
 */
export function createMembership(options: MembershipOptions): Membership {
  const { roll, bus, clock, log, metrics, alarm } = options
  let count = 1
  let begun = false
  let closed = false
  let cancel = () => {}
  let differed = ''

  const look = async () => {
    const entry = { node: bus.node, ...options.entry() }
    const { present, gone, unknown } = await roll.call(entry, options.servedTo())
    count = Math.max(1, present.length)
    metrics.nodes.set(count)
    compare(present)
    await options.renew(unknown && begun)
    begun = true
    for (const node of gone) {
      await options.takeOver(node)
      await roll.forget(node)
      log.info({ node }, 'a node is gone; what it held is taken over')
    }
  }
  const compare = (present: readonly NodeEntry[]) => {
    const all = new Set(present.map(({ config }) => config))
    metrics.configurations.set(all.size)
    const found = all.size > 1 ? [...all].toSorted().join(' ') : ''
    if (found === '') alarm.over(CAUSE)
    else {
      if (found !== differed)
        log.error({ nodes: present }, 'nodes run different configurations; give all of them the same one')
      alarm(CAUSE, `${present.length} nodes run ${all.size} different configurations`)
    }
    differed = found
  }
  const beat = () =>
    look().catch((error: unknown) => log.debug({ err: error }, 'the roll of nodes could not be called'))
  const arm = () => {
    cancel = clock.at(clock.now() + BEAT_MS, () => {
      void beat().then(() => {
        if (!closed) arm()
      })
    })
  }
  arm()
  return {
    get count() {
      return count
    },
    beat,
    async close() {
      closed = true
      cancel()
      const entry = { node: bus.node, ...options.entry() }
      const told = roll.call(entry, options.servedTo()).then(() => roll.leave(bus.node))
      // Who cannot say goodbye is missed after a while.
      await told.catch(() => {})
    },
  }
}
