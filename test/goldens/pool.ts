/** Several tasks under way at once, so that a device compiles kernels while the next program is being planned. */

/** The results of `f` on every item, in order, at most `width` of them under way. */
export const mapPooled = async <A, B>(
  items: readonly A[],
  width: number,
  f: (item: A) => Promise<B>,
): Promise<readonly B[]> => {
  const results = new Array<B>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await f(items[i]!)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}
