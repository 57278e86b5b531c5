import { Context } from 'liquidjs'

/** A value that a template shows and the data do not have, or have as null. */
export class MissingValue extends Error {
  // Liquid goes by this name when it lets conditions and `default` have nothing.
  override readonly name = 'InternalUndefinedVariableError'
  /** Such as `order.id`. */
  readonly path: string

  constructor(path: string) {
    super(`nothing is given for ${path}`)
    this.path = path
  }
}

/** Data of which nothing may be missing that is shown: reading it throws `MissingValue` with its whole path. */
export class WholeContext extends Context {
  override *_getFromScope(
    scope: unknown,
    paths: Parameters<Context['_getFromScope']>[1],
    strict: boolean = this.strictVariables,
  ): IterableIterator<unknown> {
    const found: unknown = yield* super._getFromScope(scope, paths, false)
    if (strict && (found === undefined || found === null))
      throw new MissingValue(typeof paths === 'string' ? paths : paths.map(String).join('.'))
    return found
  }
}
