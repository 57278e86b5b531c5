/** More at once would make one write too large. */
const AT_ONCE = 100

/**
 * Calls that come while one batch is under way are the next batch, in the order in which they were made. All of a batch
 * fail when it fails.
 */
export function gathering<Call, Reply>(
  perform: (calls: readonly Call[]) => Promise<readonly Reply[]>,
): (call: Call) => Promise<Reply> {
  const waiting: { call: Call; resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = []
  let running = false
  const run = async () => {
    running = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, AT_ONCE)
      try {
        const replies = await perform(batch.map(({ call }) => call))
        // One reply per call.
        for (const [index, { resolve }] of batch.entries()) resolve(replies[index] as Reply)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    running = false
  }
  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, resolve, reject })
      if (!running) void Promise.resolve().then(() => (running ? undefined : run()))
    })
}
