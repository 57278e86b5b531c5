interface Node<Owner> {
  readonly children: Map<string, Node<Owner>>
  /** Owners whose filter ends on this level, with their QoS. */
  readonly here: Map<Owner, 0 | 1 | 2>
  /** Owners whose filter ends with `#` below this level. */
  readonly below: Map<Owner, 0 | 1 | 2>
}

const emptyNode = <Owner>(): Node<Owner> => ({ children: new Map(), here: new Map(), below: new Map() })

/** Who subscribed to what. A look-up costs the levels of the topic, not the number of filters (MQTT 3.1.1 section 4.7). */
export class FilterTrie<Owner> {
  private root: Node<Owner> = emptyNode()

  /** Adds or replaces one filter of an owner. */
  set(filter: string, owner: Owner, qos: 0 | 1 | 2): void {
    let node = this.root
    for (const level of filter.split('/')) {
      if (level === '#') {
        node.below.set(owner, qos)
        return
      }
      let child = node.children.get(level)
      if (!child) node.children.set(level, (child = emptyNode()))
      node = child
    }
    node.here.set(owner, qos)
  }

  /** Takes one filter of an owner out, with the branches that nobody needs any more. */
  delete(filter: string, owner: Owner): void {
    this.prune(this.root, filter.split('/'), 0, owner)
  }

  /** Calls `visit` for every filter that takes the topic; an owner with overlapping filters comes once for each. */
  match(topic: string, visit: (owner: Owner, qos: 0 | 1 | 2) => void): void {
    this.walk(this.root, topic.split('/'), 0, (found) => {
      for (const [owner, qos] of found) visit(owner, qos)
      return false
    })
  }

  /** Whether any filter takes the topic. */
  any(topic: string): boolean {
    return this.walk(this.root, topic.split('/'), 0, (found) => found.size > 0)
  }

  /** Stops and says true as soon as `take` does. */
  private walk(
    node: Node<Owner>,
    levels: readonly string[],
    depth: number,
    take: (found: ReadonlyMap<Owner, 0 | 1 | 2>) => boolean,
  ): boolean {
    // Topics of the broker's own are hidden from wildcards at the first level [MQTT-4.7.2-1].
    const wild = depth > 0 || levels[0]?.startsWith('$') !== true
    if (wild && take(node.below)) return true
    const level = levels[depth]
    if (level === undefined) return take(node.here)
    const exact = node.children.get(level)
    if (exact && this.walk(exact, levels, depth + 1, take)) return true
    const plus = wild ? node.children.get('+') : undefined
    return plus !== undefined && this.walk(plus, levels, depth + 1, take)
  }

  /** Whether the node is empty afterwards. */
  private prune(node: Node<Owner>, levels: readonly string[], depth: number, owner: Owner): boolean {
    const level = levels[depth]
    if (level === undefined) node.here.delete(owner)
    else if (level === '#') node.below.delete(owner)
    else {
      const child = node.children.get(level)
      if (child && this.prune(child, levels, depth + 1, owner)) node.children.delete(level)
    }
    return node.children.size === 0 && node.here.size === 0 && node.below.size === 0
  }
}
