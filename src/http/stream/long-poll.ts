import Type from 'typebox'
import type { Principal } from '../../access/principal.ts'
import type { Clock } from '../../clock.ts'
import { fault } from '../../errors.ts'
import type { Ids } from '../../ids.ts'
import type { StreamFrame } from '../../live/stream/stream.ts'
import type { OpenStream, Place, Streams } from '../../live/stream/streams.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { SinceQuery } from './event-stream.ts'

/** Frames that wait for one poller. */
const MOST_FRAMES = 100
/** How long a poller may stay away. */
const IDLE_MS = 60_000
const LONGEST_WAIT_S = 55

export interface LongPollDeps {
  readonly streams: Streams
  readonly clock: Clock
  readonly ids: Ids
}

const Frames = Type.Object(
  {
    session: Type.String(),
    cursor: Type.Integer({ description: 'Give it back: everything up to it has arrived' }),
    items: Type.Array(
      Type.Object({
        type: Type.String(),
        id: Type.String(),
        data: Type.Unknown(),
        source: Type.Optional(Type.String()),
        timestamp: Type.Optional(Type.Number()),
      }),
    ),
  },
  {
    description: 'What has come; nothing when the time was up',
    examples: [{ session: '019b8e5c-7a00-7001-8000-5f3c2d1e0f10', cursor: 0, items: [] }],
  },
)

/**
 * `GET /v1/events/poll`: the same stream where neither WebSockets nor event streams get through. An answer that is lost
 * on its way is given again: `cursor` of the next request says what arrived, or `since` where the session has ended.
 */
export function longPoll(app: App, { streams, clock, ids }: LongPollDeps): void {
  const pollers = new Map<string, Poller>()

  /** A poller that is away, perhaps for ever, gives way to one that is here. */
  const placeFor = (principal: Principal): Place => {
    try {
      return streams.admit(principal, 'poll')
    } catch (error) {
      const away = [...pollers.values()].find((poller) => poller.userId === principal.id && poller.isAway)
      if (away === undefined) throw error
      away.end()
      return streams.admit(principal, 'poll')
    }
  }

  app.get(
    '/events/poll',
    {
      config: { access: 'user', errors: ['stream.too_many'] },
      exposeHeadRoute: false,
      schema: {
        summary: 'Live: the same frames by long polling',
        tags: ['live'],
        querystring: Type.Object({
          ...SinceQuery,
          session: Type.Optional(Type.String({ maxLength: 64, description: 'Of the answer before' })),
          cursor: Type.Integer({ minimum: 0, default: 0, description: 'Of the answer before' }),
          wait: Type.Integer({ minimum: 0, maximum: LONGEST_WAIT_S, default: 25, description: 'Seconds' }),
        }),
        response: { 200: Frames, ...FAILURES },
      },
    },
    async (request, reply) => {
      const principal = caller(request)
      const { session = '', cursor, wait, since } = request.query
      const known = pollers.get(session)
      let poller = known?.userId === principal.id ? known : undefined
      // A session that is gone is begun anew where `since` says; the caller need not know.
      const fresh = poller === undefined
      if (poller === undefined) {
        const id = ids.next(clock.now())
        const place = placeFor(principal)
        poller = new Poller({ id, userId: principal.id, place, clock, gone: () => pollers.delete(id) })
        pollers.set(id, poller)
        await poller.open(since)
      }
      const current = poller
      reply.raw.once('close', () => {
        // Whoever lost the connection comes back with `since`; what waits here would only take up a place.
        if (!reply.raw.writableFinished) current.end()
      })
      await current.wait(fresh ? 0 : cursor, wait * 1000)
      return current.answer()
    },
  )
}

/** One poller between its requests: at most a hundred frames, of which each stays until it has arrived. */
class Poller {
  readonly id: string
  readonly userId: string
  readonly #place: Place
  readonly #clock: Clock
  readonly #gone: () => void
  #frames: StreamFrame[] = []
  /** Number of the last frame that has arrived. */
  #arrived = 0
  #stream: OpenStream | null = null
  #full = false
  #wake: (() => void) | null = null
  #cancelIdle = () => {}
  /** Requests that have not been answered. */
  #asking = 0
  #ended = false

  constructor(options: {
    readonly id: string
    readonly userId: string
    readonly place: Place
    readonly clock: Clock
    readonly gone: () => void
  }) {
    this.id = options.id
    this.userId = options.userId
    this.#place = options.place
    this.#clock = options.clock
    this.#gone = options.gone
  }

  async open(since: string | undefined): Promise<void> {
    this.#asking += 1
    try {
      this.#stream = await this.#place.open({
        since,
        write: (frame, flushed) => this.#write(frame, flushed),
        end: () => this.end(),
      })
    } catch (error) {
      this.end()
      throw error
    } finally {
      this.#asking -= 1
    }
  }

  /** Whether no request of theirs is under way. */
  get isAway(): boolean {
    return this.#asking === 0
  }

  /** Resolves once there is something, or the time is up. */
  async wait(cursor: number, ms: number): Promise<void> {
    this.#asking += 1
    try {
      await this.#wait(cursor, ms)
    } finally {
      this.#asking -= 1
    }
  }

  async #wait(cursor: number, ms: number): Promise<void> {
    this.#cancelIdle()
    this.#rouse()
    const done = Math.min(Math.max(0, cursor - this.#arrived), this.#frames.length)
    this.#frames.splice(0, done)
    this.#arrived += done
    if (this.#full && done > 0) {
      this.#full = false
      this.#stream?.roomy()
    }
    if (this.#frames.length === 0 && ms > 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.at(this.#clock.now() + ms, () => this.#rouse())
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    }
    if (this.#ended) throw fault('auth.expired', 'The stream has ended; sign in and ask again')
    this.#cancelIdle()
    this.#cancelIdle = this.#clock.at(this.#clock.now() + IDLE_MS, () => this.end())
  }

  answer() {
    return {
      session: this.id,
      cursor: this.#arrived + this.#frames.length,
      items: this.#frames.map(({ data, ...frame }) => ({ ...frame, data: JSON.parse(data) as unknown })),
    }
  }

  /** Lets the request that waits answer, if one does. */
  #rouse(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #write(frame: StreamFrame, flushed: () => void): boolean {
    if (this.#frames.length >= MOST_FRAMES) {
      this.#full = true
      return false
    }
    this.#frames.push(frame)
    queueMicrotask(flushed)
    this.#rouse()
    return true
  }

  /** Gives its place back; idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelIdle()
    this.#place.leave()
    this.#gone()
    this.#rouse()
  }
}
