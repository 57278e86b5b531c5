import { expect } from 'chai'
import { CommitQueue } from '../../src/store/commit-queue.ts'

const entry = (name: string, given: { bytes?: number; urgent?: boolean; keys?: string[] } = {}) => ({
  name,
  bytes: 1,
  urgent: false,
  keys: [],
  ...given,
})
type Entry = ReturnType<typeof entry>

/** Empties the queue commit by commit; one list of names per commit. */
function commits(queue: CommitQueue<Entry>, limit = 100): string[] {
  const all: string[] = []
  for (;;) {
    const taken = queue.take(limit)
    if (taken.length === 0) return all
    all.push(taken.map(({ name }) => name).join(' '))
    queue.release()
  }
}

describe('The commit queue', () => {
  it('hands everything over in the order of the calls, at most so many at once', () => {
    const queue = new CommitQueue<Entry>({ operations: 100, bytes: 100 })
    for (const name of 'abcde') queue.push(entry(name, { urgent: name === 'd' }))
    expect(queue.size).to.equal(5)
    expect(commits(queue, 2)).to.deep.equal(['a b', 'c d', 'e'])
    expect(queue.size).to.equal(0)
  })

  it('keeps the last tenth for urgent calls; the others wait for room (P23, P25)', () => {
    const queue = new CommitQueue<Entry>({ operations: 10, bytes: 1000 })
    for (const name of 'abcdefghij') queue.push(entry(name))
    queue.push(entry('X', { urgent: true }))
    queue.push(entry('Y', { urgent: true }))
    expect(queue.size).to.equal(12)
    expect(commits(queue)).to.deep.equal(['a b c d e f g h i X', 'Y j'])
  })

  it('counts bytes the same way', () => {
    const queue = new CommitQueue<Entry>({ operations: 100, bytes: 100 })
    for (const name of 'abc') queue.push(entry(name, { bytes: 40 }))
    queue.push(entry('X', { bytes: 20, urgent: true }))
    expect(commits(queue)).to.deep.equal(['a b X', 'c'])
  })

  it('counts what is being committed until it is over', () => {
    const queue = new CommitQueue<Entry>({ operations: 2, bytes: 100 })
    queue.push(entry('a'))
    expect(queue.take(9).map(({ name }) => name)).to.deep.equal(['a'])
    queue.push(entry('b', { urgent: true }))
    queue.push(entry('c', { urgent: true }))
    queue.release()
    expect(commits(queue)).to.deep.equal(['b c'])
  })

  it('never lets an urgent call pass one that it shares a key with', () => {
    const queue = new CommitQueue<Entry>({ operations: 1, bytes: 100 })
    queue.push(entry('a'))
    queue.push(entry('b', { keys: ['alert 1'] }))
    queue.push(entry('X', { urgent: true, keys: ['alert 1', 'principal p'] }))
    queue.push(entry('Y', { urgent: true, keys: ['principal p'] }))
    queue.push(entry('Z', { urgent: true, keys: ['alert 2'] }))
    expect(commits(queue)).to.deep.equal(['a', 'Z', 'b', 'X', 'Y'])
    queue.push(entry('c'))
    queue.push(entry('d'))
    queue.push(entry('V', { urgent: true, keys: ['alert 1'] }))
    expect(commits(queue)).to.deep.equal(['c', 'V', 'd'])
  })

  it('takes a call that is larger than the limit when it is empty', () => {
    const queue = new CommitQueue<Entry>({ operations: 10, bytes: 10 })
    queue.push(entry('large', { bytes: 99 }))
    queue.push(entry('small'))
    expect(commits(queue)).to.deep.equal(['large', 'small'])
  })

  it('gives everything back when it is drained, and starts empty again', () => {
    const queue = new CommitQueue<Entry>({ operations: 2, bytes: 100 })
    for (const name of 'abcd') queue.push(entry(name))
    queue.take(1)
    expect(queue.drain().map(({ name }) => name)).to.deep.equal(['a', 'b', 'c', 'd'])
    queue.push(entry('e'))
    expect(commits(queue)).to.deep.equal(['e'])
  })
})
