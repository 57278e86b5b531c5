import type { ChannelLike, Surroundings } from '../surroundings.ts'

export interface Tabs<Message> {
  /** To all other tabs of the same person; to nobody once it is closed. */
  say(message: Message): void
  close(): void
}

/**
 * Lets one tab at a time lead: `lead` is called once this tab does, and answers with how to stop. When the leading tab
 * closes or crashes the browser gives its lock to the next. Without locks or channels every tab leads.
 */
export function createTabs<Message>(
  name: string,
  { channel: Channel, locks }: Pick<Surroundings, 'channel' | 'locks'>,
  heard: (message: Message) => void,
  lead: () => () => void,
): Tabs<Message> {
  if (!Channel || !locks) return { say() {}, close: lead() }
  const channel: ChannelLike = new Channel(name)
  channel.onmessage = ({ data }: { data: Message }) => heard(data)
  const gaveUp = new AbortController()
  let release = () => {}
  const holding = async () => {
    if (gaveUp.signal.aborted) return
    const stop = lead()
    await new Promise<void>((resolve) => (release = resolve))
    stop()
  }
  locks.request(name, { signal: gaveUp.signal }, holding).catch(() => {
    // Given up before it was this tab's turn.
  })
  return {
    say(message) {
      if (!gaveUp.signal.aborted) channel.postMessage(message)
    },
    close() {
      gaveUp.abort()
      release()
      channel.close()
    },
  }
}
