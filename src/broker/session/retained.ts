import { FilterTrie } from './filter-trie.ts'
import type { Message } from './frame.ts'

/** What the clients of one tenant may keep as retained messages (security row 10); the engine's own are not counted. */
export const RETAINED_MESSAGES = 10_000
export const RETAINED_BYTES = 64 * 1024 * 1024

interface Kept {
  readonly message: Message
  readonly tenant: string | null
}

/**
 * The last retained message of every topic, in memory (MQTT 3.1.1 section 3.3.1.3). Every tenant has its own, which no
 * other sees, replaces or clears (security row 18); those of the engine are everybody's.
 */
export class Retained {
  private readonly kept = new Map<string | null, Map<string, Kept>>()
  private readonly usage = new Map<string, { messages: number; bytes: number }>()

  /** Keeps the message, or clears the topic when the payload is empty. False when the tenant's quota is used up. */
  store(message: Message, tenant: string | null): boolean {
    const kept = this.of(tenant)
    const before = kept.get(message.topic)
    if (message.payload.length === 0) {
      kept.delete(message.topic)
      if (before) this.account(before, -1)
      return true
    }
    const next = { message, tenant }
    if (before) this.account(before, -1)
    this.account(next, 1)
    const used = tenant === null ? undefined : this.usage.get(tenant)
    if (used && (used.messages > RETAINED_MESSAGES || used.bytes > RETAINED_BYTES)) {
      this.account(next, -1)
      if (before) this.account(before, 1)
      return false
    }
    kept.set(message.topic, next)
    return true
  }

  /** Those of clients, with their tenants. */
  *all(): Generator<readonly [Message, string]> {
    for (const [tenant, kept] of this.kept)
      if (tenant !== null) for (const { message } of kept.values()) yield [message, tenant]
  }

  /**
   * The retained messages of the engine and of one tenant that these filters take, each once, with the highest granted
   * QoS. Lazy: what is stored or cleared while somebody reads is seen as it then is.
   */
  *matching(
    filters: ReadonlyMap<string, 0 | 1 | 2>,
    tenant: string,
  ): Generator<Message & { readonly granted: 0 | 1 | 2 }, void> {
    const readable = [this.of(null), this.of(tenant)]
    const wild = new FilterTrie<true>()
    let anyWild = false
    for (const [filter, granted] of filters) {
      if (filter.includes('+') || filter.endsWith('#')) {
        // The trie keeps one QoS for each filter, and each filter comes once.
        wild.set(filter, true, granted)
        anyWild = true
      } else {
        for (const kept of readable) {
          const found = kept.get(filter)
          if (found) yield { ...found.message, granted }
        }
      }
    }
    if (!anyWild) return
    for (const kept of readable)
      for (const [topic, { message }] of kept) {
        if (filters.has(topic)) continue
        let granted: 0 | 1 | 2 | null = null
        wild.match(topic, (_, qos) => {
          if (granted === null || qos > granted) granted = qos
        })
        if (granted !== null) yield { ...message, granted }
      }
  }

  private of(tenant: string | null): Map<string, Kept> {
    let kept = this.kept.get(tenant)
    if (!kept) this.kept.set(tenant, (kept = new Map()))
    return kept
  }

  private account(entry: Kept, by: 1 | -1): void {
    if (entry.tenant === null) return
    const used = this.usage.get(entry.tenant) ?? { messages: 0, bytes: 0 }
    used.messages += by
    used.bytes += by * (entry.message.payload.length + entry.message.topic.length)
    this.usage.set(entry.tenant, used)
  }
}
