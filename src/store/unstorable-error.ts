/** The store works, but cannot hold what this one call says: a bug of the caller, and trying again is in vain (promise P10). */
export class UnstorableError extends Error {
  constructor(cause: string) {
    super('The store could not hold it', { cause })
    this.name = 'UnstorableError'
  }
}
