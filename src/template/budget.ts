import { CaptureTag, evalToken, ForTag, type Context, type Emitter } from 'liquidjs'

/** How many nodes of a template may be rendered, loops counted: some 15 ms of work. A mail with 300 rows has room. */
export const MOST_STEPS = 3000
/** Characters and list entries that a rendering may go over in all. */
export const MOST_WORK = 1_000_000
/** Characters of the longest result. */
export const LONGEST_OUTPUT = 256 * 1024
/** A list entry is a hundred bytes and a function call, where a character is neither. */
const ENTRY = 8

/**
 * Counts the nodes that are rendered, so that what a template may do depends on the template and its data and not on
 * how busy the machine is. Liquid's own limit of time stays behind it.
 */
export function limitSteps(context: Context): void {
  const { renderLimit } = context
  const onTime = renderLimit.check.bind(renderLimit)
  let steps = 0
  renderLimit.check = (now) => {
    steps += 1
    if (steps > MOST_STEPS) throw new RangeError(`does more than ${MOST_STEPS} steps`)
    onTime(now)
  }
}

/** Charges for going over a value once. */
export function charge(context: Context, ...values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === 'string') context.memoryLimit.use(value.length)
    else if (Array.isArray(value)) context.memoryLimit.use(value.length * ENTRY)
  }
}

/** A result in the making that is charged for, and ends the rendering when it gets too long. */
export function limitedOutput(context: Context): Emitter {
  return {
    buffer: '',
    write(value: unknown) {
      const text = textOf(value)
      context.memoryLimit.use(text.length)
      if (this.buffer.length + text.length > LONGEST_OUTPUT) {
        throw new RangeError(`results in more than ${LONGEST_OUTPUT} characters`)
      }
      this.buffer += text
    },
  }
}

/** A captured text doubles with every `capture` of itself, which Liquid does not charge for. */
export class LimitedCapture extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    const output = limitedOutput(context)
    yield this.liquid.renderer.renderTemplates(this.templates, context, output)
    Object.assign(context.bottom(), { [this.variable]: output.buffer })
  }
}

/** What is gone through is copied first, every time, whatever `limit` says. */
export class LimitedFor extends ForTag {
  override *render(context: Context, emitter: Emitter): ReturnType<ForTag['render']> {
    const collection: unknown = yield evalToken(this.collection, context)
    const isMap = typeof collection === 'object' && collection !== null && !Array.isArray(collection)
    charge(context, isMap ? Object.keys(collection) : collection)
    return yield* super.render(context, emitter)
  }
}

/** How a value reads in a message: lists joined, objects as JSON, nothing for nothing. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join('')
  // Liquid's own values, such as `forloop`, know how they read.
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value as number | boolean)
}
