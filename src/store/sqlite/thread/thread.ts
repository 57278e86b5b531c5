import { Worker, type MessagePort } from 'node:worker_threads'

/** The two ends of a thread that is asked one thing at a time. */
export interface Thread<Request, Reply, Ready> {
  /** What the thread said when it was ready. */
  readonly ready: Ready
  /** One request at a time; rejects when the thread ends before it answers. */
  ask(request: Request): Promise<Reply>
  /** Lets the thread close what it holds; resolves when it is gone. */
  close(): Promise<void>
}

/** What a thread does: runs inside it. */
export interface Service<Request> {
  readonly ready: unknown
  answer(request: Request): unknown
  /** Housekeeping after the answer has left. */
  after(): void
  close(): void
}

const CLOSE = 'close'

/** The inner end: announces that it is ready, then answers until it is told to close. */
export function serve<Request>(port: MessagePort, service: Service<Request>): void {
  port.on('message', (request: Request | typeof CLOSE) => {
    if (request === CLOSE) {
      service.close()
      port.close()
      return
    }
    port.postMessage(service.answer(request))
    service.after()
  })
  port.postMessage(service.ready)
}

/**
 * The outer end. Rejects when the thread fails before it is ready; later, an end that was not asked for is reported
 * to `onEnd` once.
 */
export async function startThread<Request, Reply, Ready>(
  entry: URL,
  data: unknown,
  onEnd: (error: Error) => void,
): Promise<Thread<Request, Reply, Ready>> {
  const worker = new Worker(entry, { workerData: data })
  let waiting: { resolve(reply: unknown): void; reject(error: Error): void } | null = null
  let ended: Error | null = null
  let closing = false
  let ready = false

  const answered = () =>
    new Promise<unknown>((resolve, reject) => {
      if (ended) reject(ended)
      else waiting = { resolve, reject }
    })
  function end(error: Error): void {
    if (ended) return
    ended = error
    waiting?.reject(error)
    waiting = null
    if (ready && !closing) onEnd(error)
  }
  worker.on('message', (reply: unknown) => {
    const asked = waiting
    waiting = null
    asked?.resolve(reply)
  })
  worker.on('error', end)
  const gone = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      end(new Error(`The thread ended with code ${code}`))
      resolve()
    })
  })

  const first = (await answered()) as Ready
  ready = true
  return {
    ready: first,
    ask(request) {
      const reply = answered()
      if (!ended) worker.postMessage(request)
      // The thread of that entry answers what its request type promises.
      return reply as Promise<Reply>
    },
    close() {
      closing = true
      if (!ended) worker.postMessage(CLOSE)
      return gone
    },
  }
}
