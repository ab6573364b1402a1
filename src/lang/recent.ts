/** A bounded memory: what was asked for least recently is forgotten first. */

export interface Recent<K, V> {
  readonly get: (key: K) => V | undefined
  /** Keeps `value`, whose weight counts against the bound. */
  readonly set: (key: K, value: V, weight?: number) => void
  readonly clear: () => void
  readonly size: () => number
  readonly weight: () => number
}

/** Holds values of at most `bound` in weight (1 each unless it is said), the last one whatever it weighs. */
export const createRecent = <K, V>(bound: number): Recent<K, V> => {
  const kept = new Map<K, { readonly value: V; readonly weight: number }>()
  let total = 0
  const drop = (key: K): void => {
    total -= kept.get(key)?.weight ?? 0
    kept.delete(key)
  }
  return {
    get: (key) => {
      const found = kept.get(key)
      if (found) {
        kept.delete(key)
        kept.set(key, found)
      }
      return found?.value
    },
    set: (key, value, weight = 1) => {
      drop(key)
      kept.set(key, { value, weight })
      total += weight
      for (const oldest of kept.keys()) {
        if (total <= bound || oldest === key) break
        drop(oldest)
      }
    },
    clear: () => {
      kept.clear()
      total = 0
    },
    size: () => kept.size,
    weight: () => total,
  }
}
