import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { systemClock } from '../../clock.ts'
import type { Log } from '../../log.ts'

/** How long a command may take before the connection counts as lost: a server that is paused looks like one that is gone. */
const COMMAND_MS = 2500
const CONNECT_MS = 2000
const LONGEST_PAUSE_MS = 1000

/** A Lua script, which the server runs as one step. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export interface RedisLinkOptions {
  readonly url: string
  readonly log: Log
  /** What is asked for in the log: several links lead to the same server. */
  readonly name: string
  /** Loaded before the link counts as up, so that calls keep their order after a restart of the server. */
  readonly scripts?: readonly Script[]
  readonly commandMs?: number
}

/**
 * One connection to Redis that is never the end of anything: while it is away every call rejects at once, it comes back
 * by itself, and who cares is told of both. Calls reach the server in the order in which they are made. A call that
 * rejected may have been carried out all the same. Replies are Buffers, numbers and arrays of them (RESP 2).
 */
export class RedisLink {
  private readonly redis: Redis
  private readonly options: RedisLinkOptions
  /** The server's timeouts are real ones, whatever clock the engine has. */
  private readonly clock = systemClock()
  private readonly onUps: (() => void)[] = []
  private readonly onDowns: (() => void)[] = []
  private isUp = false
  private closed = false
  private said = false
  private cancelPatience = () => {}

  constructor(options: RedisLinkOptions) {
    this.options = options
    this.redis = new Redis(options.url, {
      protocol: 2,
      lazyConnect: true,
      enableOfflineQueue: false,
      // What was asked before the connection broke is for its caller to repeat, who knows whether it may be.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_MS,
      commandTimeout: options.commandMs ?? COMMAND_MS,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS),
    })
    // Without a listener the first lost connection would end the process.
    this.redis.on('error', (error: Error) => this.noteTrouble(error))
    this.redis.on('connect', () => this.expectReady())
    this.redis.on('ready', () => void this.begin())
    this.redis.on('close', () => this.end())
  }

  get up(): boolean {
    return this.isUp
  }

  /** Resolves when the link is up, or with false after `patienceMs`; goes on trying in either case. */
  open(patienceMs: number): Promise<boolean> {
    this.redis.connect().catch((error: unknown) => this.noteTrouble(error))
    return new Promise((resolve) => {
      const cancel = this.clock.at(this.clock.now() + patienceMs, () => resolve(false))
      this.onUps.push(() => {
        cancel()
        resolve(true)
      })
    })
  }

  onUp(task: () => void): void {
    this.onUps.push(task)
  }

  onDown(task: () => void): void {
    this.onDowns.push(task)
  }

  /** Rejects when the link is down, breaks, or takes too long. */
  async call(command: string, ...args: (string | Uint8Array | number)[]): Promise<unknown> {
    if (!this.isUp) throw new Error('Redis is away')
    return this.guarded(this.redis.callBuffer(command, ...args.map(sendable)))
  }

  /** Runs a script that was loaded; it sees `args` as ARGV and no KEYS. */
  run({ sha }: Script, args: readonly (string | Uint8Array | number)[]): Promise<unknown> {
    return this.call('EVALSHA', sha, 0, ...args)
  }

  close(): void {
    this.closed = true
    this.cancelPatience()
    this.end()
    this.redis.disconnect()
  }

  private async guarded(reply: Promise<unknown>): Promise<unknown> {
    try {
      return await reply
    } catch (error) {
      // What answers late is as good as gone; a new connection shows when it answers again.
      if (error instanceof Error && error.message === 'Command timed out') this.drop()
      throw error
    }
  }

  private async begin(): Promise<void> {
    try {
      for (const { text } of this.options.scripts ?? [])
        await this.guarded(this.redis.callBuffer('SCRIPT', 'LOAD', text))
    } catch (error) {
      this.noteTrouble(error)
      this.drop()
      return
    }
    this.cancelPatience()
    if (this.closed || this.redis.status !== 'ready') return
    this.isUp = true
    this.said = false
    this.options.log.info({ link: this.options.name }, 'redis is there')
    for (const task of this.onUps) task()
  }

  private end(): void {
    this.cancelPatience()
    if (!this.isUp) return
    this.isUp = false
    if (!this.closed) this.options.log.warn({ link: this.options.name }, 'redis is away')
    for (const task of this.onDowns) task()
  }

  private drop(): void {
    if (!this.closed && this.redis.status !== 'reconnecting') this.redis.disconnect(true)
  }

  /** A server that is paused takes connections and says nothing. */
  private expectReady(): void {
    this.cancelPatience()
    this.cancelPatience = this.clock.at(this.clock.now() + CONNECT_MS, () => this.drop())
  }

  /** The first error of an outage; the rest repeats it. */
  private noteTrouble(error: unknown): void {
    if (this.said || this.closed) return
    this.said = true
    this.options.log.warn({ err: error, link: this.options.name }, 'redis does not answer')
  }
}

function sendable(value: string | Uint8Array | number): string | Buffer | number {
  return typeof value === 'string' || typeof value === 'number' ? value : Buffer.from(value)
}
